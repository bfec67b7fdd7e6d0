"""What a chat model has learned from, beside what it says: the nearest question of training, and what replies copy."""

from collections.abc import Sequence
from dataclasses import dataclass

from pretune.evaluate.replies.nearest import QuestionIndex
from pretune.evaluate.replies.stretches import Known
from pretune.records import Conversation
from pretune.run import RunFolder


@dataclass(frozen=True, slots=True)
class Nearest:
    """The conversation of training whose question is most like what was asked."""

    question: str
    reply: str
    likeness: float  # cosine of the two questions' words, 0 to 1


class Memory:
    """Conversations of training, ready to be asked about.

    Args:
        rows: The conversations.
    """

    def __init__(self, rows: Sequence[Conversation]) -> None:
        self._rows, self._index = rows, QuestionIndex([row.text for row in rows])
        self._known = Known(turn.text for row in rows for turn in row.turns if turn.role == "assistant")

    @classmethod
    def of_run(cls, folder: RunFolder) -> "Memory":
        """Return that of a run on conversations.

        Raises:
            StorageError: Its rows cannot be read.
        """
        return cls(tuple(map(Conversation.from_example, folder.read_examples("train"))))

    def nearest(self, question: str) -> Nearest | None:
        """Return what training asked that is most like a question; ``None`` where nothing shares a word with it."""
        found = self._index.find(question)
        if found is None:
            return None
        row = self._rows[found[0]]
        return Nearest(row.text, row.reference, min(1.0, found[1]))

    def copied(self, reply: str) -> float:
        """Return the share of a reply's words that stand, 13 in a row, in replies of training."""
        return float(self._known.copied([reply])[0])
