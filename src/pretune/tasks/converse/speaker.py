"""A speaker: a chat model that is loaded and can be asked, with what it learned from where a run tells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pretune.errors import UsageError
from pretune.models.formats import chat
from pretune.predict.replies import Generator, Piece
from pretune.records import Decoding, Turn
from pretune.records.conversation import SYSTEM
from pretune.run import RunFolder
from pretune.tasks.converse.memory import Memory
from pretune.tokens.chat import ChatTemplate
from pretune.train import has_fast_bf16


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user wants otherwise than the model's own decoding has it; ``None`` leaves that.

    Args:
        precision: Of the weights: ``fp32``, ``bf16``, ``int8`` or ``int4``.
        temperature: 0 takes the most probable token.
        top_p: With a temperature.
        max_tokens: Per reply.
        seed: With a temperature.
    """

    precision: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None

    def apply(self, decoding: Decoding) -> Decoding:
        """Return a decoding with these wishes."""
        named = {name: getattr(self, name) for name in ("precision", "temperature", "top_p", "max_tokens", "seed")}
        return replace(decoding, **{name: value for name, value in named.items() if value is not None})


class Speaker:
    """A chat model that can be asked.

    Args:
        name: As the user called it.
        network: A Llama-like language model.
        tokenizer: Its own.
        decoding: How it replies.
        stop_ids: At which replies end; by default those of the template.
        memory: What it learned from.
        notes: What the user should know.
    """

    def __init__(
        self,
        name: str,
        network: Any,
        tokenizer: Any,
        *,
        decoding: Decoding,
        stop_ids: Sequence[int] = (),
        memory: Memory | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.name, self.memory, self.template = name, memory, ChatTemplate(tokenizer)
        if decoding.precision == "bf16" and not has_fast_bf16():
            decoding = replace(decoding, precision="fp32")
            notes = (*notes, "this processor has no instructions for bf16, so weights are in fp32")
        self.notes = (*notes, *self.template.notes)
        self._network, self._tokenizer = network.eval(), tokenizer
        self._stops = tuple(stop_ids) or self.template.stop_ids
        self._generator = Generator(self._network, tokenizer, stop_ids=self._stops, decoding=decoding)
        self.num_positions = int(network.model.config.max_position_embeddings)

    @property
    def decoding(self) -> Decoding:
        """How it replies."""
        return self._generator.decoding

    def fit(self, turns: Sequence[Turn], *, room: int) -> tuple[list[int], int]:
        """Return the ids of a prompt that leaves room for a reply, and how many of the oldest turns it had to leave out.

        The system's turn stays, and so does the last one.

        Raises:
            UsageError: Even so it is too long.
            ModelLoadError: The template refuses the turns.
        """
        first = 1 if turns and turns[0].role == SYSTEM else 0
        for dropped in range(0, len(turns) - first, 2):
            kept = (*turns[:first], *turns[first + dropped :])
            ids: list[int] = self.template.prompt(kept).tolist()
            if len(ids) + room <= self.num_positions:
                return ids, dropped
        raise UsageError(
            f"the question has {len(ids):,} tokens, and a reply may have {room:,}",
            expected=f"at most {self.num_positions:,} together: the model has no further positions",
            fix="shorten the question",
        )

    def stream(self, prompt: Sequence[int], wishes: Wishes | None = None) -> Iterator[Piece]:
        """Yield the reply to a prompt token by token.

        Args:
            prompt: From ``fit``.
            wishes: For this reply; its precision stays.
        """
        decoding = self.decoding if wishes is None else replace(wishes, precision=None).apply(self.decoding)
        return self._generator.stream(prompt, decoding)


def open_speaker(where: str, wishes: Wishes, *, remembers: bool = True) -> Speaker:
    """Load a chat model: a run on conversations, a folder with a model, a catalogue name or a hub id.

    Args:
        where: Any of these.
        wishes: How it is to reply.
        remembers: Whether what a run learned from is read as well.

    Raises:
        ModelLoadError: It is not there, or cannot be loaded.
        UsageError: It is no causal model.
    """
    start, run = chat.read(where), RunFolder(Path(where))
    is_run = run.is_begun and run.read_record().task == "converse"
    return Speaker(
        run.name if is_run else where,
        start.network,
        start.tokenizer,
        decoding=wishes.apply(Decoding() if start.card is None else start.card.decoding),
        stop_ids=() if start.card is None else start.card.stop_ids,
        memory=Memory.of_run(run) if is_run and remembers else None,
        notes=tuple(note for note in (start.note,) if note),
    )
