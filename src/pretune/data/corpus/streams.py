"""Streams: a file's bytes and lines piece by piece, unpacked and decoded, so that no file is ever held."""

import gzip
import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, cast

from pretune.data.corpus.intake import MAX_CHARACTERS, Intake
from pretune.data.read.decode import UndecodableError, decode_stream, undecodable, unmarked_utf16
from pretune.data.read.files import check_promise, reading_errors, unreadable
from pretune.data.read.limits import SizeLimit
from pretune.data.read.table import unusable
from pretune.data.read.walk import open_file

CHUNK = 1 << 20
RECORDS = ("json lines", "csv", "tsv")  # formats whose lines may not be cut
_GZIP = b"\x1f\x8b"


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


def read_lines(path: Path, intake: Intake) -> Iterator[str]:
    """Yield a text file's lines without their ends.

    Raises:
        DataError: It cannot be opened, is damaged, binary, or in another encoding.
    """
    try:
        file = os.fdopen(open_file(path), "rb")
    except OSError as error:
        raise unreadable(intake.origin, error) from error
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
    intake.encoding = intake.config.encoding or "utf-8"
    pieces = decode_stream(_checked(_chunks(file, intake, unpack), intake), intake.config.encoding)
    try:
        first = next(pieces, "")
        pieces = chain([first], pieces)
        is_text = intake.origin.format not in RECORDS and not (unpack is None and first.lstrip().startswith("{"))
        yield from _cut_lines(pieces) if is_text else _whole_lines(pieces, intake)
    except UndecodableError as error:
        raise undecodable(intake.origin, error, error.line) from error


def _cut_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Yield lines; where no line end comes for long, what there is is one."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from lines
        if len(rest) > MAX_CHARACTERS:
            yield rest
            rest = ""
    if rest:
        yield rest


def _whole_lines(pieces: Iterable[str], intake: Intake) -> Iterator[str]:
    """Yield the lines of JSON or of a table, each whole; one that is too long is rejected, and empty.

    Raises:
        DataError: A line of a table is too long: where its row ends cannot be told.
    """
    rest, number, is_skipped, most = "", 0, False, intake.config.max_line
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        for line in lines:
            number += 1
            is_long = is_skipped or len(line) > most
            if is_long and not is_skipped:
                _reject_line(number, intake)
            is_skipped = False
            yield "" if is_long else line
        if is_skipped or len(rest) > most:
            if not is_skipped:
                _reject_line(number + 1, intake)
            is_skipped, rest = True, ""
    if rest and not is_skipped:
        yield rest


def _reject_line(number: int, intake: Intake) -> None:
    reason = f"is a line of more than {intake.config.max_line:,} characters"
    if intake.origin.format not in ("csv", "tsv"):
        intake.reject(number, reason)
        return
    raise unusable(
        intake.origin, reason, expected="shorter lines", fix="check its quotes; --set corpus.max_line=N raises the limit",
        at=(None, None, number),
    )  # fmt: skip


def _chunks(file: IO[bytes], intake: Intake, unpack: bool | None) -> Iterator[bytes]:
    origin = intake.origin
    with reading_errors(origin):
        source = _Hashed(file)
        is_packed = source.first == _GZIP if unpack is None else unpack
        if is_packed and source.first != _GZIP:
            what = "is empty" if not source.first else "is named .gz and is not gzip-compressed"
            raise unusable(origin, what, expected="gzip data", fix="remove .gz from its name, or copy it again")
        opened = gzip.GzipFile(fileobj=cast(IO[bytes], source)) if is_packed else source
        num_bytes, limit = 0, SizeLimit.of_stream(intake.config.max_size)
        while chunk := opened.read(CHUNK):
            num_bytes += len(chunk)
            limit.check(num_bytes, source.num_bytes if is_packed else None, origin)
            yield chunk
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
