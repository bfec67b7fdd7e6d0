"""Spool: texts end to end in one UTF-8 file, with their offsets in another; read through a memory map."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pretune.errors import StorageError

TEXTS, STARTS = ".texts", ".starts"
_READ = 4_096  # texts sliced out of the map in one go


class SpoolWriter:
    """Texts being written; leaving the block closes the files."""

    def __init__(self, path: Path) -> None:
        self._texts = path.with_name(path.name + TEXTS).open("wb")
        self._starts = path.with_name(path.name + STARTS).open("wb")
        self.num_texts, self._size = 0, 0
        self._starts.write(np.zeros(1, dtype="<u8").tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the files; there is nothing to be written any more."""
        self._texts.close()
        self._starts.close()

    def write(self, texts: Iterable[str]) -> None:
        """Add texts at the end."""
        parts = [text.encode("utf-8") for text in texts]
        self.write_block(b"".join(parts), np.fromiter(map(len, parts), dtype=np.uint64, count=len(parts)))

    def write_block(self, data: bytes | memoryview, sizes: NDArray[np.uint64]) -> None:
        """Add texts that are encoded already: their bytes end to end, and the length of each."""
        self._texts.write(data)
        ends = np.cumsum(sizes, dtype=np.uint64) + np.uint64(self._size)
        self._starts.write(ends.astype("<u8").tobytes())
        self.num_texts += len(sizes)
        self._size += len(data)


class Spool:
    """Texts that were written.

    Args:
        path: As the writer was given it.

    Raises:
        StorageError: The two files do not fit together.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        texts, starts = path.with_name(path.name + TEXTS), path.with_name(path.name + STARTS)
        try:
            self.starts = np.fromfile(starts, dtype="<u8").astype(np.int64)  # (num_texts + 1,)
            size = texts.stat().st_size
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}", fix="prepare the corpus again") from error
        if not len(self.starts) or self.starts[-1] != size:
            raise StorageError(f"{texts.name} and {starts.name} do not belong together", fix="prepare the corpus again")
        self._data = np.memmap(texts, dtype=np.uint8, mode="r") if size else np.zeros(0, dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def num_bytes(self) -> int:
        """UTF-8 bytes of all texts."""
        return int(self.starts[-1])

    def text(self, row: int) -> str:
        """Return one text."""
        return self._data[self.starts[row] : self.starts[row + 1]].tobytes().decode("utf-8")

    def block(self, first: int, last: int) -> bytes:
        """Return the bytes of the texts from ``first`` to before ``last``, end to end."""
        return self._data[self.starts[first] : self.starts[last]].tobytes()

    def texts(self, first: int = 0, last: int | None = None) -> Iterator[str]:
        """Yield the texts from ``first`` to before ``last``, in their order."""
        stop = len(self) if last is None else last
        for start in range(first, stop, _READ):
            end = min(start + _READ, stop)
            data, begin = self.block(start, end), self.starts[start]
            places = (self.starts[start : end + 1] - begin).tolist()
            for left, right in pairwise(places):
                yield data[left:right].decode("utf-8")
