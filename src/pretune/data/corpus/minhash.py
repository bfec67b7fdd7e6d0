"""MinHash: a few keys per text, such that nearly equal texts share one of them and other texts hardly ever do.

A key stands for several minima of the text's hashed shingles, its words and pairs of words (``data/alike/duplicates.py``). Two
texts of Jaccard similarity s agree in one minimum with probability s, in a key of r minima with s^r, and in one of b keys
with 1 - (1 - s^r)^b. With 20 keys of 8 minima that is 0.975 at s = 0.8, 0.9999 at 0.9, 0.08 at 0.5 and 10^-7 at 0.1. The
keys are kept, 4 bytes each, with one bit of each of 64 minima, which weeds out most pairs that share a key by chance without
a look at their words: 88 bytes per document.

Source:
    Broder (1997), On the resemblance and containment of documents; Indyk and Motwani (1998), Approximate nearest neighbors;
    Li and König (2010), b-bit minwise hashing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.words import Words, mix, pairs_of

NUM_KEYS = 20
NUM_BITS = 64
WIDTH = NUM_KEYS + NUM_BITS // 32  # 32-bit numbers of one document
MAX_MINIMA = 16
# What the keys must find, of the pairs that are just as similar as the threshold asks.
MIN_RECALL = 0.96

# How many standard deviations fewer equal bits than expected a pair at the threshold may have: one in 30,000 has more.
_MARGIN = 4.0

_FACTOR = np.uint64(0xFF51AFD7ED558CCD)
_NUM_ONES = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)
_FACTORS = np.random.default_rng(20_030).integers(0, 1 << 31, size=NUM_KEYS * MAX_MINIMA, dtype=np.uint32) * np.uint32(
    2
) + np.uint32(1)


def minima_of(threshold: float) -> int:
    """Return how many minima a key stands for: as many as leave the expected recall at the threshold at ``MIN_RECALL``.

    Example:
        >>> minima_of(0.8), minima_of(0.5)
        (8, 2)
    """
    fitting = (number for number in range(MAX_MINIMA, 0, -1) if 1 - (1 - threshold**number) ** NUM_KEYS >= MIN_RECALL)
    return next(fitting, 1)


def keys_of(words: Words, num_minima: int) -> NDArray[np.uint32]:
    """Return the keys of texts that all have words, and then the bits, shape (num_texts, ``WIDTH``).

    Args:
        words: Of the texts.
        num_minima: For how many minima a key stands.
    """
    shingles = ((words.hashes >> np.uint64(32)).astype(np.uint32), (pairs_of(words) >> np.uint64(32)).astype(np.uint32))
    starts = words.starts[:-1]
    keys = np.zeros((len(words), WIDTH), dtype=np.uint32)
    if not len(words):
        return keys
    scratch = np.empty_like(shingles[0])

    def minima(index: int) -> NDArray[np.uint64]:
        # A product with an odd number is a permutation of the 32-bit numbers.
        found = [np.minimum.reduceat(np.multiply(item, _FACTORS[index], out=scratch), starts) for item in shingles]
        return mix(np.minimum(*found).astype(np.uint64) * _FACTOR)

    for index in range(max(NUM_KEYS * num_minima, NUM_BITS)):
        value, column = minima(index), index // num_minima
        if index < NUM_BITS:
            keys[:, NUM_KEYS + index // 32] |= (value & np.uint64(1)).astype(np.uint32) << np.uint32(index % 32)
        if column < NUM_KEYS:
            keys[:, column] = keys[:, column] * np.uint32(0x9E3779B1) + (value >> np.uint64(32)).astype(np.uint32)
    return keys


def may_be_near(first: NDArray[np.uint32], second: NDArray[np.uint32], threshold: float) -> NDArray[np.bool_]:
    """Return which pairs have enough bits in common to be near.

    Args:
        first: Keys and bits of one document of each pair, shape (num_pairs, ``WIDTH``).
        second: Of the other.
        threshold: Jaccard similarity; two bits are equal with probability (1 + threshold) / 2.
    """
    differ = np.ascontiguousarray(first[:, NUM_KEYS:] ^ second[:, NUM_KEYS:]).view(np.uint16)
    equal = NUM_BITS - _NUM_ONES[differ].sum(axis=1, dtype=np.int64)
    share = (1 + threshold) / 2
    least = NUM_BITS * share - _MARGIN * math.sqrt(NUM_BITS * share * (1 - share))
    found: NDArray[np.bool_] = equal >= math.floor(least)
    return found
