"""Delimited: rows of CSV and TSV files, numbered like a spreadsheet, with no line lost."""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pretune.configs import MAX_CELL, MAX_REJECTED_SHARE, ReadConfig
from pretune.data.read.accounts import checked_lines, count_lines, describe_lines
from pretune.data.read.decode import UndecodableError, decode, line_of, undecodable
from pretune.data.read.dialect import BACKSLASH, DELIMITERS, Dialect, find_delimiter, separator_of, width_of, with_escape
from pretune.data.read.parse import Parser
from pretune.data.read.quoting import (
    Piece,
    find_pieces,
    has_loose_quote,
    lines_are_rows,
    quotes_are_text,
    swallowed,
    swallowed_alone,
)
from pretune.data.read.table import Origin, RawTable, Row
from pretune.errors import DataError
from pretune.records import Rejection
from pretune.wording.counts import counted

_ESCAPED_QUOTE = re.compile(r'\\"(?!["\r\n]|$)')


@dataclass(slots=True)
class Reading:
    """A file as it comes out in one dialect.

    Args:
        dialect: How it was read.
        parser: What it counted.
        rows: Those of the header's width.
        rejected: Lines that are in none of them.
        pieces: Cells that are pieces of the table.
        notes: What was guessed, and why.
    """

    dialect: Dialect
    parser: Parser
    rows: list[Row]
    rejected: list[Rejection]
    pieces: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_even(self) -> bool:
        """Whether every record has the header's width, every quote its place, and no cell swallows rows."""
        parser = self.parser
        return not (parser.num_broken or parser.num_ragged or parser.unclosed or self.pieces)

    @property
    def num_lost(self) -> float:
        """Lines in records that cannot be used; more than any number where a quote takes in what it should not."""
        return math.inf if self.parser.unclosed or self.pieces else self.parser.num_broken + self.parser.num_ragged


def read_delimited(
    data: bytes, origin: Origin, encoding: str | None, dialect: Dialect | None = None, config: ReadConfig | None = None
) -> RawTable:
    """Return the rows of a CSV or TSV file with a header.

    The delimiter is the one that its name promises or its first line names (``sep=;``); where the header has none of it and
    one other (comma, semicolon, tab, bar) divides every record alike, that one is taken. Quotes hold cells together, unless
    they swallow rows or break records and every line comes out even without them: then they are text. Backslashes before
    quotes are read where that alone makes the records even. All that is told by the file is noted, as are empty lines
    and a header that stands there again, which are not rows (decision 0027).

    Args:
        data: The file's bytes, unpacked.
        origin: The file.
        encoding: As ``decode`` takes it.
        dialect: How to read it, where that is known; nothing is guessed then.
        config: What was asked for of quoting, escape sign and bounds.

    Raises:
        DataError: Another encoding or delimiter, no or a double header, a quote that never closes or swallows rows.
    """
    try:
        text, name = decode(data, encoding)
    except UndecodableError as error:
        row = _row_at(data, error, dialect or Dialect(DELIMITERS[origin.format]))
        raise undecodable(origin, error, row, line_of(data, error)) from error
    origin, config = replace(origin, encoding=name), config or ReadConfig()
    lines, num_lines = list(io.StringIO(text, newline="")), count_lines(text)
    with any_field_size(len(text)):
        found = choose_reading(lines, origin, config) if dialect is None else _read(lines, dialect, origin, config)
    if found.parser.unclosed:
        raise found.parser.unclosed.error(origin)
    counts = checked_lines(found.parser, num_lines)
    return RawTable(
        origin=origin,
        columns=found.parser.columns,
        rows=found.rows,
        rejected=found.rejected,
        notes=[*found.notes, *describe_lines(found.parser)],
        lines=counts,
    )


def choose_reading(lines: Sequence[str], origin: Origin, config: ReadConfig, *, is_whole: bool = True) -> Reading:
    """Return the reading that was asked for, or else the one that the lines speak for.

    Args:
        lines: Of the file, with their ends.
        origin: The file.
        config: What was asked for.
        is_whole: Whether these are all of the file's lines; a quote that is open at the end is no fault otherwise.

    Raises:
        DataError: Quotes swallow rows, and nothing says that they are text; or there is no header that can be used.
    """
    found = _choose(lines, origin, config, is_whole=is_whole)
    if not found.dialect.escape:
        found.notes += _note_escapes(lines, origin, is_whole=is_whole)
    return found


def _choose(lines: Sequence[str], origin: Origin, config: ReadConfig, *, is_whole: bool) -> Reading:
    dialect, notes, skipped = _begin(lines, origin, config)
    plain = _read(lines, dialect, origin, config, skipped)
    plain.notes = notes
    if not is_whole and plain.parser.unclosed and plain.parser.unclosed.num_characters <= MAX_CELL:
        plain.parser.unclosed = None
    if config.quoting is not None:
        return plain
    plain.pieces = _pieces_of(plain, lines)
    if plain.is_even:
        return plain
    others = () if config.escape else (_with_backslash(plain, lines), _without_quotes(plain, lines))
    for other, note in filter(None, others):
        found = _try(lines, other, origin, config, skipped)
        if found is not None and not other.quoted and not lines_are_rows(found.rows, plain.rows):
            continue
        if found is not None and (found.is_even or found.parser.num_ragged < plain.num_lost):
            found.notes = [*notes, note]
            return found
    if plain.pieces:
        raise _swallowed(plain, origin)
    return plain


def _begin(lines: Sequence[str], origin: Origin, config: ReadConfig) -> tuple[Dialect, list[str], int]:
    """Return the dialect to begin with, what is to be said of it, and how many lines name the delimiter."""
    mark = separator_of(lines[0]) if lines else None
    dialect = Dialect(mark or DELIMITERS[origin.format], quoted=config.quoting != "none", escape=config.escape or "")
    if mark is not None:
        notes = [f"{origin.name}: the first line, sep=, says that cells are separated by {dialect.shown}s; it is not a row"]
    else:
        dialect, notes = find_delimiter(lines, origin, dialect)
    if config.escape:
        dialect = with_escape(dialect, config.escape, lines)
    return dialect, notes, int(mark is not None)


def _read(lines: Sequence[str], dialect: Dialect, origin: Origin, config: ReadConfig, skipped: int = 0) -> Reading:
    rejected: list[Rejection] = []
    parser = Parser(
        lines=lines[skipped:] if skipped else lines,
        origin=origin,
        dialect=dialect,
        reject=rejected.append,
        skipped=skipped,
        max_columns=config.max_columns,
    )
    return Reading(dialect, parser, list(parser.rows()), rejected)


def _pieces_of(reading: Reading, lines: Sequence[str]) -> list[Piece]:
    rows, spans = reading.rows, reading.parser.spans
    if not spans:
        return []
    if len(reading.parser.columns) == 1:  # nothing beside the text to know a row by
        return [Piece(rows[spans[0]], 0, 2)] if has_loose_quote(lines, reading.dialect.escape) else []
    return find_pieces(rows, spans, reading.dialect.delimiter)


def _with_backslash(plain: Reading, lines: Sequence[str]) -> tuple[Dialect, str] | None:
    mark, name = plain.dialect.delimiter, plain.parser.origin.name
    if not any(BACKSLASH in line and ('\\"' in line or BACKSLASH + mark in line) for line in lines):
        return None
    note = f"{name} is read with a backslash as the escape character: only then do all rows have the header's cells"
    return with_escape(plain.dialect, BACKSLASH, lines), f"{note}; --quoting minimal reads backslashes as text"


def _without_quotes(plain: Reading, lines: Sequence[str]) -> tuple[Dialect, str] | None:
    if not any('"' in line for line in lines):
        return None
    parser, name = plain.parser, plain.parser.origin.name
    even = f"lines have the header's {len(parser.columns)} cells" if len(parser.columns) > 1 else "every line is a row"
    if plain.pieces:
        row = plain.pieces[0].row
        why = f"read as a quote, the one in line {row.line or row.number} swallows lines"
    elif parser.unclosed:
        why = f"read as a quote, the one in line {parser.unclosed.line} never closes"
    else:
        why = f"read as quotes, they break {counted(parser.num_broken + parser.num_ragged, 'line')}"
    note = f"{name} is read without quoting, so that {even}: {why}; --quoting minimal reads quotes around cells"
    return replace(plain.dialect, quoted=False), note


def _try(lines: Sequence[str], dialect: Dialect, origin: Origin, config: ReadConfig, skipped: int) -> Reading | None:
    """Return the reading in this dialect, if it makes sense of every line."""
    try:
        found = _read(lines, dialect, origin, config, skipped)
    except DataError:  # its header cannot be used
        return None
    if not dialect.quoted:
        return found if found.rows and _is_bare(found) else None
    return found if found.is_even and found.rows and not _pieces_of(found, lines) else None


def _is_bare(found: Reading) -> bool:
    """Whether a reading without quotes makes sense: all lines are even, but for a few that no quotes would make even."""
    parser, quoted = found.parser, replace(found.dialect, quoted=True)
    if parser.num_ragged > MAX_REJECTED_SHARE * (len(found.rows) + parser.num_ragged):
        return False
    if any(width_of(line, quoted) == len(parser.columns) for line in parser.ragged):
        return False
    return quotes_are_text(found.rows, parser.columns)


def _swallowed(reading: Reading, origin: Origin) -> DataError:
    if len(reading.parser.columns) == 1:
        return swallowed_alone(reading.pieces[0].row, reading.parser.columns[0], origin)
    return swallowed(reading.pieces, reading.parser.columns, origin)


def _note_escapes(lines: Sequence[str], origin: Origin, *, is_whole: bool) -> list[str]:
    num_found = sum('\\"' in line and _ESCAPED_QUOTE.search(line) is not None for line in lines)
    among = "" if is_whole else f" of the first {len(lines):,}"
    note = f"{origin.name}: {num_found:,}{among} lines hold \\\" as text; --escape '\\\\' reads it as a quote"
    return [note] if num_found else []


def _row_at(data: bytes, error: UndecodableError, dialect: Dialect) -> int | None:
    """The spreadsheet row of the first byte that cannot be decoded."""
    if error.offset == 0:
        return None
    prefix = data[: error.offset].decode(error.tried, "replace")
    with any_field_size(len(prefix)):
        return max(1, sum(1 for _ in dialect.reader(io.StringIO(prefix + "?", newline=""), strict=False)))


@contextmanager
def any_field_size(size: int) -> Iterator[None]:
    """Let the csv module parse cells of any size; which are too long is ours to say."""
    before = csv.field_size_limit(max(size, 1 << 17))
    try:
        yield
    finally:
        csv.field_size_limit(before)
