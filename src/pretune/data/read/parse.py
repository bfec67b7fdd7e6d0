"""Parse: the records of a delimited file in one dialect, with every physical line accounted for."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, cast

from pretune.configs import MAX_COLUMNS
from pretune.data.read.dialect import Dialect, separator_of
from pretune.data.read.table import Origin, Row, check_names, unusable
from pretune.data.read.tally import Tally, Unclosed
from pretune.records import Rejection

if TYPE_CHECKING:
    import _csv

Place = tuple[int, int]  # first and last line of a record

# Delimiters in one line from which it is not even split: no cell and no header of a table has as many.
MAX_DELIMITERS = 1_000_000
MARK = "\ufeff"  # a byte-order mark; in the middle of a file where two were put one after the other

_AFTER_QUOTE = 'text stands after a closing quote (inside a quoted cell a quote is written as two: "")'
_PART = "is part of the record that begins in line {}, which cannot be read"


@dataclass(slots=True)
class Parser:
    """One pass over the lines of a file.

    Args:
        lines: With their ends; a list is not copied.
        origin: The file.
        dialect: How it is read.
        skipped: Lines before these that name the delimiter.
        max_columns: Cells that the header may have.
        reject: Called with each line that is in no row.

    Attributes:
        columns: Names, once ``start`` was called.
        spans: Places among the rows yielded of those that span several lines.
        repeated: Numbers of rows that were the header again.
        num_broken: Lines of records whose quotes are wrong.
        num_ragged: Lines of records with more or fewer cells than the header.
        ragged: These lines themselves, where quotes are text.
        unclosed: The quote that never closes, where there is one; nothing comes after it.
    """

    lines: Iterable[str]
    origin: Origin
    dialect: Dialect
    reject: Callable[[Rejection], None]
    skipped: int = 0
    max_columns: int = MAX_COLUMNS
    columns: tuple[str, ...] = ()
    spans: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    num_broken: int = 0
    num_ragged: int = 0
    ragged: list[str] = field(default_factory=list)
    num_lines: int = 0
    unclosed: Unclosed | None = None
    tally: Tally = field(default_factory=Tally)
    _held: list[str] = field(default_factory=list)
    _names: tuple[str, ...] = ()
    _end: str = ""

    def rows(self) -> Iterator[Row]:
        """Yield the rows that have the header's width; the header is read with the first.

        Raises:
            DataError: There is no header, or it cannot be used.
        """
        is_stream, held, skipped = not isinstance(self.lines, list), self._held, self.skipped
        reader = self.dialect.reader(self._hold() if is_stream else self._checked())
        number = self._read_header(reader)
        width, last, num_rows, end = len(self.columns), self._last(), 0, reader.line_num + skipped
        while True:
            if is_stream:
                held.clear()
            start, number = end + 1, number + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                end = reader.line_num + skipped
                if self._broken(error, number, (start, end)):
                    break
                continue
            end = reader.line_num + skipped
            if len(cells) != width:
                self._other(cells, number, (start, end))
            elif cells[-1] in last and self._is_again(cells):
                self._again(cells, number, (start, end))
            else:
                if end > start:
                    self.tally.within += end - start
                    self.spans.append(num_rows)
                num_rows += 1
                yield Row(number, cells, None if start == number else start)
        self.tally.rows += num_rows
        self.tally.separator += skipped
        self.num_lines = reader.line_num + skipped

    def _checked(self) -> list[str]:
        lines = cast(list[str], self.lines)
        if max(map(len, lines), default=0) > MAX_DELIMITERS:
            for number, line in enumerate(lines, 1):
                self._check_line(line, number)
        return lines

    def _hold(self) -> Iterator[str]:
        """Yield the lines, and keep those of the record that is being read."""
        held = self._held
        for number, line in enumerate(self.lines, 1):
            if len(line) > MAX_DELIMITERS:
                self._check_line(line, number)
            held.append(line)
            yield line

    def _check_line(self, line: str, number: int) -> None:
        if line.count(self.dialect.delimiter) > MAX_DELIMITERS:
            raise unusable(
                self.origin,
                f"one line has {line.count(self.dialect.delimiter):,} {self.dialect.shown}s",
                expected=f"at most {MAX_DELIMITERS:,}",
                fix="check what the file is",
                at=(None, None, number + self.skipped),
            )

    def _lines_of(self, at: Place) -> list[str]:
        """Return the lines of the record that was read last."""
        if isinstance(self.lines, list):
            return self.lines[at[0] - 1 - self.skipped : at[1] - self.skipped]
        return list(self._held)

    def _read_header(self, reader: "_csv.Reader") -> int:
        number, end, cells = 0, self.skipped, list[str]()
        while not "".join(cells).strip():
            self.tally.blank = end - self.skipped
            self._held.clear()
            start, number = end + 1, number + 1
            try:
                cells = next(reader)
            except StopIteration:
                raise unusable(
                    self.origin, "has no header", expected="column names in the first row", fix="add them", at=(1, None, None)
                ) from None
            except csv.Error as error:
                raise unusable(
                    self.origin,
                    f"the header cannot be read: {error}",
                    expected="column names",
                    fix="check its quotes, or pass --quoting none if they are text",
                    at=(number, None, None),
                ) from error
            if len(cells) > 1 and not "".join(cells).strip():
                raise unusable(
                    self.origin,
                    "has no header",
                    expected="column names in the first row",
                    fix="add them",
                    at=(number, None, None),
                )
            end = reader.line_num + self.skipped
        self.tally.header = end - start + 1
        self._check_header(cells, number, self._lines_of((start, end)))
        self._names, self._end = tuple(cell.strip() for cell in cells), cells[-1]
        self.columns = tuple(name or f"column {index}" for index, name in enumerate(self._names, 1))
        check_names(self.columns, self.origin, number)
        return number

    def _check_header(self, cells: list[str], number: int, lines: list[str]) -> None:
        if "\0" in "".join(cells):
            raise unusable(
                self.origin,
                "holds NUL characters (zero bytes) in its header: it is not text, or has another encoding",
                expected="a table of text",
                fix="check what the file is, or pass --encoding",
                at=(number, None, None),
            )
        if len(cells) > self.max_columns:
            raise unusable(
                self.origin,
                f"its header has {len(cells):,} columns",
                expected=f"at most {self.max_columns:,}",
                fix="keep the columns that are needed, or pass --max-columns N",
                at=(number, None, None),
            )
        counts = [line.count(self.dialect.delimiter) for line in lines]
        if len(counts) > 1 and counts[0] and 2 * counts.count(counts[0]) > len(counts):
            raise unusable(
                self.origin,
                f"a quote opens in the header and closes in line {self.skipped + len(counts)}; lines between look like rows",
                expected="column names in the first row",
                fix="take out the quote, or pass --quoting none if quotes are part of the text",
                at=(number, None, None),
            )

    def _last(self) -> tuple[str, ...]:
        """What a row that is no row may end with: the header again, or the rest of ``sep=``."""
        name = self._names[-1]
        return (self._end, "") if len(self._names) > 1 else (self._end, MARK + name, f'{MARK}"{name}"')

    def _is_again(self, cells: list[str]) -> bool:
        names = tuple(cell.strip() for cell in cells)
        first = names[0].removeprefix(MARK).strip('"')
        return (first, *names[1:]) == self._names or (first == "sep=" and not any(names[1:]))

    def _again(self, cells: list[str], number: int, at: Place) -> None:
        """Leave out the header, or the line that names the delimiter, of a file that was put after another one."""
        if "sep=" in cells[0]:
            self.tally.separator += at[1] - at[0] + 1
        else:
            self.tally.repeated += at[1] - at[0] + 1
            self.repeated.append(number)

    def _other(self, cells: list[str], number: int, at: Place) -> None:
        """A record of another width: an empty line, a line that names the delimiter, or a row that cannot be used."""
        lines = self._lines_of(at)
        if not cells or (len(cells) == 1 and not cells[0].lstrip(MARK).strip()):
            self.tally.blank += len(lines)
        elif len(lines) == 1 and separator_of(lines[0]):
            self.tally.separator += 1
        else:
            self.num_ragged += len(lines)
            if not self.dialect.quoted:
                self.ragged.extend(lines)
            count = f"{len(cells):,} cell{'s' * (len(cells) > 1)}"
            self._reject(number, at, None, f"has {count}, the header has {len(self.columns)}")

    def _broken(self, error: csv.Error, number: int, at: Place) -> bool:
        """Reject the lines of a record whose quotes are wrong; return whether a quote swallows the rest of the file."""
        record, start = "".join(self._lines_of(at)), at[0]
        column = self._column_of(record)
        if "unexpected end of data" in str(error):
            self.unclosed = Unclosed(number, start, column, len(record))
            self.tally.rows += at[1] - start + 1
            return True
        if "field larger" in str(error):
            raise unusable(
                self.origin,
                f"a cell has more than {csv.field_size_limit():,} characters: a quote that opens here may never close",
                expected="a closing quote",
                fix="close it; or pass --quoting none if quotes are part of the text",
                at=(number, column, start),
            ) from error
        self.num_broken += at[1] - start + 1
        self._reject(number, at, column, _AFTER_QUOTE if "expected after" in str(error) else str(error))
        return False

    def _reject(self, number: int, at: Place, column: str | None, reason: str) -> None:
        """Reject every line of a record: one that cannot be read was as many rows as it has lines."""
        start, num_lines = at[0], at[1] - at[0] + 1
        self.tally.rows += num_lines
        shown = reason + ("" if start == number else f" (line {start})")
        self.reject(Rejection(file=self.origin.name, row=number, column=column, reason=shown))
        for _ in range(num_lines - 1):
            self.reject(Rejection(file=self.origin.name, row=number, column=None, reason=_PART.format(start)))

    def _column_of(self, record: str) -> str | None:
        """The column of the first cell that is not closed as it should be."""
        cell = whole_cell(self.dialect)
        place = count = 0
        while found := cell.match(record, place):
            place, count = found.end(), count + 1
        return self.columns[count] if count < len(self.columns) else None


@cache
def whole_cell(dialect: Dialect) -> re.Pattern[str]:
    """Return the pattern of one cell that is as it should be, with the delimiter after it."""
    mark, sign = re.escape(dialect.delimiter), re.escape(dialect.escape)
    escaped = rf"|{sign}." if sign else ""
    return re.compile(rf'(?:"(?:[^"{sign}]|""{escaped})*+"|(?!")(?:[^{mark}\r\n{sign}]{escaped})*+){mark}', re.DOTALL)
