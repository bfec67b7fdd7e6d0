"""Streams: a file's bytes and lines piece by piece, unpacked and decoded, so that no file is held in memory."""

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from pretune.data.corpus.intake import MAX_CHARACTERS, Intake
from pretune.data.read.decode import UndecodableError, decode_stream, undecodable, unmarked_utf16
from pretune.data.read.files import check_promise, is_packed
from pretune.data.read.limits import SizeLimit
from pretune.data.read.table import unusable
from pretune.data.read.unpack import Unpacked, reading_errors, unreadable
from pretune.data.read.walk import open_file

RECORDS = ("json lines", "csv", "tsv")  # formats whose lines may not be cut


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
        yield from lines_of(file, intake, unpack=is_packed(path))


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
        intake.origin,
        reason,
        expected="shorter lines",
        fix="check its quotes; --set corpus.max_line=N raises the limit",
        at=(None, None, number),
    )


def _chunks(file: IO[bytes], intake: Intake, unpack: bool | None) -> Iterator[bytes]:
    with reading_errors(intake.origin):
        source = Unpacked(file, intake.origin, SizeLimit.of_stream(intake.config.max_size), is_packed=unpack)
        while chunk := source.read():
            yield chunk
    intake.sha256 = source.sha256


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
