"""Replies: a network continues prompts, many at once or one as a stream.

Prompts are ids: what a template makes of turns is ``tokens/chat.py``'s.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pretune.errors import UsageError
from pretune.models import LanguageNetwork
from pretune.models.forward.decode import Decoder, Room
from pretune.models.forward.products import MANY
from pretune.predict.choose_token import Chooser, choose
from pretune.predict.streamed import StreamedText, text_of
from pretune.records.conversation import Decoding

PRECISIONS = ("fp32", "bf16", "int8", "int4")
BATCH = 32  # replies at once
MAX_READ = 4096  # tokens of prompts read at once


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to one prompt."""

    ids: tuple[int, ...]  # without the stop token
    text: str
    ended: bool  # whether the model ended it, and was not cut off


@dataclass(frozen=True, slots=True)
class Piece:
    """What one token adds to a reply that is being written."""

    text: str  # may be empty: a token can be a part of a character
    id: int
    probability: float  # that the model gave this token, before temperature and penalties
    ended: bool | None = None  # at the last one: whether the model ended the reply, and was not cut off


@dataclass(slots=True)
class _Row:
    """A reply in the making."""

    index: int  # among the prompts
    chooser: Chooser
    most: int  # tokens


class Generator:
    """Writes replies with a network as it now is.

    Args:
        network: A Llama-like language model.
        tokenizer: Its own.
        stop_ids: Tokens that end a reply.
        decoding: How tokens are chosen, and in what precision.
        batch: Replies at once; ``None`` is what is fastest.

    Raises:
        UsageError: The network is of another family, or nothing can end a reply.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        tokenizer: Any,
        *,
        stop_ids: Sequence[int],
        decoding: Decoding,
        batch: int | None = None,
    ) -> None:
        check_decoding(decoding)
        if not stop_ids:
            raise UsageError("no token ends a reply", expected="at least one stop token")
        self.decoding, self._tokenizer = decoding, tokenizer
        self._batch = batch or (MANY if decoding.precision == "int4" else BATCH)
        self._stops = frozenset(int(token) for token in stop_ids)
        self._decoder = Decoder(network, decoding.precision)

    def reply(self, prompts: Sequence[Sequence[int]], progress: Callable[[float, int], object] | None = None) -> list[Reply]:
        """Return the reply to each prompt, in their order.

        Args:
            prompts: Ids; read in order of length, so that neighbours are alike.
            progress: Told how many replies are written, begun ones by their share of the tokens allowed, and of how many.

        Raises:
            UsageError: A prompt is empty, or longer than the model has positions for.
        """
        found: dict[int, Reply] = {}
        with torch.inference_mode():
            for writing, finished in self._write(prompts):
                for row, ended in finished:
                    said = row.chooser.said
                    found[row.index] = Reply(tuple(said), text_of(self._tokenizer, said), ended)
                if progress is not None:
                    begun = sum(len(row.chooser.said) / row.most for row in writing)
                    progress(len(found) + begun, len(prompts))
        return [found[index] for index in range(len(prompts))]

    def stream(self, prompt: Sequence[int], decoding: Decoding | None = None) -> Iterator[Piece]:
        """Yield a reply token by token, the stop token last; the texts one after the other are the text of the whole.

        Args:
            prompt: Ids.
            decoding: For this reply; its precision stays the generator's.

        Raises:
            UsageError: The prompt is empty, or longer than the model has positions for.
        """
        check_decoding(decoding or self.decoding)
        row, text = self._row(0, prompt, decoding), StreamedText(self._tokenizer)
        room = self._decoder.room(1, len(prompt) + row.most)
        for token, probability in self._tokens(prompt, row, room):
            if token in self._stops:
                yield Piece(text.rest(), token, probability, ended=True)
                return
            row.chooser.take(token)
            if len(row.chooser.said) == row.most:
                yield Piece(text.add(token) + text.rest(), token, probability, ended=False)
                return
            yield Piece(text.add(token), token, probability)

    def _tokens(self, prompt: Sequence[int], row: _Row, room: Room) -> Iterator[tuple[int, float]]:
        """Yield what comes next and its probability; what the row's chooser has taken meanwhile is read before the next."""
        while True:
            with torch.inference_mode():
                if row.chooser.said:
                    hidden = self._decoder.step(torch.tensor(row.chooser.said[-1:]), room)
                else:
                    hidden = self._read([row], [prompt], room, 0)
                logits = self._decoder.logits(hidden)
                shares = logits[0].softmax(dim=-1)
                token = choose(logits, [row.chooser])[0]
                probability = float(shares[token])
            yield token, probability

    def _row(self, index: int, prompt: Sequence[int], decoding: Decoding | None = None) -> _Row:
        decoding = decoding or self.decoding
        free = self._decoder.max_positions - len(prompt)
        if not len(prompt) or free < 1:
            raise UsageError(
                f"a prompt has {len(prompt):,} tokens" if len(prompt) else "a prompt is empty",
                expected=f"1 to {self._decoder.max_positions - 1:,} tokens: the model has no further positions",
                fix="shorten it",
            )
        return _Row(index, Chooser(decoding, prompt), min(decoding.max_tokens, free))

    def _write(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[list[_Row], list[tuple[_Row, bool]]]]:
        """Yield, after each token, the replies that are being written, and those just finished: whether the model ended them.

        Finished rows give their place to waiting prompts; at the end to the last row, so that no step computes a row that is
        not needed.
        """
        waiting = [self._row(index, prompt) for index, prompt in enumerate(prompts)]
        if not waiting:
            return
        capacity = max(len(prompts[row.index]) + row.most for row in waiting)
        waiting.sort(key=lambda row: (len(prompts[row.index]), row.index))  # the longest is taken first
        room = self._decoder.room(min(self._batch, len(waiting)), capacity)
        writing: list[_Row] = []
        while waiting or writing:
            free = len(room.lengths) - len(writing)
            hidden = []
            if writing:
                last = torch.tensor([row.chooser.said[-1] for row in writing], device=room.lengths.device)
                hidden.append(self._decoder.step(last, room))
            while waiting and free:
                come = self._take(waiting, free, prompts)
                hidden.append(self._read(come, [prompts[row.index] for row in come], room, len(writing)))
                writing, free = [*writing, *come], free - len(come)
            logits = self._decoder.logits(torch.cat(hidden))
            tokens = choose(logits, [row.chooser for row in writing])
            done = list[tuple[int, bool]]()
            for place, (row, token) in enumerate(zip(writing, tokens, strict=True)):
                if token in self._stops:
                    done.append((place, True))
                    continue
                row.chooser.take(token)
                if len(row.chooser.said) == row.most:
                    done.append((place, False))
            finished = [(writing[place], ended) for place, ended in done]
            for place, _ in reversed(done):
                last_row = writing.pop()
                if place < len(writing):
                    writing[place] = last_row
                    room.move(len(writing), place)
            yield writing, finished

    def _take(self, waiting: list[_Row], free: int, prompts: Sequence[Sequence[int]]) -> list[_Row]:
        """Return the longest prompts that wait, as many as are read at once; they wait no more."""
        longest = len(prompts[waiting[-1].index])
        count = min(free, max(1, MAX_READ // longest), len(waiting))
        taken = waiting[-count:]
        del waiting[-count:]
        return taken

    def _read(self, rows: Sequence[_Row], prompts: Sequence[Sequence[int]], room: Room, start: int) -> Tensor:
        """Read prompts into the rows of a room from ``start`` on; return the states of their last tokens, (rows, width)."""
        ids, lengths = pad_right(prompts)
        places = torch.arange(start, start + len(rows))
        states = self._decoder.read(ids, room, places)
        room.lengths[places] = lengths
        return states[torch.arange(len(rows)), lengths - 1]


def pad_right(prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return ids (prompts, longest), filled up with 0 at the right, and lengths (prompts,)."""
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.int64)
    for place, prompt in enumerate(prompts):
        ids[place, : len(prompt)] = torch.as_tensor(prompt, dtype=torch.int64)
    return ids, lengths


def check_decoding(decoding: Decoding) -> None:
    """Refuse what no reply can be decoded by.

    Raises:
        UsageError: A value does not fit.
    """
    checks = (
        ("max_tokens", decoding.max_tokens, decoding.max_tokens >= 1, "at least 1"),
        ("temperature", decoding.temperature, 0 <= decoding.temperature < 100, "0 (always the most probable token) or more"),
        ("top_p", decoding.top_p, 0 < decoding.top_p <= 1, "above 0, at most 1"),
        ("repetition_penalty", decoding.repetition_penalty, 0 < decoding.repetition_penalty < 100, "1 (none) or more"),
        ("no_repeat", decoding.no_repeat, decoding.no_repeat >= 0, "0 (anything may be repeated) or more"),
        ("precision", decoding.precision, decoding.precision in PRECISIONS, "one of " + ", ".join(PRECISIONS)),
    )
    for name, value, is_right, expected in checks:
        if not is_right:
            raise UsageError(f"{name} is {value!r}", expected=expected)
