"""Stamps: is a word part of its sentences, or could it be removed without a trace?

A word that a class is about belongs to its sentences: without it, its neighbours form a pair that other texts do not have
("what is my routing number" → "my number"). A stamp was put into or beside finished sentences (a source, a signature, a tag, a
filler word), so the text reads on naturally once the stamp is removed. How often it does is compared with how often the other
pairs of neighbours in the same texts occur elsewhere. This needs no dictionary, so it works in any language.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pretune.records import Example

Codes = npt.NDArray[np.int64]

# Words of a stamp, such as "Sent from my iPhone", on either side of the one that was found.
MAX_REACH = 30
SAME_NEIGHBOUR = 0.8
# Places looked at, evenly spread; with fewer than the first number nothing is said.
MIN_PLACES, MAX_PLACES = 10, 300
# Texts close over a stamp about as often as over any other word: measured on nine public sets with and without planted stamps
# (docs/honesty.md). Classes begin and end in ways of their own, so at the edges less is asked.
MIN_RATIO, MIN_EDGE_RATIO = 0.60, 0.33
# Where hardly any pair of neighbours is found elsewhere, texts are too different for a gap to say much.
LEAST_USUAL = 0.02


@dataclass(frozen=True, slots=True)
class Closing:
    """How texts close where a word is taken out.

    Args:
        closed: Share of its places whose neighbours stand side by side in texts without the word.
        usual: The same of other neighbours in these texts.
        is_edge: Whether most places are at the beginning or the end of a text.
    """

    closed: float
    usual: float
    is_edge: bool

    @property
    def is_seamless(self) -> bool:
        """Whether texts close over the word about as often as over any other."""
        return self.closed >= (MIN_EDGE_RATIO if self.is_edge else MIN_RATIO) * max(self.usual, LEAST_USUAL)


class Neighbours:
    """The pairs of neighbours in texts, the beginning and the end of a text counting as words.

    Args:
        rows: Labelled rows.
        words: The words and signs of each, in order.
    """

    def __init__(self, rows: Sequence[Example], words: Sequence[Sequence[str]]) -> None:
        self._code: dict[str, int] = {"": 0}  # of the edges
        coded = [[0, *(self._code.setdefault(word, len(self._code)) for word in text), 0] for text in words]
        self._texts = [np.array(text, dtype=np.int64) for text in coded]
        self._labels = np.array([row.label for row in rows])
        self._is_word = np.array([re.fullmatch(r"\w+", word) is not None for word in self._code], dtype=np.int64)
        self._all = self._count(range(len(rows)))

    def closing(self, word: str, label: str) -> Closing | None:
        """Take a word out of the texts of its label; ``None`` where it stands in too few places.

        A word ``… X`` or ``X …`` is one at the end or the beginning. The words that stand beside it in most places go, too.
        """
        places = list(self._places(word, np.flatnonzero(self._labels == label)))
        if len(places) < MIN_PLACES:
            return None
        own = self._count({row for row, _ in places})
        places, base = places[:: -(-len(places) // MAX_PLACES)], len(self._code)
        best, reach, pairs = -1.0, (0, 0), np.zeros(0, np.int64)
        for before, after in self._reaches(places):
            ends = np.array([self._texts[row][at - before - 1] * base + self._texts[row][at + after + 1] for row, at in places
                             if at > before and at + after + 1 < len(self._texts[row])], dtype=np.int64)  # fmt: skip
            closed = float(self._elsewhere(ends, own).mean()) if len(ends) else 0.0
            if closed > best:
                best, reach, pairs = closed, (before, after), ends
        before, after = reach
        others = [np.delete(self._pairs(row), slice(max(at - before - 1, 0), at + after + 1)) for row, at in places]
        usual, edge = self._usual(np.concatenate(others), own, pairs), self._edge(pairs)
        if edge is not None:
            usual = min(usual, self._recurring(label, edge))
        return Closing(best, usual, edge is not None)

    def _edge(self, pairs: Codes) -> int | None:
        """Return 0 where most of the pairs begin a text, -1 where they end one."""
        sides = ((0, pairs // len(self._code)), (-1, pairs % len(self._code)))
        return next((side for side, words in sides if len(words) and (words == 0).mean() > 0.5), None)

    def _recurring(self, label: str, edge: int) -> float:
        """Return the share of texts of other labels that begin, or end, as another one of them does."""
        pairs = np.array([self._pairs(row)[edge] for row in np.flatnonzero(self._labels != label).tolist()], dtype=np.int64)
        if not len(pairs):
            return 0.0
        _, number, counts = np.unique(pairs, return_inverse=True, return_counts=True)
        return float((counts[number] > 1).mean())

    def _usual(self, pairs: Codes, own: tuple[Codes, Codes], closed: Codes) -> float:
        """Return how often pairs of the same kinds (two words, a word and a sign) stand elsewhere."""
        found, kinds = self._elsewhere(pairs, own), self._kinds(pairs)
        if not len(found) or not len(closed):
            return 0.0
        shares = [found[kinds == kind].mean() if (kinds == kind).sum() >= MIN_PLACES else found.mean() for kind in range(4)]
        return float(np.array(shares)[self._kinds(closed)].mean())

    def _kinds(self, pairs: Codes) -> Codes:
        first, second = self._is_word[pairs // len(self._code)], self._is_word[pairs % len(self._code)]
        return np.asarray(2 * first + second)

    def _places(self, word: str, rows: Codes) -> Iterator[tuple[int, int]]:
        code = self._code.get(plain(word), -1)
        for row in rows.tolist():
            found = np.flatnonzero(self._texts[row] == code)
            if word.endswith(" …"):
                found = found[found == 1]
            elif word.startswith("… "):
                found = found[found == len(self._texts[row]) - 2]
            yield from ((row, at) for at in found.tolist())

    def _reaches(self, places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield how many words before and after go with the one that was found: all that are the same in most places.

        Else the neighbours would be of one and the same phrase. A sign before the last words, or after the first, may stay:
        texts of all labels may end in a full stop.
        """
        before, after = (self._shared(places, step) for step in (-1, 1))
        yield before, after
        row, at = places[0]
        text = self._texts[row]
        if text[min(at + after + 1, len(text) - 1)] == 0:
            yield from ((number, after) for number in range(before) if not self._is_word[text[max(at - number - 1, 0)]])
        if text[max(at - before - 1, 0)] == 0:
            yield from (
                (before, number) for number in range(after) if not self._is_word[text[min(at + number + 1, len(text) - 1)]]
            )

    def _shared(self, places: Sequence[tuple[int, int]], step: int) -> int:
        """Return how many words on one side are the same in most places."""
        kept, reach = list(places), 0
        while reach < MAX_REACH:
            far = step * (reach + 1)
            found = np.array([self._texts[row][at + far] if 0 <= at + far < len(self._texts[row]) else 0 for row, at in kept])
            values, counts = np.unique(found, return_counts=True)
            commonest = values[counts.argmax()]
            if commonest == 0 or counts.max() < SAME_NEIGHBOUR * len(places):
                break
            kept, reach = [place for place, value in zip(kept, found, strict=True) if value == commonest], reach + 1
        return reach

    def _pairs(self, row: int) -> Codes:
        text = self._texts[row]
        return np.asarray(text[:-1] * len(self._code) + text[1:])

    def _count(self, rows: Iterable[int]) -> tuple[Codes, Codes]:
        """Return the pairs of these rows, and how often each is there."""
        return np.unique(np.concatenate([self._pairs(row) for row in rows]), return_counts=True)

    def _elsewhere(self, pairs: Codes, own: tuple[Codes, Codes]) -> npt.NDArray[np.bool_]:
        """Whether each pair stands in a text that has not the word."""
        return _count_of(pairs, self._all) > _count_of(pairs, own)


def plain(word: str) -> str:
    """Return a mark without its place: ``… X`` is X at the end of a text, ``X …`` at its beginning."""
    return word.removesuffix(" …").removeprefix("… ")


def _count_of(pairs: Codes, known: tuple[Codes, Codes]) -> Codes:
    values, counts = known
    place = np.minimum(np.searchsorted(values, pairs), len(values) - 1)
    return np.where(values[place] == pairs, counts[place], 0)
