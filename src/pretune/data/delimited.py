"""Delimited: CSV and TSV to rows, numbered as a spreadsheet numbers them."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from pretune.data.columns import shown_columns
from pretune.data.decode import UndecodableError, decode, line_of, undecodable
from pretune.data.table import Origin, RawTable, Row, check_names, unusable
from pretune.records import Rejection

if TYPE_CHECKING:
    import _csv

DELIMITERS = {"csv": ",", "tsv": "\t"}
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Records over which another delimiter must hold before it is taken.
SNIFFED_RECORDS = 200


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are separated, and whether they may be quoted."""

    delimiter: str
    quoted: bool = True

    def reader(self, text: str, *, strict: bool = True) -> "_csv.Reader":
        """Return a reader over ``text`` that keeps line ends inside quotes as they are."""
        lines = io.StringIO(text, newline="")
        if self.quoted:
            return csv.reader(lines, delimiter=self.delimiter, strict=strict)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=strict)


def read_delimited(data: bytes, origin: Origin, encoding: str | None, dialect: Dialect | None = None) -> RawTable:
    """Return the rows of a CSV or TSV file with a header.

    The delimiter is the one its name promises; where the header has none of it and one other (comma, semicolon,
    tab, bar) divides every record alike, that one is taken and noted. Lines that are empty are not rows, and are noted.

    Args:
        data: The file's bytes, unpacked.
        origin: The file.
        encoding: As ``decode`` takes it.
        dialect: How to read it, where that is known; nothing is sniffed then.

    Raises:
        DataError: Another encoding or delimiter, no or a double header, a quote that is never closed.
    """
    expected = dialect or Dialect(DELIMITERS[origin.format])
    try:
        text, name = decode(data, encoding)
    except UndecodableError as error:
        row = _row_at(data, error, expected)
        raise undecodable(origin, error, row, line_of(data, error)) from error
    origin = replace(origin, encoding=name)
    notes: list[str] = []
    with _any_field_size(len(text)):
        if dialect is None:
            expected, notes = _sniff(text, origin, expected)
        return _parse(text, origin, expected, notes)


def _parse(text: str, origin: Origin, dialect: Dialect, notes: list[str]) -> RawTable:
    reader = dialect.reader(text)
    header, number = _header(reader, origin)
    raw = RawTable(origin=origin, columns=header, rows=[], notes=notes)
    width, num_blank = len(header), 0
    line = reader.line_num
    while True:
        start, number = line + 1, number + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            line = reader.line_num
            raw.rejected.append(_broken_row(raw, error, text, dialect, (number, start, line)))
            continue
        line = reader.line_num
        if len(cells) == width:
            raw.rows.append(Row(number, cells, None if start == number else start))
        elif not cells or (len(cells) == 1 and not cells[0].strip()):
            num_blank += 1
        else:
            count = f"{len(cells)} cell{'s' * (len(cells) > 1)}"
            reason = f"has {count}, the header has {width}" + ("" if start == number else f" (line {start})")
            raw.rejected.append(Rejection(file=origin.name, row=number, column=None, reason=reason))
    if num_blank:
        raw.notes.append(f"{origin.name}: {num_blank} empty lines, which are no rows")
    return raw


def _header(reader: "_csv.Reader", origin: Origin) -> tuple[tuple[str, ...], int]:
    """Return the column names and the row they stand in."""
    number, cells = next(
        (
            (number, cells)
            for number, cells in enumerate(_records(reader, origin), 1)
            if len(cells) > 1 or "".join(cells).strip()
        ),
        (1, []),
    )
    if not "".join(cells).strip():
        raise unusable(
            origin, "has no header", expected="column names in the first row", fix="add them", at=(number, None, None)
        )
    if "\0" in "".join(cells):
        raise unusable(
            origin,
            "holds NUL characters (zero bytes) in its header: this is no text, or its encoding is another",
            expected="a table of text",
            fix="check what the file is, or pass --encoding",
            at=(number, None, None),
        )
    names = [cell.strip() or f"column {index}" for index, cell in enumerate(cells, 1)]
    check_names(names, origin, number)
    return tuple(names), number


def _records(reader: "_csv.Reader", origin: Origin) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise unusable(
            origin, f"the header cannot be read: {error}", expected="column names", fix="check its quotes", at=(1, None, None)
        ) from error


def _broken_row(raw: RawTable, error: csv.Error, text: str, dialect: Dialect, at: tuple[int, int, int]) -> Rejection:
    """The rejection of a row whose quotes are wrong, or the error where one swallows the rest of the file."""
    number, start, end = at
    lines = list(islice(io.StringIO(text, newline=""), start - 1, end))
    if "unexpected end of data" in str(error):
        column = _column_after(lines[0], raw.columns, dialect)
        raise unusable(
            raw.origin,
            "a quote opens here and never closes, so the rest of the file is one cell",
            expected="a closing quote",
            fix='close it, or write a quote inside a quoted cell as two: ""',
            at=(number, column, start),
        ) from error
    column = _column_after(_until_broken("".join(lines), dialect), raw.columns, dialect)
    reason = 'text stands after a closing quote (inside a quoted cell a quote is written as two: "")'
    shown = reason if "expected after" in str(error) else str(error)
    line = "" if start == number else f" (line {start})"
    return Rejection(file=raw.origin.name, row=number, column=column, reason=shown + line)


def _until_broken(record: str, dialect: Dialect) -> str:
    """The longest beginning of a record that has nothing after a closing quote, found by halving."""
    low, high = 0, len(record)
    while low < high:
        middle = (low + high + 1) // 2
        try:
            next(dialect.reader(record[:middle]), None)
            low = middle
        except csv.Error as error:
            low, high = (middle, high) if "unexpected end" in str(error) else (low, middle - 1)
    return record[:low]


def _column_after(beginning: str, columns: tuple[str, ...], dialect: Dialect) -> str | None:
    """The column in which the last cell of a record's beginning stands."""
    cells: list[str] = next(dialect.reader(beginning, strict=False), [])
    return columns[len(cells) - 1] if 0 < len(cells) <= len(columns) else None


def _sniff(text: str, origin: Origin, dialect: Dialect) -> tuple[Dialect, list[str]]:
    """Return the dialect that fits, and a note where it is not the one that the name promises."""
    first = _widths(text, dialect)
    if first and first[0] > 1:
        return dialect, []
    others = {mark: _widths(text, Dialect(mark)) for mark in NAMES if mark != dialect.delimiter}
    divided = {mark: widths for mark, widths in others.items() if widths and widths[0] > 1}
    even = [mark for mark, widths in divided.items() if set(widths) == {widths[0]}]
    if len(even) == 1:
        return Dialect(even[0]), [f"{origin.name} is named .{origin.format} and read with {NAMES[even[0]]}s between its cells"]
    if not divided:
        return dialect, []
    mark, widths = next(iter(divided.items()))
    row = next((number for number, width in enumerate(widths, 1) if width != widths[0]), None)
    uneven = f"; with {NAMES[mark]}s row {row} has {widths[row - 1]} cells, the header {widths[0]}" if row else ""
    raise unusable(
        origin,
        f"the header has no {NAMES[dialect.delimiter]}: {shown_columns([text.splitlines()[0]])}{uneven}",
        expected=f"{NAMES[dialect.delimiter]}s between the cells, as the name .{origin.format} says",
        fix="save it with that delimiter, or quote the cells that hold it",
        at=(1, None, None),
    )


def _widths(text: str, dialect: Dialect) -> list[int]:
    try:
        records = list(islice(dialect.reader(text, strict=False), SNIFFED_RECORDS))
    except csv.Error:
        return []
    return [len(cells) for cells in records if cells]


def _row_at(data: bytes, error: UndecodableError, dialect: Dialect) -> int | None:
    """The spreadsheet row of the first byte that cannot be decoded."""
    if error.offset == 0:
        return None
    prefix = data[: error.offset].decode(error.tried, "replace")
    with _any_field_size(len(prefix)):
        return max(1, sum(1 for _ in dialect.reader(prefix + "?", strict=False)))


@contextmanager
def _any_field_size(size: int) -> Iterator[None]:
    """Let the csv module parse cells of any size; which are too long is ours to say."""
    before = csv.field_size_limit(max(size, 1 << 17))
    try:
        yield
    finally:
        csv.field_size_limit(before)
