"""Words as numbers: the words of many texts hashed in one go, and what is made of them with numpy alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pretune.data.duplicates import WORD
from pretune.hashing import fold

# Words whose hashes are kept for the next text; beyond that the table begins anew, so that it stays small (about 40 MB).
MAX_KNOWN = 250_000

_KNOWN: dict[str, int] = {}
_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xC2B2AE3D27D4EB4F)
_LAST = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of several texts, end to end.

    Args:
        hashes: One 64-bit hash a word, shape (num_words,); case, Unicode form and punctuation aside.
        starts: Where each text begins, and where the last ends, shape (num_texts + 1,).
    """

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Words of each text, shape (num_texts,)."""
        return np.diff(self.starts)


def hash_words(folded: Iterable[str]) -> Words:
    """Return the hashed words of texts that are folded already (``hashing.fold``)."""
    numbers: list[int] = []
    ends = [0]
    for text in folded:
        words = WORD.findall(text)
        try:
            numbers.extend([_KNOWN[word] for word in words])
        except KeyError:
            numbers.extend([_KNOWN.get(word) or _learn(word) for word in words])
        ends.append(len(numbers))
    return Words(np.array(numbers, dtype=np.uint64), np.array(ends, dtype=np.int64))


def words_of(texts: Iterable[str]) -> Words:
    """Return the hashed words of texts."""
    return hash_words(map(fold, texts))


def pairs_of(words: Words) -> NDArray[np.uint64]:
    """Return a hash of each word with the one that follows it, shape (num_words,); the last of a text stands alone."""
    hashes = words.hashes
    pairs = hashes.copy()
    if len(hashes):
        pairs[:-1] = mix(hashes[:-1] * _ODD + hashes[1:] * _OTHER)
        lasts = words.starts[1:][words.sizes > 0] - 1
        pairs[lasts] = hashes[lasts]
    return pairs


def windows_of(words: Words, length: int) -> Words:
    """Return a hash of every ``length`` words in a row; a shorter text counts whole, one without words not at all.

    Returns:
        The windows of each text in place of its words.
    """
    sizes = words.sizes
    counts = np.where(sizes > 0, np.maximum(sizes - length + 1, 1), 0)
    starts = np.concatenate(([0], np.cumsum(counts)))
    place = np.arange(starts[-1]) + np.repeat(words.starts[:-1] - starts[:-1], counts)  # first word of each window
    ends = np.repeat(words.starts[1:], counts)
    value = np.zeros(len(place), dtype=np.uint64)
    for step in range(length):
        here = place + step
        is_inside = here < ends
        word = words.hashes[np.minimum(here, len(words.hashes) - 1)] if len(place) else value
        value = value * _ODD + np.where(is_inside, word, np.uint64(0))
    return Words(mix(value), starts)


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return values whose every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(29))) * _LAST
    return values ^ (values >> np.uint64(32))


def _learn(word: str) -> int:
    if len(_KNOWN) >= MAX_KNOWN:
        _KNOWN.clear()
    number = int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") or 1
    _KNOWN[word] = number
    return number
