"""Similar sets: which pairs out of many sets have a Jaccard similarity at or above a threshold?

An exact join rather than MinHash: with shingles ordered from rare to frequent, two sets that are similar enough must share one
of their first n - ⌈threshold · n⌉ + 1, so only texts that meet there are compared. Rare shingles have short
lists, so this is both faster than MinHash with enough permutations and misses nothing.

Source:
    Chaudhuri, Ganti and Kaushik (2006), A primitive operator for similarity joins; Bayardo, Ma and Srikant (2007),
    Scaling up all pairs similarity search.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Shingles = Sequence[NDArray[np.uint64]]  # per text its distinct 48-bit hashes: two unlike texts of 1,000 collide once in 10^8

# In a list of texts that share one rare shingle, each is compared with so many that follow in order of size.
# Lists longer than this are templates ("your code is ..."), whose texts are tied together by their neighbours.
# So work and memory stay linear in the number of texts; what may be missed is a pair in a list of over 200.
MAX_NEIGHBOURS = 200
SKETCH_BITS = 1024
BLOCK = 1 << 17  # pairs looked at in one go: 2 × 16 MB of sketches

_NUM_BITS = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)


def similar_pairs(sets: Shingles, *, threshold: float, roots: Callable[[], NDArray[np.int64]]) -> Iterator[tuple[int, int]]:
    """Yield pairs that are similar and not yet tied together.

    Args:
        sets: One array of distinct hashes a text.
        threshold: Jaccard similarity from which a pair counts, in (0, 1].
        roots: Returns the cluster of each text as it is now, shape (num_texts,); pairs of one cluster are passed over.
    """
    by_rarity = _sort_by_rarity(sets)
    sizes = np.array([len(item) for item in sets], dtype=np.int64)
    sketches = np.array([_sketch(item) for item in sets]).reshape(len(sets), SKETCH_BITS // 16)
    for left, right in _candidates(by_rarity, sizes, threshold):
        clusters = roots()
        for start in range(0, len(left), BLOCK):
            block = slice(start, start + BLOCK)
            first, second = left[block], right[block]
            apart = clusters[first] != clusters[second]
            first, second = first[apart], second[apart]
            near = _may_be_similar(sketches[first], sketches[second], sizes[first] + sizes[second], threshold)
            for a, b in zip(first[near].tolist(), second[near].tolist(), strict=True):
                if jaccard(by_rarity[a], by_rarity[b]) >= threshold:
                    yield a, b


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Return the share that two sets of distinct hashes have in common; two empty sets have nothing."""
    both = np.concatenate((first, second))
    both.sort()
    num_common = int(np.count_nonzero(both[1:] == both[:-1]))
    return num_common / max(len(both) - num_common, 1)


def _sort_by_rarity(sets: Shingles) -> list[NDArray[np.uint64]]:
    """Put the number of texts that have a hash into its top 16 bits, and sort.

    The counts are those of a table smaller than the hashes: too high now and then, which costs time and never a pair.
    """
    num_hashes = sum(len(item) for item in sets)
    mask = np.uint64((1 << min(max(num_hashes.bit_length(), 10), 24)) - 1)
    counts = np.zeros(int(mask) + 1, dtype=np.uint32)
    for item in sets:
        counts[item & mask] += np.uint32(1)  # once a text, also where two of its hashes meet: the order only has to be one
    counts = np.minimum(counts, 0xFFFF)
    return [np.sort(item | (counts[item & mask].astype(np.uint64) << np.uint64(48))) for item in sets]


def _candidates(
    by_rarity: Shingles, sizes: NDArray[np.int64], threshold: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield arrays of left and right members of pairs that share one of their rarest hashes."""
    num_first = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1
    rarest = [item[:number] for item, number in zip(by_rarity, num_first.tolist(), strict=True) if len(item)]
    if not rarest:
        return
    code = np.concatenate(rarest)
    text = np.repeat(np.flatnonzero(sizes), num_first[sizes > 0])
    repeated = code >= np.uint64(2 << 48)  # a hash that one text has leads nowhere
    code, text = code[repeated], text[repeated]
    order = np.lexsort((sizes[text], code))
    code, text = code[order], text[order]
    here = np.arange(len(code))
    for shift in range(1, MAX_NEIGHBOURS + 1):
        here = here[: np.searchsorted(here, len(code) - shift)]
        here = here[code[here] == code[here + shift]]
        here = here[sizes[text[here]] >= threshold * sizes[text[here + shift]] - 1e-9]  # later ones are longer still
        if not len(here):
            return
        yield text[here], text[here + shift]


def _sketch(hashes: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return, for each of 1,024 buckets, whether an odd number of hashes falls into it."""
    odd = np.bincount((hashes % np.uint64(SKETCH_BITS)).astype(np.int64), minlength=SKETCH_BITS) & 1
    return np.packbits(odd.astype(np.uint8)).view(np.uint16)


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
