"""Edited texts: which pairs out of many sequences are at most a few edits apart?

An edit replaces, inserts or deletes one sign. Cut into one segment more than there may be edits, at least one segment of the
shorter sequence stands unchanged in the longer one, moved by no more places than there are edits. So only pairs that share
such a segment are compared, and these exactly.

Source:
    Li, Deng, Wang and Feng (2011), Pass-Join: a partition-based method for similarity joins.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of the texts that share a segment, this many are compared with each text that asks: see ``similar.MAX_NEIGHBOURS``.
MAX_NEIGHBOURS = 200
NUM_BUCKETS = 64
BLOCK = 1 << 14  # pairs compared, or texts looked up, in one go: 2 x 20 MB for pairs of 300 letters

_BASE = 0x9E3779B97F4A7C15  # odd, so that it can be divided by modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xC2B2AE3D27D4EB4F)

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Signs:
    """Sequences of signs, one after the other.

    Args:
        flat: All signs: code points of letters, or numbers of words.
        starts: Where each sequence starts, shape (num_texts,).
        lengths: How long it is, shape (num_texts,).
    """

    flat: NDArray[np.uint32]
    starts: Numbers
    lengths: Numbers

    @staticmethod
    def of(sequences: Sequence[NDArray[np.uint32]]) -> "Signs":
        """Put sequences into one array."""
        lengths = np.array([len(item) for item in sequences], dtype=np.int64)
        flat = np.concatenate(sequences) if len(sequences) else np.empty(0, np.uint32)
        return Signs(flat, np.cumsum(lengths) - lengths, lengths)

    def padded(self, rows: Numbers, *, before: int, width: int, empty: int) -> NDArray[np.uint32]:
        """Return these rows, moved right by ``before`` and filled with ``empty`` up to ``width``, shape (num_rows, width)."""
        place = np.arange(width) - before
        inside = (place >= 0) & (place < self.lengths[rows, None])
        found = self.flat[np.where(inside, self.starts[rows, None] + place, 0)]
        return np.where(inside, found, np.uint32(empty))


def edited_pairs(signs: Signs, *, max_edits: int, roots: Callable[[], Numbers]) -> Iterator[tuple[int, int]]:
    """Yield pairs that are at most ``max_edits`` edits apart and not yet tied together.

    Args:
        signs: The texts; those of ``max_edits`` signs or fewer are passed over.
        max_edits: Edits from one text to the other, 0 or more.
        roots: Returns the cluster of each text as it is now, shape (num_texts,); pairs of one cluster are passed over.
    """
    counts = _count_signs(signs)
    for left, right in _candidates(signs, max_edits):
        clusters = roots()
        apart = clusters[left] != clusters[right]
        left, right = left[apart], right[apart]
        # An edit takes one sign out of a bucket and puts one into another.
        alike = np.abs(counts[left] - counts[right]).sum(axis=1) <= 2 * max_edits
        left, right = left[alike], right[alike]
        near = within_edits(signs, left, right, max_edits=max_edits)
        yield from zip(left[near].tolist(), right[near].tolist(), strict=True)


def within_edits(signs: Signs, first: Numbers, second: Numbers, *, max_edits: int) -> NDArray[np.bool_]:
    """Return which pairs are at most so many edits apart: Levenshtein's table near its diagonal, for all pairs at once.

    Args:
        signs: The texts.
        first: Rows of the one text of each pair, shape (num_pairs,).
        second: Rows of the other, shape (num_pairs,).
        max_edits: Edits allowed.
    """
    lengths, others = signs.lengths[first], signs.lengths[second]
    longest, columns, far = int(lengths.max(initial=0)), 2 * max_edits + 1, max_edits + 1
    a = signs.padded(first, before=0, width=longest, empty=0xFFFFFFFF).T
    b = signs.padded(second, before=max_edits, width=longest + columns, empty=0xFFFFFFFE).T
    # Column k of row i: edits between the first i signs of one text and the first i + k - max_edits of the other.
    row = np.full((columns, len(first)), far, dtype=np.int8)
    row[max_edits:] = np.arange(far)[:, None]
    last, result = others - lengths + max_edits, np.full(len(first), far, dtype=np.int8)
    for place in range(longest + 1):
        ended = np.flatnonzero((lengths == place) & (last >= 0) & (last < columns))
        result[ended] = row[last[ended], ended]
        if place == longest:
            break
        for column in range(columns):
            best = row[column] + (a[place] != b[place + column])
            if column + 1 < columns:
                best = np.minimum(best, row[column + 1] + 1)
            if column:
                best = np.minimum(best, row[column - 1] + 1)
            row[column] = np.minimum(best, far)
    near: NDArray[np.bool_] = result <= max_edits
    return near


def _count_signs(signs: Signs) -> NDArray[np.int16]:
    """Return how many signs of each text fall into each bucket, shape (num_texts, 64)."""
    texts = np.repeat(np.arange(len(signs.lengths)), signs.lengths)
    cells = texts * NUM_BUCKETS + signs.flat % NUM_BUCKETS
    counts = np.bincount(cells, minlength=len(signs.lengths) * NUM_BUCKETS).reshape(-1, NUM_BUCKETS)
    return np.minimum(counts, np.iinfo(np.int16).max).astype(np.int16)


def _candidates(signs: Signs, max_edits: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield pairs of a text and one no longer that have a segment of the latter in common, at about the same place."""
    if not len(signs.lengths):
        return
    hashes = _Hashes(signs)
    everyone = np.arange(len(signs.lengths))
    segments = [
        hashes.keys(everyone, shorter=0, segment=number, shift=0, max_edits=max_edits) for number in range(max_edits + 1)
    ]
    keys, owners = (np.concatenate(parts) for parts in zip(*segments, strict=True))
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    for start in range(0, len(everyone), BLOCK):
        block = everyone[start : start + BLOCK]
        asked = [hashes.keys(block, shorter=d, segment=i, shift=s, max_edits=max_edits) for d, i, s in _places(max_edits)]
        wanted, texts = (np.concatenate(parts) for parts in zip(*asked, strict=True))
        low, high = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
        for _ in range(MAX_NEIGHBOURS):
            here = low < high
            low, high, texts = low[here], high[here], texts[here]
            if not len(texts):
                break
            pairs = np.unique(texts * len(everyone) + owners[low])
            for part in range(0, len(pairs), BLOCK):
                left, right = np.divmod(pairs[part : part + BLOCK], len(everyone))
                yield left, right
            low = low + 1


def _places(max_edits: int) -> list[tuple[int, int, int]]:
    """Return (how much shorter the other text is, its segment, how far that has moved): where one segment must stand unchanged.

    Of the edits, at least as many as the segment has moved lie before it, and those that make up the rest of the
    difference in length behind; the first unchanged segment has one edit in each before it.
    """
    return [
        (shorter, segment, shift)
        for shorter in range(max_edits + 1)
        for segment in range(max_edits + 1)
        for shift in range(-max_edits, max_edits + 1)
        if abs(shift) <= segment and abs(shift - shorter) <= max_edits - segment
    ]


class _Hashes:
    """Hashes of any stretch of any text, from sums of its signs times rising powers."""

    def __init__(self, signs: Signs) -> None:
        longest = int(signs.lengths.max())
        base, inverse = (np.full(longest, number, dtype=np.uint64) for number in (_BASE, _INVERSE))
        base[:1] = inverse[:1] = 1
        powers, self._inverse = np.cumprod(base), np.cumprod(inverse)
        place = np.arange(len(signs.flat)) - np.repeat(signs.starts, signs.lengths)
        self._sums = np.zeros(len(signs.flat) + 1, dtype=np.uint64)
        np.cumsum((signs.flat.astype(np.uint64) + np.uint64(1)) * powers[place], out=self._sums[1:])
        self._signs = signs

    def keys(
        self, texts: Numbers, *, shorter: int, segment: int, shift: int, max_edits: int
    ) -> tuple[NDArray[np.uint64], Numbers]:
        """Return keys of the stretches where that segment of a text ``shorter`` by so many would stand, and their texts."""
        lengths = self._signs.lengths[texts] - shorter
        starts, ends = (lengths * number // (max_edits + 1) + shift for number in (segment, segment + 1))
        inside = (lengths > max_edits) & (starts >= 0) & (ends <= self._signs.lengths[texts])
        texts, lengths, starts, ends = texts[inside], lengths[inside], starts[inside], ends[inside]
        offset = self._signs.starts[texts]
        hashed = (self._sums[offset + ends] - self._sums[offset + starts]) * self._inverse[starts]
        salt = (lengths * (max_edits + 1) + segment).astype(np.uint64)
        return (hashed ^ (salt * _MIX)) * np.uint64(_BASE), texts
