"""Ragged arrays: many short sequences end to end, without the 112 bytes that numpy spends on each separate array."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
Numbers = NDArray[np.int64]

# Rows of one part, whatever their lengths, so that a row's number in its part fits in 16 bits.
MAX_ROWS = 1 << 16
TAKEN = 1 << 14  # rows copied in one go: their places are 8 bytes each, 30 MB for rows of 250 letters


@dataclass(frozen=True, slots=True)
class Ragged(Generic[Scalar]):
    """Sequences of one type, one after the other.

    Args:
        flat: All that is in them.
        starts: Where each begins, and where the last ends, shape (num_rows + 1,).

    Example:
        >>> two = Ragged(np.array([5, 6, 7]), starts_of(np.array([1, 2])))
        >>> two[1].tolist(), two.take(np.array([1, 0, 1])).flat.tolist()
        ([6, 7], [6, 7, 5, 6, 7])
    """

    flat: NDArray[Scalar]
    starts: Numbers

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> NDArray[Scalar]:
        return self.flat[self.starts[row] : self.starts[row + 1]]

    @property
    def lengths(self) -> Numbers:
        """How long each sequence is, shape (num_rows,)."""
        return np.diff(self.starts)

    def take(self, rows: Numbers) -> "Ragged[Scalar]":
        """Return these rows, in this order."""
        starts = starts_of(self.starts[rows + 1] - self.starts[rows])
        flat = np.empty(starts[-1], dtype=self.flat.dtype)
        for first in range(0, len(rows), TAKEN):
            begins, bounds = self.starts[rows[first : first + TAKEN]], starts[first : first + TAKEN + 1]
            place = np.arange(bounds[0], bounds[-1]) + np.repeat(begins - bounds[:-1], np.diff(bounds))
            flat[bounds[0] : bounds[-1]] = self.flat[place]
        return Ragged(flat, starts)

    def part(self, first: int, last: int) -> "Ragged[Scalar]":
        """Return the rows from ``first`` until before ``last``; what is in them is not copied."""
        starts = self.starts[first : last + 1]
        return Ragged(self.flat[starts[0] : starts[-1]], starts - starts[0])

    def parts(self, size: int) -> Iterator[tuple[int, "Ragged[Scalar]"]]:
        """Yield all rows in parts, with the number of the first: together no longer than ``size``, or a single row."""
        first = 0
        while first < len(self):
            fitting = int(np.searchsorted(self.starts, self.starts[first] + size, side="right")) - 1
            last = min(max(fitting, first + 1), first + MAX_ROWS)
            yield first, self.part(first, last)
            first = last


def starts_of(lengths: Numbers) -> Numbers:
    """Return where sequences of these lengths begin, and where the last ends, shape (num_rows + 1,)."""
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts
