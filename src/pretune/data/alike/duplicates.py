"""Duplicates: which texts are the same or nearly the same, and so must stay in one split?

*Exact* means the same text apart from Unicode form, case and spacing (``hashing.fold``). *Near* is either of:

- a Jaccard similarity at or above the threshold between the two texts' shingles: their words and their pairs of neighbouring
  words, without punctuation. Single words keep ten-word sentences comparable, where one changed word would destroy every
  longer shingle; pairs keep the order. At 0.8 a word may be appended to 5 words, inserted into 9, or replaced in 14;
- one word or up to three letters changed, in texts of at least 10 words (at 0.8). A few letters, each in another word,
  would cost a short text most of its shingles.

A text without words (``"!!!"``) has exact duplicates only. Near is transitive: a ~ b and b ~ c put all three into one cluster.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.edits import edited_pairs
from pretune.data.alike.named import named_apart
from pretune.data.alike.numbered import NumberedWords, number_words
from pretune.data.alike.ragged import Numbers, Ragged, starts_of
from pretune.data.alike.similar import HASH_BITS, Shingles, similar_pairs
from pretune.hashing import fold

# Scripts written without spaces, arrows, symbols and emoji: each character is a word.
SINGLE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2190-\u2bff\u3040-\u30ff\u3400-\u9fff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
WORD = re.compile(f"[{SINGLE}]|[^\\W{SINGLE}]+")
# What parts words in ASCII: all but letters, digits and the underscore.
BREAKS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}

# Three letters in three words of ten is what a hurried retyping changes; ours, argued in docs/decisions/0003.
MAX_LETTERS, MAX_WORDS = 3, 1
PART = 1 << 17  # words hashed in one go: arrays of 2 MB, which a processor's cache holds


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


def find_duplicates(texts: Sequence[str], *, threshold: float, groups: Sequence[str | None] | None = None) -> Duplicates:
    """Cluster texts that are the same or nearly.

    Every pair is verified on its shingle sets or sign by sign, so nothing is near by estimate. No near pair is
    missed, but for the case that ``similar.MAX_NEIGHBOURS`` describes.

    Args:
        texts: The texts, cleaned or not.
        threshold: Jaccard similarity from which two texts count as nearly the same, in (0, 1].
        groups: What each text is about, if texts that differ in nothing but the names of their groups are not nearly the same
            (``named.py``).
    """
    folded, words = _read(texts)
    are_apart = _nowhere if groups is None else named_apart(words, folded, groups, _names_of(groups))
    roots = _Forest(len(words.ids))
    shingles = shingles_of(words)
    sizes = shingles.lengths
    for first, second in similar_pairs(shingles, threshold=threshold, roots=roots.of):
        if not are_apart(first, second):
            roots.join(first, second)
    del shingles  # the larger half of all that is held, and not needed any more
    for first, second in _edited(words, sizes, threshold, roots.of):
        if not are_apart(first, second):
            roots.join(first, second)
    component = _number_by_first(roots.flat()[folded])
    num_components = int(component.max(initial=-1)) + 1
    return Duplicates(
        folded=_number_by_first(folded),
        component=component,
        num_exact=len(texts) - len(words.ids),
        num_near=len(words.ids) - num_components,
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


def _nowhere(_first: int, _second: int) -> bool:
    return False


def _names_of(groups: Sequence[str | None]) -> dict[str, frozenset[str]]:
    """Return the words of each group's name."""
    return {group: frozenset(words_in(fold(group))) for group in dict.fromkeys(groups) if group is not None}


def words_in(folded: str) -> list[str]:
    """Return what ``WORD`` finds, of ASCII in a third of the time."""
    return folded.translate(BREAKS).split() if folded.isascii() else WORD.findall(folded)


def shingles_of(words: NumberedWords) -> Shingles:
    """Return the hashed shingle set of each text, its hashes rising."""
    digests = (blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest() for word in words.vocabulary)
    hashes = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
    flat = np.empty(2 * len(words.ids.flat), dtype=np.uint64)  # pages that are never written to take no memory
    sizes = np.zeros(len(words.ids), dtype=np.int64)
    end = 0
    for first, part in words.ids.parts(PART):
        owners, found = _hash_words_and_pairs(part, hashes)
        sizes[first : first + len(part)] = np.bincount(owners, minlength=len(part))
        flat[end : end + len(found)] = found
        end += len(found)
    return Ragged(flat[:end], starts_of(sizes))


def _hash_words_and_pairs(words: Ragged[np.uint32], hashes: NDArray[np.uint64]) -> tuple[Numbers, NDArray[np.uint64]]:
    """Return the distinct shingles of a few texts: whose each is, and its hash, both rising."""
    single = hashes[words.flat]
    owners = np.repeat(np.arange(len(words), dtype=np.uint64), words.lengths)
    pairs = single[:-1] * np.uint64(0x9E3779B97F4A7C15) + single[1:] * np.uint64(0xC2B2AE3D27D4EB4F)
    pairs = (pairs ^ (pairs >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    inside = owners[1:] == owners[:-1]
    found = np.concatenate((single, pairs[inside])) >> np.uint64(
        64 - HASH_BITS
    )  # so many bits are kept; the owner is put before them
    found |= np.concatenate((owners, owners[1:][inside])) << np.uint64(HASH_BITS)
    found.sort()
    found = found[np.concatenate(([True], found[1:] != found[:-1]))] if len(found) else found
    return (found >> np.uint64(HASH_BITS)).astype(np.int64), found & np.uint64((1 << HASH_BITS) - 1)


def _read(texts: Sequence[str]) -> tuple[Numbers, NumberedWords]:
    """Return the number of each text's folded form, shape (num_texts,), and the words of the distinct forms.

    Forms are numbered by their hash, so that the order of the texts decides nothing: not even which texts of a template, of
    which only so many are compared, meet.
    """
    firsts: dict[str, int] = {}
    numbers = (firsts.setdefault(fold(text), len(firsts)) for text in texts)
    folded = np.fromiter(numbers, dtype=np.int64, count=len(texts))
    forms = list(firsts)
    hashes = b"".join(blake2b(form.encode("utf-8", "surrogatepass"), digest_size=8).digest() for form in forms)
    order = np.argsort(np.frombuffer(hashes, dtype="<u8"), kind="stable")
    rank = np.empty(len(forms), dtype=np.int64)
    rank[order] = np.arange(len(forms))
    return rank[folded], number_words(words_in(forms[place]) for place in order.tolist())


def _edited(
    words: NumberedWords, sizes: Numbers, threshold: float, roots: Callable[[Numbers], Numbers]
) -> Iterator[tuple[int, int]]:
    """Yield pairs with one word or a few letters changed, too short for their shingles to show it.

    A changed word takes at most three shingles with it and brings three, so above some size the threshold still holds.
    """
    if threshold == 1:
        return
    least, much = 2 / (1 - threshold) - 1e-9, 3 * (1 + threshold) / (1 - threshold)
    num_words = words.ids.lengths
    enough = (sizes > least) & (num_words >= least)
    few = np.flatnonzero(enough & (sizes < MAX_WORDS * much))
    yield from edited_pairs(few, num_words[few], words.ids.take, max_edits=MAX_WORDS, roots=roots)
    short = np.flatnonzero(enough & (sizes < MAX_LETTERS * much))
    yield from edited_pairs(short, words.count_letters()[short], words.letters_of, max_edits=MAX_LETTERS, roots=roots)


def _number_by_first(roots: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, inverse = np.unique(roots, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


class _Forest:
    """Union-find: which numbers have been joined."""

    def __init__(self, size: int) -> None:
        self._parent = array("q", range(size))
        self._parents = np.asarray(self._parent)  # the same memory: quick to work on as a whole

    def join(self, first: int, second: int) -> None:
        first, second = self._root(first), self._root(second)
        self._parent[max(first, second)] = min(first, second)

    def of(self, numbers: Numbers) -> Numbers:
        """Return the roots of these numbers."""
        roots = self._parents[numbers]
        while ((above := self._parents[roots]) != roots).any():
            roots = above
        self._parents[numbers] = roots  # the next time it is one step
        return roots

    def flat(self) -> Numbers:
        """Return the root of every number."""
        return self.of(np.arange(len(self._parents)))

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number
