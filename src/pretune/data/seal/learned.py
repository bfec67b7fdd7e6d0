"""Learned: what texts has a model been trained on? Fingerprints that travel with its weights, so that its tests can be checked.

A saved model has two files. ``learned.texts`` has 32 bytes for each distinct text that the model, or a model it was made
from, was fine-tuned on or chosen by: a fingerprint of 8 bytes, which finds the same text apart from case and spacing, and a
signature of 24 bytes, which finds a nearly equal text. ``learned.json`` holds what else is known of its past. The texts
cannot be read from either file, but whoever has a text can ask whether it is among them.

A signature is 48 MinHash values of 4 bits each, of the text's words and pairs of words (as ``data/alike/duplicates.py`` has
them). Two texts count as nearly the same if 35 of the 48 are equal. By the binomial distribution that finds 93 % of
the pairs with a Jaccard similarity of 0.8 and over 99 % of those with 0.9, 0.4 % with 0.5, and none of unrelated texts.

Source:
    Broder (1997), On the resemblance and containment of documents; Li and König (2010), b-bit minwise hashing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pretune import storage
from pretune.data.alike.duplicates import shingles_of, words_in
from pretune.data.alike.numbered import number_words
from pretune.data.alike.similar import Shingles
from pretune.data.seal.prints import fingerprints_of
from pretune.errors import DamagedError
from pretune.hashing import fold
from pretune.records import SCHEMA, Past, Record

TEXTS, ABOUT = "learned.texts", "learned.json"
VALUES, BITS = 48, 4  # of a signature
MIN_EQUAL = 35  # values that two signatures must share
_WORDS = VALUES * BITS // 16
Entries = NDArray[np.void]
ENTRY = np.dtype([("exact", "<u8"), ("near", "<u2", (_WORDS,))])
PART = 20_000  # texts whose words are held in one go
# Signatures that are compared in one go, so that what is in between stays in the processor's cache.
ROWS, COLUMNS, PAIRS = 64, 256, 1 << 16
MIN_BLOCK = 1 << 11  # pairs from which a block is worth a step of its own

# Odd multipliers of the hash functions. Signatures that are on disk depend on them, so they never change.
_MULTIPLIERS = tuple(
    np.uint64(int.from_bytes(blake2b(f"pretune {number}".encode(), digest_size=8).digest(), "little") | 1)
    for number in range(VALUES)
)
_LOWEST, _LOW_HALVES, _ONES = np.uint64(0x1111111111111111), np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
Packed = NDArray[np.uint64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class About(Record):
    """``learned.json``."""

    schema: int = SCHEMA
    num_texts: int
    sha256: str  # of learned.texts
    bases: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def _nothing() -> Entries:
    return np.empty(0, dtype=ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a model has learned from.

    Args:
        texts: An entry for each distinct text, rising by fingerprint.
        bases: General checkpoints that it began from: nobody knows each text that they read.
        corpora: Names of the corpora of pre-trainings by pretune, whose own sketches know what was in them.
        unknown: Why part of its past is not known, one sentence each; empty where all is.
    """

    texts: Entries = field(default_factory=_nothing)
    bases: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def joined(self, other: "Learned") -> "Learned":
        """Return what both have learned from."""
        return Learned(
            texts=_distinct(np.concatenate((self.texts, other.texts))),
            bases=tuple(dict.fromkeys((*self.bases, *other.bases))),
            corpora=tuple(dict.fromkeys((*self.corpora, *other.corpora))),
            unknown=tuple(dict.fromkeys((*self.unknown, *other.unknown))),
        )

    def with_texts(self, texts: Iterable[str]) -> "Learned":
        """Return this with more texts learned from."""
        return replace(self, texts=_distinct(np.concatenate((self.texts, sign(texts)))))

    def write(self, folder: Path) -> None:
        """Write both files into a folder."""
        data = self.texts.tobytes()
        about = About(
            num_texts=len(self.texts),
            sha256=sha256(data).hexdigest(),
            bases=self.bases,
            corpora=self.corpora,
            unknown=self.unknown,
        )
        storage.replace(folder / TEXTS, data)
        storage.replace_json(folder / ABOUT, about.to_json())


def read_learned(folder: Path) -> Learned | None:
    """Return what a model folder says; ``None`` where it says nothing.

    Raises:
        DamagedError: It is not what was written.
    """
    if not (folder / ABOUT).is_file():
        return None
    about = About.from_json(storage.read_json(folder / ABOUT))
    data = (folder / TEXTS).read_bytes() if (folder / TEXTS).is_file() else b""
    if sha256(data).hexdigest() != about.sha256 or len(data) != about.num_texts * ENTRY.itemsize:
        raise DamagedError(
            f"{folder / TEXTS} is not what was written",
            expected=f"the fingerprints of {about.num_texts:,} texts that the model has learned from",
            fix="restore the file; without it nobody can tell whether a test was trained on",
        )
    texts = np.frombuffer(data, dtype=ENTRY)
    return Learned(texts=texts, bases=about.bases, corpora=about.corpora, unknown=about.unknown)


def sign(texts: Iterable[str]) -> Entries:
    """Return an entry for each distinct text, rising by fingerprint."""
    folded = sorted({fold(text) for text in texts})
    parts = [_sign(folded[start : start + PART]) for start in range(0, len(folded), PART)]
    return _distinct(np.concatenate([_nothing(), *parts]))


def look_back(learned: Learned, texts: Sequence[str]) -> Past:
    """Return which of these texts a model has learned from: the same ones, and further ones that are nearly the same."""
    asked = sign(texts)
    exact = np.isin(asked["exact"], learned.texts["exact"], assume_unique=True)
    rest = asked[~exact]
    is_near = _near(rest, learned.texts)
    return Past(
        num_texts=len(learned.texts),
        bases=learned.bases,
        corpora=learned.corpora,
        unknown=learned.unknown,
        exact=_names(asked[exact]),
        near=_names(rest[is_near]),
    )


def _names(entries: Entries) -> tuple[str, ...]:
    return tuple(f"{value:016x}" for value in entries["exact"].tolist())


def _sign(folded: Sequence[str]) -> Entries:
    """Return the entries of texts that are folded, in their order."""
    entries = np.empty(len(folded), dtype=ENTRY)
    entries["exact"] = fingerprints_of(folded)
    shingles = shingles_of(number_words(map(words_in, folded)))
    has_words = shingles.lengths > 0
    entries["near"][~has_words] = _scattered(entries["exact"][~has_words])
    entries["near"][has_words] = _signatures(shingles.take(np.flatnonzero(has_words)))
    return entries


def _signatures(shingles: Shingles) -> NDArray[np.uint16]:
    """Return a signature for each set, none of them empty, shape (num_sets, 12)."""
    packed = np.zeros((len(shingles), _WORDS), dtype=np.uint16)
    for number, multiplier in enumerate(_MULTIPLIERS):
        mixed = shingles.flat * multiplier
        mixed ^= mixed >> np.uint64(32)
        least = np.minimum.reduceat(mixed, shingles.starts[:-1]) if len(shingles) else np.empty(0, np.uint64)
        value = (least * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - BITS)
        packed[:, number // 4] |= value.astype(np.uint16) << np.uint16(BITS * (number % 4))
    return packed


def _scattered(exact: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return signatures for texts without words, which are like nothing else: bits that their fingerprint alone decides."""
    steps = np.arange(1, _WORDS // 4 + 1, dtype=np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    return ((exact[:, None] + np.uint64(1)) * (steps | np.uint64(1))).astype("<u8").view("<u2").reshape(len(exact), _WORDS)


def _distinct(entries: Entries) -> Entries:
    _, first = np.unique(entries["exact"], return_index=True)
    return entries[first]


def _near(asked: Entries, known: Entries) -> NDArray[np.bool_]:
    """Return which texts are nearly one that is known; only those that share 16 bits of the signature are compared."""
    found, signatures = np.zeros(len(asked), dtype=np.bool_), _packed(known)
    for word in range(_WORDS):
        order = np.argsort(known["near"][:, word], kind="stable")
        keys, others = known["near"][order, word], signatures[:, order]
        rows = np.flatnonzero(~found)
        rows = rows[np.argsort(asked["near"][rows, word], kind="stable")]
        wanted = asked["near"][rows, word]
        starts, ends = np.searchsorted(keys, wanted, side="left"), np.searchsorted(keys, wanted, side="right")
        found[rows] |= _near_in_ranges(_packed(asked[rows]), others, starts, ends)
    return found


def _near_in_ranges(own: Packed, others: Packed, starts: Places, ends: Places) -> NDArray[np.bool_]:
    """Return which signatures are near one of their range of others; rows with the same range stand together.

    Texts made from a template have one range for nearly all: these are compared block by block, without copies.
    """
    found = np.zeros(own.shape[1], dtype=np.bool_)
    groups, sizes = np.unique(starts, return_index=True)[1], ends - starts
    num_rows = np.diff(np.append(groups, len(starts)))
    is_large = num_rows * sizes[groups] >= MIN_BLOCK
    for first, number in zip(groups[is_large].tolist(), num_rows[is_large].tolist(), strict=True):
        block = others[:, starts[first] : ends[first]]
        for begin in range(first, first + number, ROWS):
            rows = slice(begin, min(begin + ROWS, first + number))
            found[rows] = _near_any(own[:, rows], block)
    rest = np.flatnonzero(np.repeat(~is_large, num_rows) & (sizes > 0))
    for part in np.array_split(rest, 1 + int(sizes[rest].sum()) // PAIRS):
        which = np.repeat(part, sizes[part])
        places = np.arange(len(which)) - np.repeat(np.cumsum(sizes[part]) - sizes[part], sizes[part]) + starts[which]
        found[which[_num_equal(own[:, which], others[:, places]) >= MIN_EQUAL]] = True
    return found


def _near_any(own: Packed, others: Packed) -> NDArray[np.bool_]:
    """Return which of a few signatures are near any of the others; what is found is compared no further."""
    found, left = np.zeros(own.shape[1], dtype=np.bool_), np.arange(own.shape[1])
    for start in range(0, others.shape[1], COLUMNS):
        equal = _num_equal(own[:, left, None], others[:, None, start : start + COLUMNS])
        is_near = (equal >= MIN_EQUAL).any(axis=1)
        if is_near.any():
            found[left[is_near]], left = True, left[~is_near]
            if not len(left):
                break
    return found


def _packed(entries: Entries) -> Packed:
    """Return signatures of 48 values as three numbers of 16 each, shape (3, num_texts)."""
    return np.ascontiguousarray(np.ascontiguousarray(entries["near"]).view("<u8").T)


def _num_equal(first: Packed, second: Packed) -> NDArray[np.uint64]:
    """Return how many of their values signatures share; the first axis, of three, is summed over."""
    sums = _differing(first[0], second[0])
    for own, other in zip(first[1:], second[1:], strict=True):
        sums += _differing(own, other)
    halves = sums & _LOW_HALVES
    sums >>= np.uint64(4)
    sums &= _LOW_HALVES
    halves += sums
    halves *= _ONES  # the highest byte is now the sum of all
    halves >>= np.uint64(56)
    np.subtract(np.uint64(VALUES), halves, out=halves)
    return halves


def _differing(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers with the lowest of each four bits set where any of the four differs."""
    differs = first ^ second
    differs |= differs >> np.uint64(1)
    differs |= differs >> np.uint64(2)
    differs &= _LOWEST
    return differs
