"""Prints: the fingerprints of many texts as 64-bit numbers."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pretune.hashing import fingerprint

Prints = NDArray[np.uint64]


def fingerprints_of(texts: Iterable[str]) -> Prints:
    """Return the fingerprint of each text, in their order."""
    return np.array([int(fingerprint(text), 16) for text in texts], dtype=np.uint64)


def distinct_fingerprints(texts: Iterable[str]) -> Prints:
    """Return the fingerprints of the distinct texts, rising."""
    return np.unique(fingerprints_of(texts))
