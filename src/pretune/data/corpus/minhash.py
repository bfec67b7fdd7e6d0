"""MinHash: for each text a few keys, such that texts that are nearly the same share one of them, and others hardly ever.

A key stands for several minima of the text's hashed shingles, its words and pairs of words (``data/duplicates.py``). Two
texts of Jaccard similarity s agree in one minimum with probability s, in a key of r minima with s^r, and in one of b keys
with 1 - (1 - s^r)^b. With 20 keys of 8 minima that is 0.975 at s = 0.8, 0.9999 at 0.9, 0.08 at 0.5 and 10^-7 at 0.1. The
keys, 4 bytes each, are all that is kept: 80 bytes a document.

Source:
    Broder (1997), On the resemblance and containment of documents; Indyk and Motwani (1998), Approximate nearest neighbors.
"""

import numpy as np
from numpy.typing import NDArray

from pretune.data.words import Words, mix, pairs_of

NUM_KEYS = 20
MAX_MINIMA = 16
# What the keys must find, of the pairs that are just as similar as the threshold asks.
MIN_RECALL = 0.96

_FACTORS = np.random.default_rng(20_030).integers(0, 1 << 31, size=NUM_KEYS * MAX_MINIMA, dtype=np.uint32) * np.uint32(
    2
) + np.uint32(1)


def minima_of(threshold: float) -> int:
    """Return how many minima a key shall stand for: as many as leave the expected recall at the threshold at ``MIN_RECALL``.

    Example:
        >>> minima_of(0.8), minima_of(0.5)
        (8, 2)
    """
    fitting = (number for number in range(MAX_MINIMA, 0, -1) if 1 - (1 - threshold**number) ** NUM_KEYS >= MIN_RECALL)
    return next(fitting, 1)


def keys_of(words: Words, num_minima: int) -> NDArray[np.uint32]:
    """Return the keys of texts that all have words, shape (num_texts, ``NUM_KEYS``).

    Args:
        words: Of the texts.
        num_minima: For how many minima a key stands.
    """
    shingles = ((words.hashes >> np.uint64(32)).astype(np.uint32), (pairs_of(words) >> np.uint64(32)).astype(np.uint32))
    starts = words.starts[:-1]
    keys = np.empty((len(words), NUM_KEYS), dtype=np.uint32)
    if not len(words):
        return keys
    scratch = np.empty_like(shingles[0])
    for index in range(NUM_KEYS):
        value = np.full(len(words), index + 1, dtype=np.uint64)
        for factor in _FACTORS[index * num_minima : (index + 1) * num_minima]:
            # A product with an odd number is a permutation of the 32-bit numbers.
            lowest = [np.minimum.reduceat(np.multiply(item, factor, out=scratch), starts) for item in shingles]
            value = mix(value + np.minimum(*lowest).astype(np.uint64) * np.uint64(0xFF51AFD7ED558CCD))
        keys[:, index] = (value >> np.uint64(32)).astype(np.uint32)
    return keys
