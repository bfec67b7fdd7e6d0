"""Boilerplate: lines that occur in many documents (menus, notices, signatures), found with a table of fixed size."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

# Two counters a line, in two rows of so many: 2 × 16 MB. With 10 million distinct lines, one that stands in a single document
# is taken for one of 20 documents less than once in 10^12; the count is never too low.
ROW = 1 << 22
MIN_WORDS = 3  # headings such as "Early life" are the same everywhere, and text
DEFAULT_REPEATS = 20
DEFAULT_SHARE = 0.002


class RepeatedLines:
    """In how many documents each line stood.

    Args:
        table: Two rows of counters, shape (2, ``ROW``).
        limit: Documents from which a line is boilerplate; 0 where none is.
    """

    def __init__(self, table: NDArray[np.uint32] | None = None, limit: int = 0) -> None:
        self.table = np.zeros((2, ROW), dtype=np.uint32) if table is None else table
        self.limit = limit

    @classmethod
    def read(cls, path: Path, limit: int) -> Self:
        """Map the counts that ``write`` put there."""
        return cls(np.memmap(path, dtype="<u4", mode="r", shape=(2, ROW)), limit)

    def write(self, path: Path) -> None:
        """Write the counts, for other processes to map."""
        path.write_bytes(self.table.astype("<u4").tobytes())

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Count lines, each once a document."""
        for row, places in zip(self.table, _places(hashes), strict=True):
            np.add.at(row, places, np.uint32(1))

    def are_boilerplate(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which lines stand in so many documents."""
        counts = np.minimum(*(row[places] for row, places in zip(self.table, _places(hashes), strict=True)))
        found: NDArray[np.bool_] = counts >= self.limit
        return found

    def trim(self, text: str) -> str:
        """Return a document without its boilerplate lines."""
        lines = candidate_lines(text)
        if not self.limit or not lines:
            return text
        drop = {line for line, is_it in zip(lines, self.are_boilerplate(hash_lines(lines)).tolist(), strict=True) if is_it}
        if not drop:
            return text
        return "\n".join(line for line in text.split("\n") if line not in drop).strip()


def limit_of(asked: int | None, num_documents: int) -> int:
    """Return the number of documents from which on a line is boilerplate; 0 for never."""
    return max(DEFAULT_REPEATS, round(DEFAULT_SHARE * num_documents)) if asked is None else asked


def candidate_lines(text: str) -> list[str]:
    """Return the distinct lines of a document that may be boilerplate; none where it is one line."""
    if "\n" not in text:
        return []
    return [line for line in dict.fromkeys(text.split("\n")) if line.count(" ") >= MIN_WORDS - 1]


def hash_lines(lines: Sequence[str]) -> NDArray[np.uint64]:
    """Return a hash of each line, case aside, shape (num_lines,)."""
    digests = b"".join(blake2b(line.casefold().encode("utf-8", "replace"), digest_size=8).digest() for line in lines)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def lines_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return the hashes of the lines of many documents that may be boilerplate."""
    return hash_lines([line for text in texts for line in candidate_lines(text)])


def _places(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (hashes & np.uint64(ROW - 1)).astype(np.int64), ((hashes >> np.uint64(32)) & np.uint64(ROW - 1)).astype(np.int64)
