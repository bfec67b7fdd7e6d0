"""Streamed: rows of a file that is too large to be held, read as a smaller one is, a record at a time."""

import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from pretune.configs import ReadConfig
from pretune.data.read.arrow import damaged, from_batches
from pretune.data.read.columns import shown_columns
from pretune.data.read.decode import UndecodableError, decode_stream, encoding_of, undecodable
from pretune.data.read.delimited import Reading, any_field_size, checked_lines, choose_reading, describe_lines
from pretune.data.read.files import check_promise, reading_errors
from pretune.data.read.lines import json_columns, json_rows
from pretune.data.read.parse import Parser
from pretune.data.read.quoting import find_pieces, habits_of, swallowed
from pretune.data.read.table import Origin, Row, check_names, unusable
from pretune.optional import require
from pretune.records import Rejection

Item = Row | Rejection
Opened = tuple[Origin, tuple[str, ...], Callable[[], Iterator[Item]], list[str]]

# Characters from which it is told how a table is read, and those of its longest cell.
AHEAD = 16_000_000
# Characters of one line beyond which a file is no table; a bound on what is held at a time.
MAX_LINE = 64_000_000
BYTES_AT_A_TIME = 1 << 20
PARQUET_ROWS = 1_024


def open_streamed(path: Path, origin: Origin, config: ReadConfig) -> Opened:
    """Return the origin, the columns, what yields the rows from the first on, and what is to be said of the reading.

    Raises:
        DataError: As ``read_table``; what speaks against the reading later on is raised by the rows.
    """
    if origin.format == "parquet":
        return _open_parquet(path, origin)
    with reading_errors(origin), path.open("rb") as file:
        first = _unpacked(file, path).read(BYTES_AT_A_TIME)
    check_promise(first, origin)
    try:
        origin = replace(origin, encoding=encoding_of(first, config.encoding))
    except UndecodableError as error:
        raise undecodable(origin, error, error.line) from error
    if origin.format == "json lines":
        return _open_json_lines(path, origin, config)
    if origin.format == "text lines":
        return origin, ("text",), lambda: _text_rows(lines_of(path, origin)), []
    return _open_delimited(path, origin, config)


def lines_of(path: Path, origin: Origin) -> Iterator[str]:
    r"""Yield the lines of a file with their ends: ``\n``, ``\r\n`` or ``\r``.

    Raises:
        DataError: It is damaged, in another encoding, or has a line that is no line of a table.
    """
    name = origin.encoding or "utf-8"
    is_first = True
    with reading_errors(origin), path.open("rb") as file:
        stream = io.BufferedReader(cast(Any, _unpacked(file, path)), BYTES_AT_A_TIME)
        text = io.TextIOWrapper(stream, encoding=name, newline="")
        while True:
            try:
                line = text.readline(MAX_LINE)
            except UnicodeError as error:
                raise _explain(path, origin, error) from error
            if not line:
                return
            if len(line) == MAX_LINE and line[-1] not in "\r\n":
                raise unusable(
                    origin, f"one line has more than {MAX_LINE:,} characters", expected="rows of a table",
                    fix="check what the file is",
                )  # fmt: skip
            yield line.removeprefix("\ufeff") if is_first else line
            is_first = False


def _open_delimited(path: Path, origin: Origin, config: ReadConfig) -> Opened:
    lines = lines_of(path, origin)
    ahead = list(_ahead(lines))
    lines.close()  # type: ignore[attr-defined]
    with any_field_size(AHEAD):
        found = choose_reading(ahead, origin, config, is_whole=False)
    notes, is_told = found.notes, False
    habits = habits_of(found.rows) if config.quoting is None and len(found.parser.columns) > 1 else None

    def rows() -> Iterator[Item]:
        nonlocal is_told
        rejected: list[Rejection] = []
        parser = _parser(_skipping(lines_of(path, origin), found.parser.skipped), found, rejected, config)
        with any_field_size(AHEAD):
            for row in parser.rows():
                yield from rejected
                rejected.clear()
                if parser.spans:
                    parser.spans.clear()
                    pieces = [] if habits is None else find_pieces([row], [0], found.dialect.delimiter, habits)
                    if pieces:
                        raise swallowed(pieces, parser.columns, origin)
                yield row
        yield from rejected
        if parser.unclosed:
            raise parser.unclosed.error(origin)
        checked_lines(parser, parser.num_lines)
        notes.extend([] if is_told else describe_lines(parser))
        is_told = True

    return origin, found.parser.columns, rows, notes


def _parser(lines: Iterator[str], found: Reading, rejected: list[Rejection], config: ReadConfig) -> Parser:
    return Parser(
        lines=lines, origin=found.parser.origin, dialect=found.dialect, reject=rejected.append, skipped=found.parser.skipped,
        max_columns=config.max_columns,
    )  # fmt: skip


def _skipping(lines: Iterator[str], number: int) -> Iterator[str]:
    for _ in range(number):
        next(lines, None)
    return lines


def _ahead(lines: Iterator[str]) -> Iterator[str]:
    size = 0
    while size < AHEAD and (line := next(lines, None)) is not None:
        size += len(line)
        yield line


def _open_json_lines(path: Path, origin: Origin, config: ReadConfig) -> Opened:
    keys = tuple(json_columns(lines_of(path, origin), config.max_columns))
    columns = tuple(key if key.isascii() else key.encode("utf-8", "replace").decode() for key in keys)
    check_names(columns, origin)
    if len(columns) > config.max_columns:
        raise unusable(
            origin, f"its objects have more than {config.max_columns:,} keys: {shown_columns(columns)}",
            expected=f"at most {config.max_columns:,}", fix="check what the file is, or pass --max-columns",
        )  # fmt: skip
    return origin, columns, lambda: json_rows(lines_of(path, origin), keys, origin), []


def _text_rows(lines: Iterator[str]) -> Iterator[Item]:
    return (Row(number, [line.strip()]) for number, line in enumerate(lines, 1) if not line.isspace())


def _open_parquet(path: Path, origin: Origin) -> Opened:
    pyarrow, parquet = require("pyarrow", extra="parquet"), require("pyarrow.parquet", extra="parquet")
    try:
        with parquet.ParquetFile(path) as file:
            columns = tuple(map(str, file.schema_arrow.names))
    except (pyarrow.ArrowException, OSError) as error:
        raise damaged(error, origin) from error
    check_names(columns, origin)

    def rows() -> Iterator[Item]:
        number = 0
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=PARQUET_ROWS):
                    part = from_batches(iter([batch]), file.schema_arrow, origin)
                    yield from (Row(number + row.number, row.cells) for row in part.rows)
                    number += len(part.rows)
        except (pyarrow.ArrowException, OSError) as error:
            raise damaged(error, origin) from error

    return origin, columns, rows, []


def _unpacked(file: IO[bytes], path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if path.name.lower().endswith(".gz") else file


def _explain(path: Path, origin: Origin, error: UnicodeError) -> Exception:
    """Return the message about the first byte that cannot be decoded, with its line."""
    try:
        with path.open("rb") as file:
            unpacked = _unpacked(file, path)
            for _ in decode_stream(iter(lambda: unpacked.read(BYTES_AT_A_TIME), b""), origin.encoding):
                pass
    except UndecodableError as found:
        return undecodable(origin, found, found.line)
    return unusable(origin, f"cannot be decoded: {error}", expected=f"{origin.encoding}", fix="pass --encoding")
