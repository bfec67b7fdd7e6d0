"""Near-duplicates: which documents share a key, and which of these are nearly the same?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.similar import jaccard
from pretune.data.alike.words import Words, distinct, pairs_of
from pretune.data.corpus.minhash import NUM_KEYS, may_be_near

# Documents of one key are each compared with so many before them, and with the first: a template of 10,000 documents costs
# 10,000 comparisons a key, not 50 million. Those compared have been tied together by then.
MAX_NEIGHBOURS = 10

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicates:
    """Which documents repeat an earlier one, nearly.

    Args:
        repeats: Whether the document is in a cluster and not the first of it, shape (num_documents,).
        num_compared: Pairs that shared a key, and enough bits, and were compared word by word.
        num_near: Pairs of these that were near.
        largest: Documents of the largest cluster.
    """

    repeats: NDArray[np.bool_]
    num_compared: int
    num_near: int
    largest: int


def find_near(keys: NDArray[np.uint32], rows: NDArray[np.int64], words: Words, *, threshold: float) -> NearDuplicates:
    """Cluster documents whose shingles (``data/alike/duplicates.py``) are nearly the same.

    Candidates come from the keys; each is verified on its shingles, so nothing is near by estimate. Near is chained:
    a ~ b and b ~ c puts all three into one cluster, of which the first is kept.

    Args:
        keys: Of ``minhash.keys_of``, shape (num_documents, ``minhash.WIDTH``).
        rows: The documents to compare, rising: those that are not dropped already.
        words: Of all documents.
        threshold: Jaccard similarity from which two documents are near.
    """
    forest, sets = _Forest(), _Shingles(words)
    num_compared = num_near = 0
    for column in range(NUM_KEYS):
        for first, second in _candidates(keys[rows, column]):
            first, second = rows[first], rows[second]
            hopeful = may_be_near(keys[first], keys[second], threshold)
            for a, b in zip(first[hopeful].tolist(), second[hopeful].tolist(), strict=True):
                if forest.root(a) == forest.root(b):
                    continue
                num_compared += 1
                if jaccard(sets.of(a), sets.of(b)) >= threshold:
                    num_near += 1
                    forest.join(a, b)
    repeats = np.zeros(len(words), dtype=np.bool_)
    repeats[forest.later()] = True
    return NearDuplicates(repeats=repeats, num_compared=num_compared, num_near=num_near, largest=forest.largest())


def _candidates(key: NDArray[np.uint32]) -> Iterator[Pairs]:
    """Yield pairs of places (earlier, later) that have one key; those with the first of the key come first."""
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    is_first = np.concatenate(([True], sorted_key[1:] != sorted_key[:-1]))
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(key)), 0))  # where each place's key begins
    later = np.flatnonzero(~is_first)
    if not len(later):
        return
    yield order[first[later]], order[later]
    for shift in range(1, MAX_NEIGHBOURS + 1):
        later = later[later - shift > first[later]]
        if not len(later):
            return
        yield order[later - shift], order[later]


class _Shingles:
    """The shingle sets of documents, those asked for last kept ready."""

    def __init__(self, words: Words) -> None:
        self._words, self._kept = words, dict[int, NDArray[np.uint64]]()

    def of(self, row: int) -> NDArray[np.uint64]:
        """Return the distinct shingles of one document."""
        found = self._kept.get(row)
        if found is None:
            first, last = self._words.starts[row], self._words.starts[row + 1]
            hashes = np.array(self._words.hashes[first:last])
            one = Words(hashes, np.array([0, len(hashes)]))
            found = distinct(np.concatenate((hashes, pairs_of(one)[:-1])))
            if len(self._kept) >= 10_000:
                self._kept.clear()
            self._kept[row] = found
        return found


class _Forest:
    """Union-find over the few documents that have been joined at all; a root is the first of its cluster."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def root(self, row: int) -> int:
        """Return the first document of the cluster."""
        parent = self._parent
        while (above := parent.get(row, row)) != row:
            parent[row] = row = parent.get(above, above)
        return row

    def join(self, first: int, second: int) -> None:
        """Make one cluster of two."""
        first, second = self.root(first), self.root(second)
        low, high = min(first, second), max(first, second)
        self._parent.setdefault(low, low)
        self._parent[high] = low

    def later(self) -> NDArray[np.int64]:
        """Return all documents that are not the first of their cluster."""
        return np.array([row for row, parent in self._parent.items() if row != parent], dtype=np.int64)

    def largest(self) -> int:
        """Return the size of the largest cluster; 0 where there is none."""
        roots = [self.root(row) for row in list(self._parent)]
        return int(np.unique(roots, return_counts=True)[1].max()) if roots else 0
