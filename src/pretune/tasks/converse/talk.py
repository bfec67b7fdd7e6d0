"""A talk: turns of one conversation with a speaker, and what is known of each reply."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from pretune.predict.replies import Piece
from pretune.records import Turn
from pretune.records.conversation import ASSISTANT, SYSTEM, USER
from pretune.tasks.converse.memory import Nearest
from pretune.tasks.converse.speaker import Speaker, Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is known of a reply.

    Args:
        text: Of the reply.
        ended: Whether the model ended it; ``None`` where the user stopped it.
        num_tokens: With the stop token.
        num_asked: Tokens of the prompt.
        seconds: From the question to the last token.
        rate: Tokens per second after the first; ``None`` of one token.
        nearest: In training, where that is known.
        copied: Share of its words that replies of training have, 13 in a row; ``None`` where that is not known.
        num_dropped: Turns that no longer fit into the prompt.
    """

    text: str
    ended: bool | None
    num_tokens: int
    num_asked: int
    seconds: float
    rate: float | None
    nearest: Nearest | None
    copied: float | None
    num_dropped: int


class Talk:
    """One conversation.

    Args:
        speaker: Who replies.
        system: What it is told before everything else; ``None`` leaves that to the template.
    """

    def __init__(self, speaker: Speaker, system: str | None = None) -> None:
        self.speaker, self.system = speaker, system
        self.turns: list[Turn] = []
        self.said: Said | None = None

    def reset(self) -> None:
        """Forget what was said; what the speaker was told stays."""
        self.turns.clear()

    def ask(self, question: str, wishes: Wishes | None = None) -> Iterator[Piece]:
        """Yield the reply token by token; it joins the turns, and ``said``, when the iterator ends or is closed.

        A reply that is stopped before its first word is forgotten, and its question with it.

        Raises:
            UsageError: The question is too long.
        """
        asked = Turn(role=USER, text=question)
        told = [] if self.system is None else [Turn(role=SYSTEM, text=self.system)]
        room = (wishes and wishes.max_tokens) or self.speaker.decoding.max_tokens
        prompt, dropped = self.speaker.fit([*told, *self.turns, asked], room=room)
        texts, times, ended = list[str](), [time.perf_counter()], None
        try:
            for piece in self.speaker.stream(prompt, wishes):
                times.append(time.perf_counter())
                texts.append(piece.text)
                ended = piece.ended
                yield piece
        finally:
            text = "".join(texts)
            if ended is not None or text:
                self.turns += [asked, Turn(role=ASSISTANT, text=text)]
            self.said = self._describe(question, text, times, ended=ended, num_asked=len(prompt), dropped=dropped)

    def _describe(
        self, question: str, text: str, times: list[float], *, ended: bool | None, num_asked: int, dropped: int
    ) -> Said:
        memory, count = self.speaker.memory, len(times) - 1
        return Said(
            text=text,
            ended=ended,
            num_tokens=count,
            num_asked=num_asked,
            seconds=times[-1] - times[0],
            rate=(count - 1) / (times[-1] - times[1]) if count > 1 else None,
            nearest=None if memory is None else memory.nearest(question),
            copied=None if memory is None else memory.copied(text),
            num_dropped=dropped,
        )
