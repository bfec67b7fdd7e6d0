"""Duplicates: which texts are the same, or nearly, and so must stay on one side of a split?

*Exact* is the same text but for Unicode form, case and spacing (``hashing.fold``). *Near* is either of:

- a Jaccard similarity at or above the threshold between the two texts' shingles: their words and their pairs of neighbouring
  words, punctuation aside. Words keep ten-word sentences comparable, where longer shingles would all be lost to one changed
  word; pairs keep the order. At 0.8 a word may be appended to 5 words, inserted into 9, or replaced in 14;
- one word or up to three letters changed, in texts of at least 10 words (at 0.8). A few letters in as many words would
  cost a short text most of its shingles.

A text without words (``"!!!"``) has exact duplicates only. Near is chained: a ~ b and b ~ c puts all three into one cluster.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pretune.data.edits import Signs, edited_pairs
from pretune.data.similar import Shingles, similar_pairs
from pretune.hashing import fold

# Scripts written without spaces, arrows, symbols and emoji: each character is a word.
SINGLE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2190-\u2bff\u3040-\u30ff\u3400-\u9fff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
WORD = re.compile(f"[{SINGLE}]|[^\\W{SINGLE}]+")

# Three letters in three words of ten is what a hurried retyping changes; ours, argued in docs/decisions/0003.
MAX_LETTERS, MAX_WORDS = 3, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Which texts belong together.

    Args:
        folded: Number of each text's folded form, shape (num_texts,): equal where texts are exact duplicates.
        component: Number of each text's cluster, shape (num_texts,); clusters are numbered by their first text.
        num_exact: Texts that repeat an earlier one.
        num_near: Further texts that only nearly repeat an earlier one, or are tied to one through others.
        largest: Size of the largest cluster, in texts.
    """

    folded: NDArray[np.int64]
    component: NDArray[np.int64]
    num_exact: int
    num_near: int
    largest: int


def find_duplicates(texts: Sequence[str], *, threshold: float) -> Duplicates:
    """Cluster texts that are the same or nearly.

    Every pair is verified on its shingle sets or sign by sign, so nothing is near by estimate. No near pair is
    missed, but for the case that ``similar.MAX_NEIGHBOURS`` describes.

    Args:
        texts: The texts, cleaned or not.
        threshold: Jaccard similarity from which two texts count as nearly the same, in (0, 1].
    """
    firsts: dict[str, int] = {}  # folded text -> number of the distinct text
    folded = np.array([firsts.setdefault(fold(text), len(firsts)) for text in texts], dtype=np.int64)
    roots, distinct = _Forest(len(firsts)), list(firsts)
    shingles = shingles_of(distinct)
    for first, second in similar_pairs(shingles, threshold=threshold, roots=roots.flat):
        roots.join(first, second)
    for first, second in _edited(distinct, [len(item) for item in shingles], threshold, roots.flat):
        roots.join(first, second)
    component = _number_by_first(roots.flat()[folded])
    num_components = int(component.max(initial=-1)) + 1
    return Duplicates(
        folded=folded,
        component=component,
        num_exact=len(texts) - len(firsts),
        num_near=len(firsts) - num_components,
        largest=int(np.bincount(component).max(initial=0)),
    )


def join_components(component: NDArray[np.int64], groups: Sequence[str | None]) -> NDArray[np.int64]:
    """Merge clusters that have a group in common.

    Args:
        component: Number of each row's cluster, shape (num_rows,).
        groups: Each row's group, or ``None``.
    """
    roots = _Forest(int(component.max(initial=-1)) + 1)
    seen: dict[str, int] = {}
    for number, group in zip(component.tolist(), groups, strict=True):
        if group is not None:
            roots.join(seen.setdefault(group, number), number)
    return _number_by_first(roots.flat()[component])


def shingles_of(folded: Sequence[str]) -> Shingles:
    """Return the hashed shingle set of each folded text."""
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = vocabulary.__len__
    words = [np.array([vocabulary[word] for word in WORD.findall(text)], dtype=np.int32) for text in folded]
    digests = (blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest() for word in vocabulary)
    hashes = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
    return [_hash_words_and_pairs(hashes[ids]) for ids in words]


def _hash_words_and_pairs(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    pairs = hashes[:-1] * np.uint64(0x9E3779B97F4A7C15) + hashes[1:] * np.uint64(0xC2B2AE3D27D4EB4F)
    pairs = (pairs ^ (pairs >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.unique(np.concatenate((hashes, pairs)) >> np.uint64(16))  # 48 bits are kept


def _edited(
    folded: Sequence[str], sizes: Sequence[int], threshold: float, roots: Callable[[], NDArray[np.int64]]
) -> Iterator[tuple[int, int]]:
    """Yield pairs with one word or a few letters changed, too short for their shingles to show it.

    A changed word takes at most three shingles with it and brings three, so above some size the threshold still holds.
    """
    if threshold == 1:
        return
    least, much = 2 / (1 - threshold) - 1e-9, 3 * (1 + threshold) / (1 - threshold)
    short = [row for row, size in enumerate(sizes) if least < size < MAX_LETTERS * much]
    found = {row: words for row in short if len(words := WORD.findall(folded[row])) >= least}
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    few = [row for row in found if sizes[row] < MAX_WORDS * much]
    by_word = [np.array([numbers[word] for word in found[row]], dtype=np.uint32) for row in few]
    by_letter = [np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32) for words in found.values()]
    for rows, signs, max_edits in ((few, by_word, MAX_WORDS), (list(found), by_letter, MAX_LETTERS)):
        for first, second in edited_pairs(Signs.of(signs), max_edits=max_edits, roots=partial(_roots_of, rows, roots)):
            yield rows[first], rows[second]


def _roots_of(rows: Sequence[int], roots: Callable[[], NDArray[np.int64]]) -> NDArray[np.int64]:
    return roots()[np.array(rows, dtype=np.int64)]


def _number_by_first(roots: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, inverse = np.unique(roots, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


class _Forest:
    """Union-find: which numbers have been joined."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def join(self, first: int, second: int) -> None:
        first, second = self._root(first), self._root(second)
        self._parent[max(first, second)] = min(first, second)

    def flat(self) -> NDArray[np.int64]:
        """Return the root of every number."""
        roots = np.array(self._parent, dtype=np.int64)
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return roots

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number
