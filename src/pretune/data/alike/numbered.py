"""Numbered words: the words of many texts as numbers, 4 bytes per word, and each distinct word once."""

from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pretune.data.alike.ragged import Numbers, Ragged, starts_of

PART = 1 << 20  # words measured in one go: 8 MB an array


@dataclass(frozen=True, slots=True)
class NumberedWords:
    """The words of several texts.

    Args:
        ids: Of each text the numbers of its words, ``len(self.ids)`` texts.
        vocabulary: The word of each number, in the order in which they are first met.
        spelling: The letters of each word, as code points.
    """

    ids: Ragged[np.uint32]
    vocabulary: tuple[str, ...]
    spelling: Ragged[np.uint32]

    def letters_of(self, rows: Numbers) -> Ragged[np.uint32]:
        """Return the letters of these texts, without what stands between words."""
        ids = self.ids.take(rows)
        words = self.spelling.take(ids.flat.astype(np.int64))
        return Ragged(words.flat, words.starts[ids.starts])

    def count_letters(self) -> Numbers:
        """Return how many letters the words of each text have, shape (num_texts,)."""
        lengths, counts = self.spelling.lengths, np.zeros(len(self.ids), dtype=np.int64)
        for first, part in self.ids.parts(PART):
            letters = starts_of(lengths[part.flat])
            counts[first : first + len(part)] = np.diff(letters[part.starts])
        return counts


def number_words(texts: Iterable[list[str]]) -> NumberedWords:
    """Return the words of texts, each given as its words."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    ids, ends = array("I"), array("q", [0])
    for words in texts:
        ids.extend(map(numbers.__getitem__, words))
        ends.append(len(ids))
    letters = np.frombuffer("".join(numbers).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, numbers), dtype=np.int64, count=len(numbers))
    return NumberedWords(
        ids=Ragged(np.asarray(ids, dtype=np.uint32), np.asarray(ends, dtype=np.int64)),
        vocabulary=tuple(numbers),
        spelling=Ragged(letters, starts_of(lengths)),
    )
