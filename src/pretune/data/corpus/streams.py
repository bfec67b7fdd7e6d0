"""Streams: a file's bytes and lines piece by piece, unpacked and decoded, so that no file is ever held."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from pretune.data.corpus.intake import MAX_CHARACTERS, Intake
from pretune.data.decode import UndecodableError, decode_stream, undecodable, unmarked_utf16
from pretune.data.files import check_promise
from pretune.data.table import unusable

CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


class _Hashed:
    """A file that is hashed as it is read; ``gzip`` needs no more than these two methods of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.first, self.digest = file, file.read(2), hashlib.sha256()
        self._ahead = self.first

    def read(self, size: int) -> bytes:
        data = self._ahead + self._file.read(size - len(self._ahead))
        self._ahead = b""
        self.digest.update(data)
        return data

    def close(self) -> None:
        """Whoever opened the file closes it."""


def read_lines(path: Path, intake: Intake) -> Iterator[str]:
    """Yield a text file's lines without their ends.

    Raises:
        DataError: It cannot be opened, is damaged, binary, or in another encoding.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(error, intake) from error
    with file:
        yield from lines_of(file, intake, unpack=path.name.lower().endswith(".gz"))


def lines_of(file: IO[bytes], intake: Intake, *, unpack: bool | None = None) -> Iterator[str]:
    """Yield the lines of an open file.

    Args:
        file: In binary mode.
        intake: Receives digest and encoding.
        unpack: Whether the bytes are gzip; ``None`` looks at the first two.

    Raises:
        DataError: As ``read_lines``.
    """
    rest = ""
    intake.encoding = intake.config.encoding or "utf-8"
    try:
        for piece in decode_stream(_checked(_chunks(file, intake, unpack), intake), intake.config.encoding):
            *lines, rest = (rest + piece).split("\n")
            yield from lines
            if len(rest) > MAX_CHARACTERS:  # no line end anywhere
                yield rest
                rest = ""
    except UndecodableError as error:
        raise undecodable(intake.origin, error, error.line) from error
    if rest:
        yield rest


def _chunks(file: IO[bytes], intake: Intake, unpack: bool | None) -> Iterator[bytes]:
    origin = intake.origin
    try:
        source = _Hashed(file)
        is_packed = source.first == _GZIP if unpack is None else unpack
        if is_packed and source.first != _GZIP:
            what = "is empty" if not source.first else "is named .gz and is not gzip-compressed"
            raise unusable(origin, what, expected="gzip data", fix="remove .gz from its name, or copy it again")
        opened = gzip.GzipFile(fileobj=cast(IO[bytes], source)) if is_packed else source
        while chunk := opened.read(CHUNK):
            yield chunk
    except EOFError as error:
        raise unusable(
            origin, "the gzip data ends too early", expected="a whole file", fix="copy or download it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise unusable(origin, f"the gzip data is damaged: {error}", expected="a whole file", fix="copy it again") from error
    except OSError as error:
        raise _unreadable(error, intake) from error
    intake.sha256 = source.digest.hexdigest()


def _checked(chunks: Iterator[bytes], intake: Intake) -> Iterator[bytes]:
    """Look at the first bytes: another format, or no text at all."""
    is_first = True
    for chunk in chunks:
        if is_first:
            check_promise(chunk, intake.origin)
            is_wide = chunk.startswith((b"\xff\xfe", b"\xfe\xff")) or unmarked_utf16(chunk) is not None
            if b"\0" in chunk[:8192] and not is_wide and intake.config.encoding is None:
                raise unusable(
                    intake.origin,
                    "is a binary file, not text: it holds zero bytes",
                    expected="text, JSON lines, CSV or Parquet, each also .gz",
                    fix="take it out of the corpus, or export its text",
                )
        is_first = False
        yield chunk


def _unreadable(error: OSError, intake: Intake) -> Exception:
    return unusable(
        intake.origin,
        f"cannot be read: {error.strerror or error}",
        expected="a file that you may read",
        fix="check its permissions and the disk",
    )
