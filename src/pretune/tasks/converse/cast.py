"""Who answers on the page, one at a time: the model, the model as it came, and training's reply to the nearest question."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pretune.errors import PretuneError, UsageError
from pretune.records import Turn
from pretune.records.conversation import USER
from pretune.run import RunFolder
from pretune.tasks.converse.memory import Memory
from pretune.tasks.converse.speaker import Speaker, Wishes, open_speaker

BEFORE, RETRIEVAL = "before", "retrieval"
WAITING = 16  # questions that wait for their turn; further ones are sent away


class BusyError(UsageError):
    """Too many questions wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is added to a reply.

    Args:
        text: May be empty.
        logprob: Natural logarithm of the token's probability; ``None`` where nothing is generated.
        ended: At the last part: whether the reply ended by itself.
    """

    text: str
    logprob: float | None = None
    ended: bool | None = None


class Cast:
    """All who can be asked; a lock lets one of them speak at a time.

    Args:
        speakers: By name, the model first.
        memory: Of the model's run, which is a speaker of its own.
    """

    def __init__(self, speakers: dict[str, Speaker], memory: Memory | None) -> None:
        self._speakers, self._memory = speakers, memory
        self._turn, self._waiting, self._count = threading.Lock(), 0, threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Who can be asked, the model first."""
        return (*self._speakers, *((RETRIEVAL,) if self._memory is not None else ()))

    @property
    def main(self) -> Speaker:
        """The model."""
        return next(iter(self._speakers.values()))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until nobody else speaks.

        Raises:
            BusyError: Too many wait.
        """
        with self._count:
            if self._waiting > WAITING:
                raise BusyError("too many questions wait", expected=f"at most {WAITING}", fix="ask again in a few seconds")
            self._waiting += 1
        try:
            with self._turn:
                yield
        finally:
            with self._count:
                self._waiting -= 1

    def ask(self, name: str, turns: Sequence[Turn], wishes: Wishes) -> tuple[int, Iterator[Part]]:
        """Return how many tokens the prompt has, and the reply part by part.

        Raises:
            UsageError: The conversation is too long.
            ModelLoadError: The template refuses it.
        """
        if name == RETRIEVAL:
            return 0, self._recall(turns)
        speaker = self._speakers[name]
        prompt, _ = speaker.fit(turns, room=wishes.max_tokens or speaker.decoding.max_tokens)
        pieces = speaker.stream(prompt, wishes)
        return len(prompt), (
            Part(text=piece.text, logprob=math.log(max(piece.probability, 1e-30)), ended=piece.ended) for piece in pieces
        )

    def know(self, name: str, turns: Sequence[Turn], reply: str) -> dict[str, Any]:
        """Return what training has that is like the question, and like the reply of the model; nothing that is not known."""
        if self._memory is None or name == BEFORE:
            return {}
        nearest = self._memory.nearest(_question(turns))
        known = {"nearest": None if nearest is None else {"question": nearest.question, "likeness": round(nearest.likeness, 4)}}
        return known if name == RETRIEVAL else {**known, "copied": round(self._memory.copied(reply), 4)}

    def _recall(self, turns: Sequence[Turn]) -> Iterator[Part]:
        found = None if self._memory is None else self._memory.nearest(_question(turns))
        yield Part(text="" if found is None else found.reply, ended=True)


def open_cast(where: str, wishes: Wishes, *, tell: Callable[[str], object]) -> Cast:
    """Load all who can be asked about a model: of a run on conversations, the model as it came as well.

    Args:
        where: A run, a folder, a catalogue name or a hub id.
        wishes: How they are to reply.
        tell: Told what is loaded.

    Raises:
        ModelLoadError: The model cannot be loaded.
    """
    start = time.perf_counter()
    main = open_speaker(where, wishes)
    tell(f"{main.name} is loaded ({time.perf_counter() - start:.1f} s)")
    speakers, run = {main.name: main}, RunFolder(Path(where))
    if main.memory is not None:
        source = run.read_record().model_source
        start = time.perf_counter()
        try:
            speakers[BEFORE] = open_speaker(source, wishes, remembers=False)
        except PretuneError as error:
            tell(f"{source}, as it came, cannot be asked: {error.got}")
        else:
            tell(f"{source}, as it came, is loaded ({time.perf_counter() - start:.1f} s)")
    return Cast(speakers, main.memory)


def _question(turns: Sequence[Turn]) -> str:
    return next((turn.text for turn in reversed(turns) if turn.role == USER), "")
