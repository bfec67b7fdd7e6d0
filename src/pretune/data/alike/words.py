"""Words as numbers: the words of many texts, hashed in one pass and processed with numpy alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.duplicates import words_in
from pretune.hashing import fold

# Words whose hashes are kept for the next text; beyond that the table starts again, so that it stays small (about 40 MB).
MAX_KNOWN = 250_000

_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xC2B2AE3D27D4EB4F)
_LAST = np.uint64(0xBF58476D1CE4E5B9)


class _Known(dict[str, int]):
    """The hash of each word that has been met."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MAX_KNOWN:
            self.clear()
        number = int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        self[word] = number
        return number


_KNOWN = _Known()


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
        numbers.extend(map(_KNOWN.__getitem__, words_in(text)))
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
    ahead = np.concatenate((words.hashes, np.zeros(length - 1, dtype=np.uint64)))
    value = ahead[: len(words.hashes)].copy()  # of the window that begins at each word, whichever texts it runs into
    for step in range(1, length):
        value *= _ODD
        value += ahead[step : step + len(value)]
    place = np.arange(starts[-1]) + np.repeat(words.starts[:-1] - starts[:-1], counts)  # first word of each window
    found = value[place]
    short = np.flatnonzero((sizes > 0) & (sizes < length))
    found[starts[short]] = _whole(words, short, length)
    return Words(mix(found), starts)


def _whole(words: Words, rows: NDArray[np.int64], length: int) -> NDArray[np.uint64]:
    """Return one value for each of these texts, which are shorter than ``length``, with zeros after its end."""
    first, ends = words.starts[:-1][rows], words.starts[1:][rows]
    value = np.zeros(len(rows), dtype=np.uint64)
    for step in range(length):
        word = words.hashes[np.minimum(first + step, len(words.hashes) - 1)] if len(rows) else value
        value = value * _ODD + np.where(first + step < ends, word, np.uint64(0))
    return value


def distinct(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each value once, rising."""
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), dtype=np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    found: NDArray[np.uint64] = ordered[is_first]
    return found


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return values whose every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(29))) * _LAST
    return values ^ (values >> np.uint64(32))
