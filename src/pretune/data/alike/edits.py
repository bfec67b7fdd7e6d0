"""Edited texts: which pairs out of many sequences are at most a few edits apart?

An edit replaces, inserts or deletes one symbol. If the shorter sequence is cut into one segment more than the edits allowed,
at least one segment occurs unchanged in the longer one, shifted by no more places than there are edits. So only pairs that
share such a segment are compared, and these exactly.

Source:
    Li, Deng, Wang and Feng (2011), Pass-Join: a partition-based method for similarity joins.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.ragged import Numbers, Ragged

Signs = Ragged[np.uint32]  # code points of letters, or numbers of words

# Of the texts that share a segment, this many are compared with each text that asks: see ``similar.MAX_NEIGHBOURS``.
MAX_NEIGHBOURS = 200
NUM_BUCKETS = 64
# Texts of a band, and all others of its last length: with those a few signs shorter some 250,000, or 150 MB.
BAND = 100_000
BLOCK = 1 << 14  # pairs compared in one go: 2 x 20 MB for pairs of 300 letters
PART = 1 << 20  # signs hashed in one go: 8 MB an array

_BASE = 0x9E3779B97F4A7C15  # odd, so that it can be divided by modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xC2B2AE3D27D4EB4F)


def edited_pairs(
    rows: Numbers,
    lengths: Numbers,
    signs_of: Callable[[Numbers], Signs],
    *,
    max_edits: int,
    roots: Callable[[Numbers], Numbers],
) -> Iterator[tuple[int, int]]:
    """Yield pairs that are at most ``max_edits`` edits apart and not yet tied together.

    The texts are worked off in bands of lengths, so that only one band's signs are held at a time.

    Args:
        rows: The texts, rising, shape (num_texts,); those of ``max_edits`` signs or fewer are passed over.
        lengths: How many signs each has, shape (num_texts,).
        signs_of: Returns the signs of some of the rows.
        max_edits: Edits from one text to the other, 0 or more.
        roots: Returns the clusters of some rows as they are now; pairs of one cluster are passed over.
    """
    order = np.argsort(lengths, kind="stable")
    rows, lengths = rows[order], lengths[order]
    for low, first, last in _bands(lengths, max_edits):
        yield from _pairs_of_band(rows[low:last], first - low, signs_of, max_edits, roots)


def _bands(lengths: Numbers, max_edits: int) -> Iterator[tuple[int, int, int]]:
    """Yield, of texts in order of length, where those begin that a band may pair with, where the band does, and where it ends.

    A band has all texts of a length or none, so that who meets whom does not depend on how bands are cut.
    """
    first = 0
    while first < len(lengths):
        last = int(np.searchsorted(lengths, lengths[min(first + BAND, len(lengths)) - 1], side="right"))
        yield int(np.searchsorted(lengths, lengths[first] - max_edits)), first, last
        first = last


def _pairs_of_band(
    rows: Numbers, first: int, signs_of: Callable[[Numbers], Signs], max_edits: int, roots: Callable[[Numbers], Numbers]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of one text from ``first`` on and one that is no longer."""
    signs = signs_of(rows)
    counts = _count_signs(signs)
    for left, right in _candidates(signs, first, max_edits):
        apart = roots(rows[left]) != roots(rows[right])
        left, right = left[apart], right[apart]
        # An edit takes one sign out of a bucket and puts one into another.
        alike = np.abs(counts[left] - counts[right]).sum(axis=1) <= 2 * max_edits
        left, right = left[alike], right[alike]
        near = within_edits(signs, left, right, max_edits=max_edits)
        yield from zip(rows[left[near]].tolist(), rows[right[near]].tolist(), strict=True)


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
    a = _padded(signs, first, before=0, width=longest, empty=0xFFFFFFFF).T
    b = _padded(signs, second, before=max_edits, width=longest + columns, empty=0xFFFFFFFE).T
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


def _padded(signs: Signs, rows: Numbers, *, before: int, width: int, empty: int) -> NDArray[np.uint32]:
    """Return these rows, moved right by ``before`` and filled with ``empty`` up to ``width``, shape (num_rows, width)."""
    place = np.arange(width) - before
    inside = (place >= 0) & (place < signs.lengths[rows, None])
    found = signs.flat[np.where(inside, signs.starts[rows, None] + place, 0)]
    return np.where(inside, found, np.uint32(empty))


def _count_signs(signs: Signs) -> NDArray[np.int16]:
    """Return how many signs of each text fall into each bucket, shape (num_texts, 64)."""
    counts = np.empty((len(signs), NUM_BUCKETS), dtype=np.int16)
    for first, part in signs.parts(PART):
        cells = np.repeat(np.arange(len(part)) * NUM_BUCKETS, part.lengths) + part.flat % NUM_BUCKETS
        found = np.bincount(cells, minlength=len(part) * NUM_BUCKETS).reshape(-1, NUM_BUCKETS)
        counts[first : first + len(part)] = np.minimum(found, np.iinfo(np.int16).max)
    return counts


def _candidates(signs: Signs, num_known: int, max_edits: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield pairs of a text and one no longer that have a segment of the latter in common, at about the same place.

    The first ``num_known`` texts are those of the band before; their own pairs have been yielded with it.
    """
    keys, owners = _index(signs, max_edits)
    is_key = np.zeros(1 << (16 * len(keys)).bit_length(), dtype=np.bool_)  # quick to ask; one in 16 to 32 says yes by chance
    mask = np.uint64(len(is_key) - 1)
    is_key[keys & mask] = True
    for first, part in signs.part(num_known, len(signs)).parts(PART):
        hashes = _Hashes(part)
        asked = [hashes.keys(shorter=d, segment=i, shift=s, max_edits=max_edits) for d, i, s in _places(max_edits)]
        wanted, texts = (np.concatenate(arrays) for arrays in zip(*asked, strict=True))
        found = is_key[wanted & mask]
        wanted, texts = wanted[found], texts[found] + (num_known + first)
        low, high = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
        for _ in range(MAX_NEIGHBOURS):
            here = low < high
            low, high, texts = low[here], high[here], texts[here]
            if not len(texts):
                break
            others = owners[low] != texts
            pairs = np.unique(texts[others] * len(signs) + owners[low[others]])
            for start in range(0, len(pairs), BLOCK):
                left, right = np.divmod(pairs[start : start + BLOCK], len(signs))
                yield left, right
            low = low + 1


def _index(signs: Signs, max_edits: int) -> tuple[NDArray[np.uint64], Numbers]:
    """Return the keys of all texts' segments, rising, and whose each is; texts of one key stay in order."""
    found = []
    for first, part in signs.parts(PART):
        hashes = _Hashes(part)
        for number in range(max_edits + 1):
            keys, texts = hashes.keys(shorter=0, segment=number, shift=0, max_edits=max_edits)
            found.append((keys, texts + first))
    keys, owners = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    order = np.argsort(keys, kind="stable")
    return keys[order], owners[order]


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
        place = np.arange(len(signs.flat)) - np.repeat(signs.starts[:-1], signs.lengths)
        self._sums = np.zeros(len(signs.flat) + 1, dtype=np.uint64)
        np.cumsum((signs.flat.astype(np.uint64) + np.uint64(1)) * powers[place], out=self._sums[1:])
        self._signs, self._lengths = signs, signs.lengths

    def keys(self, *, shorter: int, segment: int, shift: int, max_edits: int) -> tuple[NDArray[np.uint64], Numbers]:
        """Return keys of the stretches where that segment of a text ``shorter`` by so many would stand, and their texts."""
        lengths = self._lengths - shorter
        starts, ends = (lengths * number // (max_edits + 1) + shift for number in (segment, segment + 1))
        texts = np.flatnonzero((lengths > max_edits) & (starts >= 0) & (ends <= self._lengths))
        lengths, starts, ends, offset = lengths[texts], starts[texts], ends[texts], self._signs.starts[texts]
        hashed = (self._sums[offset + ends] - self._sums[offset + starts]) * self._inverse[starts]
        salt = (lengths * (max_edits + 1) + segment).astype(np.uint64)
        return (hashed ^ (salt * _MIX)) * np.uint64(_BASE), texts
