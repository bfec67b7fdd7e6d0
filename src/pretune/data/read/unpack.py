"""Unpack: the bytes of a file, decompressed if it is gzip, bounded and hashed on the way."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from pretune.data.read.limits import SizeLimit
from pretune.data.read.table import Origin, unusable
from pretune.errors import DataError

PIECE = 1 << 20  # bytes that are read before the limit is looked at again
_GZIP = b"\x1f\x8b"


class Unpacked(io.RawIOBase):
    """A file that is open for reading in binary mode, unpacked; whoever opened it closes it.

    Args:
        file: It.
        origin: Its name, for messages.
        limit: How much may come out of it.
        is_packed: Whether it is gzip; ``None`` looks at its first two bytes.

    Raises:
        DataError: It is to be gzip, and is not; or, while it is read, more comes out than may.
    """

    def __init__(self, file: IO[bytes], origin: Origin, limit: SizeLimit, *, is_packed: bool | None) -> None:
        super().__init__()
        self._source, self._origin, self._limit = _Hashed(file), origin, limit
        is_gzip = self._source.first == _GZIP
        self._is_packed = is_gzip if is_packed is None else is_packed
        if self._is_packed and not is_gzip:
            raise _not_packed(origin, is_empty=not self._source.first)
        self._opened: Any = gzip.GzipFile(fileobj=cast(IO[bytes], self._source)) if self._is_packed else self._source
        self._num_bytes = 0

    @property
    def sha256(self) -> str:
        """Digest of the bytes on disk, as far as they were read."""
        return self._source.digest.hexdigest()

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = PIECE) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        data = bytes(self._opened.read(size))
        self._num_bytes += len(data)
        self._limit.check(self._num_bytes, self._source.num_bytes if self._is_packed else None, self._origin)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as there is something; return how far."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Hashed:
    """A file that is hashed as it is read; ``gzip`` needs no more than these two methods of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.first, self.digest = file, file.read(2), hashlib.sha256()
        self._ahead, self.num_bytes = self.first, 0

    def read(self, size: int) -> bytes:
        data = self._ahead + self._file.read(size - len(self._ahead))
        self._ahead, self.num_bytes = b"", self.num_bytes + len(data)
        self.digest.update(data)
        return data

    def close(self) -> None:
        """Whoever opened the file closes it."""


def _not_packed(origin: Origin, *, is_empty: bool) -> DataError:
    if is_empty:
        return unusable(origin, "is empty", expected="gzip data", fix="check that it was written and copied in full")
    return unusable(
        origin,
        "is named .gz and is not gzip-compressed",
        expected="gzip data",
        fix="remove .gz from its name, or compress it with gzip",
    )


def unreadable(origin: Origin, error: OSError) -> DataError:
    """Return the error for what cannot be opened or read."""
    reason = error.strerror or str(error)
    if reason.startswith("is a"):  # a pipe, a socket, a device
        return unusable(origin, reason, expected="a file", fix="write what comes out of it to a file, and name that")
    return unusable(
        origin, f"cannot be read: {reason}", expected="a file that you may read", fix="check its permissions and the disk"
    )


@contextmanager
def reading_errors(origin: Origin, *, size: int | None = None) -> Iterator[None]:
    """Turn what a damaged gzip file or a disk says while a file is read into one message.

    Args:
        origin: The file.
        size: Its packed bytes, where all of them were read.

    Raises:
        DataError: The gzip data ends too early or is damaged, or the file cannot be read.
    """
    try:
        yield
    except EOFError as error:
        after = "" if size is None else f", after {size:,} bytes"
        raise unusable(
            origin, f"the gzip data ends too early{after}", expected="a whole file", fix="copy or download it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise unusable(origin, f"the gzip data is damaged: {error}", expected="a whole file", fix="copy it again") from error
    except OSError as error:
        raise unreadable(origin, error) from error
