"""Stretches: words in a row that a reply says again and again, or that a reply of training has."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from pretune.hashing import fold

# A reply loops where it says this many words in a row this often. Of human replies hardly any does (docs/decisions).
LOOP_WORDS, LOOP_TIMES = 4, 4
# Words in a row that two people hardly write alike: those of ``leakage.corpus``.
COPIED_WORDS = 13

Hashes = npt.NDArray[np.uint64]
_WORD = re.compile(r"\w+")
_ODD, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


def words_of(text: str) -> list[str]:
    """Return the words of a text, case, Unicode form and punctuation aside."""
    return _WORD.findall(fold(text))


def is_loop(text: str) -> bool:
    """Return whether a text says four words in a row four times.

    Example:
        >>> is_loop("ask your doctor now " * 4), is_loop("ask your doctor now " * 3)
        (True, False)
    """
    words = words_of(text)
    found = Counter(zip(*(words[start:] for start in range(LOOP_WORDS)), strict=False))
    return max(found.values(), default=0) >= LOOP_TIMES


@lru_cache(maxsize=1)  # figures and checks ask the same of the same texts
def known_of(texts: tuple[str, ...]) -> "Known":
    """Return the stretches of some texts, remembering the last ones."""
    return Known(texts)


class Known:
    """The stretches of 13 words of some texts.

    Args:
        texts: Replies of training.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._numbers: dict[str, int] = {}
        parts = [self._windows(text) for text in texts]
        self._hashes = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)

    def copied(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the share of the words of each text that lie in a stretch of 13 known ones, shape (num_texts,)."""
        return np.array([self._share(text) for text in texts], dtype=np.float64)

    def _share(self, text: str) -> float:
        windows = self._windows(text)
        if not len(windows) or not len(self._hashes):
            return 0.0
        found = np.minimum(np.searchsorted(self._hashes, windows), len(self._hashes) - 1)
        is_known = np.flatnonzero(self._hashes[found] == windows)
        covered = np.zeros(len(windows) + COPIED_WORDS, np.int64)  # +1 where a stretch begins, -1 where it ends
        np.add.at(covered, is_known, 1)
        np.add.at(covered, is_known + COPIED_WORDS, -1)
        return float((covered.cumsum()[:-1] > 0).mean())

    def _windows(self, text: str) -> Hashes:
        """Return a hash of every 13 words in a row."""
        numbers = np.array([self._number(word) for word in words_of(text)], dtype=np.uint64)
        count = len(numbers) - COPIED_WORDS + 1
        if count < 1:
            return np.zeros(0, np.uint64)
        value = numbers[:count].copy()
        for step in range(1, COPIED_WORDS):
            value = value * _ODD + numbers[step : step + count]
        return (value ^ (value >> np.uint64(29))) * _MIX

    def _number(self, word: str) -> int:
        known = self._numbers.get(word)
        if known is None:
            known = int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
            self._numbers[word] = known
        return known
