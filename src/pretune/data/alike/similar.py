"""Similar sets: which pairs out of many sets have a Jaccard similarity at or above a threshold?

This is an exact join rather than MinHash. With shingles ordered from rare to frequent, two sets that are similar enough share
one of their first n - ⌈threshold · n⌉ + 1, so only texts that meet there are compared. Rare shingles have short lists, so
the join is faster than MinHash with enough permutations, and it misses nothing.

Source:
    Chaudhuri, Ganti and Kaushik (2006), A primitive operator for similarity joins; Bayardo, Ma and Srikant (2007),
    Scaling up all pairs similarity search.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.ragged import Numbers, Ragged

# Per text its distinct 48-bit hashes, rising: two unlike texts of 1,000 collide once in 10^8.
Shingles = Ragged[np.uint64]
Pairs = tuple[Numbers, Numbers]

# In a list of texts that share one rare shingle, each is compared with so many that follow in order of size.
# Lists longer than this are templates ("your code is ..."), whose texts are tied together by their neighbours.
# So work and memory stay linear in the number of texts; what may be missed is a pair in a list of over 200.
MAX_NEIGHBOURS = 200
HASH_BITS = 48
SKETCH_BITS = 1 << 10
COARSE_BITS = 64  # of a sketch folded to 8 bytes a text, which stay in the cache: enough to tell most short texts apart
BLOCK = 1 << 16  # pairs looked at in one go: 2 × 8 MB of sketches
PART = 1 << 18  # hashes looked at in one go: 2 MB an array

_NUM_BITS = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)


def similar_pairs(sets: Shingles, *, threshold: float, roots: Callable[[Numbers], Numbers]) -> Iterator[tuple[int, int]]:
    """Yield pairs that are similar and not yet tied together.

    Args:
        sets: Of each text.
        threshold: Jaccard similarity from which a pair counts, in (0, 1].
        roots: Returns the clusters of some texts as they are now; pairs of one cluster are passed over.
    """
    sizes = sets.lengths
    code, text = _sort_rarest(sets, threshold)
    sketches = _sketch(sets)
    coarse = np.bitwise_xor.reduce(sketches.reshape(-1, SKETCH_BITS // COARSE_BITS, COARSE_BITS // 16), axis=1)
    for first, second in _candidates(code, text, sizes, threshold):
        apart = roots(first) != roots(second)
        first, second = first[apart], second[apart]
        for sketch in (coarse, sketches):
            near = _may_be_similar(sketch[first], sketch[second], sizes[first] + sizes[second], threshold)
            first, second = first[near], second[near]
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            if jaccard(sets[a], sets[b]) >= threshold:
                yield a, b


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Return the share that two sets of distinct hashes have in common; two empty sets have nothing."""
    both = np.concatenate((first, second))
    both.sort()
    num_common = int(np.count_nonzero(both[1:] == both[:-1]))
    return num_common / max(len(both) - num_common, 1)


def _sort_rarest(sets: Shingles, threshold: float) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return the rarest hashes of all texts that another text may have too, and whose each is: by hash, then size of text."""
    found = list(_rarest(sets, _count_texts(sets), threshold))
    if not found:
        return np.empty(0, np.uint64), np.empty(0, np.int32)
    code, text = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    del found
    order = np.lexsort((sets.lengths.astype(np.int32)[text], code))
    return code[order], text[order]


def _rarest(
    sets: Shingles, counts: NDArray[np.uint16], threshold: float
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int32]]]:
    """Yield the rarest hashes of a few texts, with the number of texts that have it in its top 16 bits, and their owners.

    Two similar texts have one of these in common. A hash that one text has leads nowhere and is left out.
    """
    mask = np.uint64(len(counts) - 1)
    for first, part in sets.parts(PART):
        code = part.flat | (counts[part.flat & mask].astype(np.uint64) << np.uint64(HASH_BITS))
        sizes = part.lengths
        for size in np.unique(sizes[sizes > 0]).tolist():
            rows = np.flatnonzero(sizes == size)
            num_first = size - int(np.ceil(threshold * size - 1e-9)) + 1
            rarest = np.sort(code[part.starts[rows, None] + np.arange(size)], axis=1)[:, :num_first]
            row, column = np.nonzero(rarest >= np.uint64(2 << HASH_BITS))
            yield rarest[row, column], (first + rows[row]).astype(np.int32)


def _count_texts(sets: Shingles) -> NDArray[np.uint16]:
    """Return in how many texts a hash is, up to 65,535, in a table of a power of two cells that its low bits point into.

    The table is smaller than the hashes: counts are too high now and then, which costs time and never a pair.
    """
    mask = (1 << min(max(len(sets.flat).bit_length(), 10), 24)) - 1
    counts = np.zeros(mask + 1, dtype=np.uint32)
    for _, part in sets.parts(PART):
        owners = np.repeat(np.arange(len(part), dtype=np.uint64), part.lengths)
        cells = np.sort(owners << np.uint64(24) | part.flat & np.uint64(mask))
        once = cells[np.diff(cells, prepend=~cells[:1]) != 0]  # a text counts once, also where two of its hashes meet
        np.add.at(counts, once & np.uint64(mask), np.uint32(1))
    return np.minimum(counts, 0xFFFF).astype(np.uint16)


def _candidates(code: NDArray[np.uint64], text: NDArray[np.int32], sizes: Numbers, threshold: float) -> Iterator[Pairs]:
    """Yield arrays of left and right members of pairs that share one of their rarest hashes."""
    here = np.arange(len(code))
    for shift in range(1, MAX_NEIGHBOURS + 1):
        if not len(here):
            return
        parts = [here[start : start + PART] for start in range(0, len(here), PART)]
        here = np.concatenate([_that_meet(part, shift, code, text, sizes, threshold) for part in parts])
        for start in range(0, len(here), BLOCK):
            block = here[start : start + BLOCK]
            yield text[block].astype(np.int64), text[block + shift].astype(np.int64)


def _that_meet(
    here: Numbers, shift: int, code: NDArray[np.uint64], text: NDArray[np.int32], sizes: Numbers, threshold: float
) -> Numbers:
    """Return those places whose hash is also that of the place so much further on, in a text not too long for them."""
    here = here[here < len(code) - shift]
    here = here[code[here] == code[here + shift]]
    return here[sizes[text[here]] >= threshold * sizes[text[here + shift]] - 1e-9]  # later ones are longer still


def _sketch(sets: Shingles) -> NDArray[np.uint16]:
    """Return, for each of 1,024 buckets, whether an odd number of hashes falls into it, shape (num_texts, 64)."""
    width = SKETCH_BITS // 16
    sketches = np.zeros((len(sets), width), dtype=np.uint16)
    for first, part in sets.parts(PART):
        bucket = part.flat >> np.uint64(HASH_BITS - 10)  # their first bits: rising, so that what falls together lies together
        cell = np.repeat(np.arange(len(part)) * width, part.lengths) + (bucket >> np.uint64(4)).astype(np.int64)
        bit = np.uint16(1) << (bucket & np.uint64(15)).astype(np.uint16)
        begins = np.flatnonzero(np.diff(cell, prepend=-1))
        if len(begins):
            sketches[first : first + len(part)].reshape(-1)[cell[begins]] = np.bitwise_xor.reduceat(bit, begins)
    return sketches


def _may_be_similar(
    first: NDArray[np.uint16], second: NDArray[np.uint16], total: NDArray[np.int64], threshold: float
) -> NDArray[np.bool_]:
    """Rule out pairs by their sketches.

    Buckets whose parity differs are at most as many as hashes that only one set has, and a similar
    pair has no more than (1 - threshold) / (1 + threshold) of its total such hashes. So this never rules out too much.
    """
    num_different = _NUM_BITS[first ^ second].sum(axis=1, dtype=np.int64)
    possible: NDArray[np.bool_] = num_different <= (1 - threshold) / (1 + threshold) * total + 1e-9
    return possible
