"""Which token comes next: the most probable one, or one that is drawn; repetition costs, or is ruled out.

Shapes: logits (rows, vocabulary), in float32.
"""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from pretune.hashing import digest_of
from pretune.records.conversation import Decoding

PART = 64  # words of which the largest is found at once
MOST_LIKELY = 256  # words that are sorted; all are where these do not hold enough probability


class Chooser:
    """Chooses the tokens of one reply. What it draws depends on the seed and the prompt alone, not on its neighbours.

    Args:
        decoding: How.
        prompt: Ids that the reply follows.
    """

    def __init__(self, decoding: Decoding, prompt: Sequence[int]) -> None:
        self.decoding, self.said = decoding, list[int]()
        self._known: set[int] = set()
        self._followed: dict[
            tuple[int, ...], list[int]
        ] = {}  # what has followed each stretch of one token less than ``no_repeat``
        self._random = (
            random.Random(int(digest_of([decoding.seed, [int(token) for token in prompt]])[:16], 16))
            if decoding.temperature
            else None
        )

    def adapt(self, logits: Tensor) -> None:
        """Let the logits of one row (vocabulary,) be dearer where they repeat; changed in place."""
        penalty, length = self.decoding.repetition_penalty, self.decoding.no_repeat
        if penalty != 1 and self._known:
            known = torch.tensor(sorted(self._known), device=logits.device)
            held = logits[known]
            logits[known] = torch.where(held < 0, held * penalty, held / penalty)
        if length:
            banned = self._followed.get(self._last(length - 1))
            if banned:
                logits[torch.tensor(banned, device=logits.device)] = -torch.inf

    def draw(self, logits: Tensor) -> int:
        """Return one token of a row of logits, drawn."""
        if self._random is None:
            return int(logits.argmax())
        shares, ids = _likely((logits / self.decoding.temperature).softmax(dim=-1), self.decoding.top_p)
        sums = shares.double().cumsum(dim=-1)
        place = int(torch.searchsorted(sums, self._random.random() * float(sums[-1]), right=True))
        return int(ids[min(place, len(ids) - 1)])

    def take(self, token: int) -> None:
        """Note what the reply goes on with."""
        self.said.append(token)
        self._known.add(token)
        length = self.decoding.no_repeat
        if length and len(self.said) >= length:
            self._followed.setdefault(tuple(self.said[-length:-1]), []).append(token)

    def _last(self, length: int) -> tuple[int, ...]:
        return tuple(self.said[-length:]) if length else ()


def choose(logits: Tensor, choosers: Sequence[Chooser]) -> list[int]:
    """Return the next token of each row; the logits are changed in place."""
    decoding = choosers[0].decoding
    if decoding.repetition_penalty != 1 or decoding.no_repeat:
        for row, chooser in zip(logits, choosers, strict=True):
            chooser.adapt(row)
    if decoding.temperature:
        return [chooser.draw(row) for row, chooser in zip(logits, choosers, strict=True)]
    found: list[int] = largest(logits).tolist()
    return found


def largest(logits: Tensor) -> Tensor:
    """Return where the largest of each row is, the first of equal ones: ``argmax``, which a CPU takes ten times as long for."""
    rows, words = logits.shape
    whole = words // PART * PART
    parts = logits[:, :whole].view(rows, -1, PART)
    if whole < words or not parts.shape[1] or logits.device.type != "cpu":
        return logits.argmax(dim=-1)
    part = parts.amax(dim=-1).argmax(dim=-1)
    return part * PART + parts[torch.arange(rows), part].argmax(dim=-1)


def _likely(shares: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Return the smallest set of words that together have this probability, the most probable first: shares and ids."""
    if top_p >= 1:
        return shares, torch.arange(len(shares), device=shares.device)
    found, ids = shares.topk(min(MOST_LIKELY, len(shares)))
    if float(found.sum()) < top_p:
        found, ids = shares.sort(descending=True)
    count = int((found.cumsum(dim=-1) < top_p).sum()) + 1
    return found[:count], ids[:count]
