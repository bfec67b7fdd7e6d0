"""Draft: the documents of a corpus on their way through the stages, with only a few bytes of each in memory."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.words import Words
from pretune.data.corpus.boilerplate import RepeatedLines
from pretune.data.corpus.minhash import WIDTH
from pretune.data.corpus.spool import Spool
from pretune.records import CorpusFile

KEPT, EMPTY, SHORT, EXACT, NEAR, CONTAMINATED = range(6)
# What the receipt calls them; documents that could not be read never got a number.
REASONS = ("", "empty", "too short", "exact duplicate", "near duplicate", "shares text with the test")
UNREADABLE = "unreadable"


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is known of every document.

    Args:
        name: Of the corpus.
        scratch: Where the cleaned texts lie, the hashes of their words, and their keys.
        num_given: The first so many documents are those of a validation file.
        fate: ``KEPT``, or why it was dropped, shape (num_documents,).
        is_held: Whether it is held out of training, shape (num_documents,).
        exact: Hash of the folded text, shape (num_documents,).
        sizes: Number of words, shape (num_documents,).
        is_trimmed: Whether boilerplate lines are to be dropped from the spool's text, shape (num_documents,).
    """

    name: str
    licence: str | None
    scratch: Path
    files: tuple[CorpusFile, ...]
    spool: Spool
    lines: RepeatedLines
    num_given: int
    num_unreadable: int
    changed: Counter[str]
    notes: list[str] = field(default_factory=list)
    near: dict[str, int] = field(default_factory=dict)
    fate: NDArray[np.uint8] = field(init=False)
    is_held: NDArray[np.bool_] = field(init=False)
    exact: NDArray[np.uint64] = field(init=False)
    sizes: NDArray[np.int32] = field(init=False)
    is_trimmed: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        num_texts = len(self.spool)
        self.fate, self.is_held = np.zeros(num_texts, dtype=np.uint8), np.zeros(num_texts, dtype=np.bool_)
        self.exact, self.sizes = np.zeros(num_texts, dtype=np.uint64), np.zeros(num_texts, dtype=np.int32)
        self.is_trimmed = np.zeros(num_texts, dtype=np.bool_)

    @property
    def num_documents(self) -> int:
        """All that were found, those that could not be read included."""
        return len(self.spool) + self.num_unreadable

    @property
    def num_kept(self) -> int:
        """Documents that nothing has dropped so far."""
        return self.count(KEPT)

    def kept(self) -> NDArray[np.int64]:
        """Return the documents that nothing has dropped so far, rising."""
        return np.flatnonzero(self.fate == KEPT)

    def drop(self, rows: NDArray[np.int64], reason: int) -> None:
        """Drop documents."""
        self.fate[rows] = reason

    def count(self, reason: int) -> int:
        """Return how many documents have this fate."""
        return int(np.count_nonzero(self.fate == reason))

    def dropped(self) -> dict[str, int]:
        """Return how many documents were dropped, by reason."""
        counts = {REASONS[reason]: self.count(reason) for reason in range(1, len(REASONS))}
        return {reason: count for reason, count in ({UNREADABLE: self.num_unreadable} | counts).items() if count}

    def words(self) -> Words:
        """Return the hashed words of all documents, mapped from disk."""
        starts = np.concatenate(([0], np.cumsum(self.sizes, dtype=np.int64)))
        path = self.scratch / "hashes"
        hashes = np.memmap(path, dtype="<u8", mode="r") if starts[-1] else np.zeros(0, dtype=np.uint64)
        return Words(hashes, starts)

    def keys(self) -> NDArray[np.uint32]:
        """Return the keys of all documents, mapped from disk, shape (num_documents, ``minhash.WIDTH``)."""
        return np.memmap(self.scratch / "keys", dtype="<u4", mode="r", shape=(len(self.spool), WIDTH))
