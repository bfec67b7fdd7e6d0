"""Records of conversations: what was said, how replies are decoded, and what a model replied.

Conversations are divided, sealed and counted in the ledger by what is asked: ``as_example`` has that as its text.
"""

import json
from dataclasses import dataclass, field
from typing import Self

from pretune.records.base import SCHEMA, Record
from pretune.records.data import Example

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
ROLES = (SYSTEM, USER, ASSISTANT)
OWN = "pretune:"  # begins the names of what is kept among the further columns of an example, and is no column of a user
_TURNS, _REJECTED = f"{OWN}turns", f"{OWN}rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Record):
    """What one side said."""

    role: str  # one of ROLES
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation(Record):
    """Turns that end with a reply; every turn of the assistant is a reply, and the last one is what the test asks for."""

    id: str
    turns: tuple[Turn, ...]
    group: str | None = None  # conversations of one group must not be separated
    rejected: str | None = None  # of a preference row: the reply that was not chosen
    extra: dict[str, str] = field(default_factory=dict)  # the other columns

    @property
    def asked(self) -> tuple[Turn, ...]:
        """The turns before the last reply: what a model is given."""
        return self.turns[:-1]

    @property
    def reference(self) -> str:
        """The last reply."""
        return self.turns[-1].text

    @property
    def question(self) -> str:
        """What the user said last."""
        return next((turn.text for turn in reversed(self.asked) if turn.role == USER), "")

    @property
    def text(self) -> str:
        """What is asked, as one text: all turns before the last reply but the system's. Equal ones stay in one split."""
        return "\n".join(turn.text for turn in self.asked if turn.role != SYSTEM)

    def as_example(self) -> Example:
        """Return it as a row without a label whose text is what is asked: that is what splits, seal and ledger know."""
        turns = json.dumps([[turn.role, turn.text] for turn in self.turns], ensure_ascii=False)
        further = {} if self.rejected is None else {_REJECTED: self.rejected}
        return Example(id=self.id, text=self.text, group=self.group, extra={**self.extra, **further, _TURNS: turns})

    @classmethod
    def from_example(cls, example: Example) -> Self:
        """Return the conversation that ``as_example`` was made of."""
        extra = dict(example.extra)
        turns = tuple(Turn(role=role, text=text) for role, text in json.loads(extra.pop(_TURNS)))
        return cls(id=example.id, turns=turns, group=example.group, rejected=extra.pop(_REJECTED, None), extra=extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding(Record):
    """How replies are made of probabilities; part of the judged model."""

    max_tokens: int = 200  # per reply
    temperature: float = 0.0  # 0: always the most probable token
    top_p: float = 1.0  # with a temperature: the smallest set of tokens with this probability
    repetition_penalty: float = 1.0  # by which scores of tokens that the reply already has are divided
    no_repeat: int = 0  # a reply repeats no stretch of this many tokens; 0: it may
    seed: int = 0  # with a temperature
    precision: str = "bf16"  # "fp32", "bf16", "int8" or "int4"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyScore(Record):
    """How probable one reference reply is to a model, its stop token included."""

    id: str
    nats: float  # summed over its tokens
    tokens: int
    bytes: int  # of its text in UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies(Record):
    """What one source replied to the conversations of one split."""

    schema: int = SCHEMA
    task: str = "converse"
    source: str  # "finetuned", "before", "retrieval", "constant", "few-shot", "chat-int4", ...
    split: str
    ids: tuple[str, ...]
    questions: tuple[str, ...]  # what was asked, as one text (``Conversation.text``)
    references: tuple[str, ...]
    texts: tuple[str, ...]  # the replies
    ended: tuple[bool, ...]  # whether the model ended each itself, and was not cut off at the most tokens
    scores: tuple[ReplyScore, ...] | None = None  # of the references; None: the source has no probabilities
    decoding: Decoding | None = None  # None: the source decodes nothing
    note: str = ""  # how the source came to be, such as the number of examples in its prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCounts(Record):
    """How the conversations of one split became tokens: ``num_conversations == num_used + num_beyond + num_refused``."""

    split: str
    num_conversations: int
    num_used: int
    num_replies: int  # that are learned
    num_tokens: int  # kept, of prompts and replies
    num_targets: int  # tokens of replies among them, those that end replies included: what the loss counts
    num_cut: int  # used ones whose last reply is cut or lost: they teach no end of it
    num_beyond: int  # whose first reply begins beyond ``max_length``: left out
    num_refused: int  # that the chat template refuses: left out
    max_length: int

    @property
    def cut_share(self) -> float:
        """Share of the conversations whose last reply does not fit."""
        return (self.num_cut + self.num_beyond) / max(1, self.num_conversations)

    def __str__(self) -> str:
        cut = (
            f"{self.num_cut:,} replies cut at {self.max_length:,} tokens ({self.num_cut / max(1, self.num_conversations):.1%})"
        )
        beyond = f", {self.num_beyond:,} beyond it left out" if self.num_beyond else ""
        refused = f", {self.num_refused:,} left out that do not fit the chat template" if self.num_refused else ""
        learned = f"{self.num_used:,} conversations, {self.num_targets:,} of {self.num_tokens:,} tokens learned"
        return f"{learned}; {cut}{beyond}{refused}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths(Record):
    """How long texts are, in words."""

    median: float
    p95: float
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationCounts(Record):
    """What a table of conversations holds, all splits together: counts only, no text."""

    form: str  # as it was read, with the role of each column
    split_by: str  # "question", "group 'focus'", "time 'date'" or "files"
    num_conversations: int
    num_replies: int
    num_with_turns: int  # conversations of more than one reply
    num_with_system: int
    num_preferences: int  # with a reply that was not chosen
    control_tokens: dict[str, int]  # taken away from the beginning or the end of replies
    num_spelled: int  # conversations that spell a control token elsewhere, as text
    num_repeated_questions: int  # that an earlier conversation asks, case and spacing aside
    num_repeated_replies: int  # last replies that an earlier conversation has, likewise
    num_commonest_reply: int  # how often the commonest last reply occurs
    question_words: Lengths
    reply_words: Lengths
    are_names_apart: bool = False  # whether questions that differ in nothing but the names of their groups are not near
