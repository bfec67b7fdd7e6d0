"""Quoting: do quotes enclose cells in this file, or are they text? The lines themselves show it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pretune.data.read.table import Origin, Row, unusable
from pretune.errors import DataError

# Share of the lines of one cell, its own aside, that must look like rows for it to be a piece of the table.
MIN_ROW_SHARE = 0.5
# Where no column has a small set of values, a line may look like a row by chance: so many must, of so many.
MIN_ROW_SHARE_BY_CHANCE, MIN_LINES_BY_CHANCE = 0.8, 10
# A column of classes: so many values at most, each often, and short.
MAX_VALUES, MAX_VALUE_SHARE, MAX_VALUE_WORDS = 50, 0.5, 3.0
MAX_CODE_CHARACTERS = 40
# Share of a column's cells from which what they begin with is its habit.
MIN_HABIT_SHARE = 0.05
# Share of a column's cells that stand in quotes, first to last, from which the writer of the file quotes.
MAX_WRAPPED_SHARE = 0.5

_LINE_END = re.compile("\r\n?|\n")


class Piece(NamedTuple):
    """A cell that holds lines that look like rows of the table."""

    row: Row
    column: int
    num_lines: int


@dataclass(frozen=True, slots=True)
class Habit:
    """What the cells of a column are like: ``classes`` of few values, ``numbers``, ``codes`` without a space, or ``free``."""

    kind: str
    values: frozenset[str]
    has_empty: bool
    has_space: bool

    def fits(self, cell: str) -> bool:
        """Whether a cell could be one of the column."""
        value = cell.strip()
        if not self.frames(cell):
            return False
        if not value or self.kind == "free":
            return True
        if self.kind == "classes":
            return value in self.values
        return _is_number(value) if self.kind == "numbers" else _is_code(value)

    def frames(self, cell: str) -> bool:
        """Whether a cell is empty, or begins with a space, only where others do so too."""
        return self.has_empty if not cell.strip() else cell[0] != " " or self.has_space


def habit_of(cells: Iterable[str]) -> Habit:
    """Return what cells of one column are like; those with line ends are left out.

    Example:
        >>> habit_of(["a", "b", "a", "b"]).kind, habit_of(["1", "2"]).kind, habit_of(["x1", "x2"]).kind
        ('classes', 'numbers', 'codes')
    """
    whole = [cell for cell in cells if "\n" not in cell and "\r" not in cell]
    values = [value for cell in whole if (value := cell.strip())]
    distinct = frozenset(values)
    words = sum(len(value.split()) for value in distinct) / max(1, len(distinct))
    if 0 < len(distinct) <= min(MAX_VALUES, MAX_VALUE_SHARE * len(values)) and words <= MAX_VALUE_WORDS:
        kind = "classes"
    elif values and all(map(_is_number, distinct)):
        kind = "numbers"
    else:
        kind = "codes" if values and all(map(_is_code, distinct)) else "free"
    num_spaced = sum(cell[:1] == " " for cell in whole)
    return Habit(
        kind=kind,
        values=distinct if kind == "classes" else frozenset(),
        has_empty=len(values) < len(whole),
        has_space=num_spaced > MIN_HABIT_SHARE * len(whole),
    )


def find_pieces(
    rows: Sequence[Row], spans: Sequence[int], delimiter: str, habits: Sequence[Habit] | None = None
) -> list[Piece]:
    """Return the cells of several lines that are pieces of the table, swallowed by a quote.

    A line looks like a row where it has as many delimiters as the header, and each of its cells, but for the column that the
    quote opened in, is like those of its column: one of the classes, a number, a code, and neither empty nor beginning with
    a space where others are not. Where a column has classes, a cell is a piece once half of its lines look like rows, its own
    aside. Where none has, a line of prose may look so by chance: then eight in ten of at least ten must, or half of the
    lines of all such cells of the file.

    Args:
        rows: All rows.
        spans: Places among them of those that span several lines.
        delimiter: What stands between cells.
        habits: Of the columns, where they are known from other rows; these are judged one by one then.
    """
    found: list[tuple[Piece, int]] = []
    is_alone, num_lines, num_alike = habits is not None, 0, 0
    for index in spans:
        cells = [str(cell) for cell in rows[index].cells]
        lines = _LINE_END.split(delimiter.join(cells))
        num_lines += len(lines) - 1
        counted = [line.split(delimiter) for line in lines if line.count(delimiter) == len(cells) - 1]
        if len(counted) < 2:
            continue
        habits = habits_of(rows) if habits is None else habits
        opened = {column for column, cell in enumerate(cells) if "\n" in cell or "\r" in cell}
        closed = [(column, habit) for column, habit in enumerate(habits) if column not in opened]
        alike = sum(
            all(habit.fits(cells[column]) for column, habit in closed)
            and all(habits[column].frames(cells[column]) for column in opened)
            for cells in counted
        )
        num_alike += max(alike - 1, 0)
        if alike > 1:
            piece = Piece(rows[index], min(opened), len(lines))
            by_class = any(habit.kind == "classes" for _, habit in closed)
            found.append((piece, _weight(alike - 1, len(lines) - 1, by_class=by_class)))
    is_common = not is_alone and num_alike >= MIN_ROW_SHARE * num_lines
    return [piece for piece, weight in found if weight == 2 or (weight == 1 and is_common)]


def habits_of(rows: Sequence[Row]) -> list[Habit]:
    """Return what the cells of each column are like."""
    return [habit_of(str(row.cells[column]) for row in rows) for column in range(len(rows[0].cells) if rows else 0)]


def _weight(num_alike: int, num_lines: int, *, by_class: bool) -> int:
    """2: a piece by itself; 1: one where the file has many; 0: none."""
    if by_class:
        return 2 if num_alike >= MIN_ROW_SHARE * num_lines else 0
    if num_lines >= MIN_LINES_BY_CHANCE and num_alike >= MIN_ROW_SHARE_BY_CHANCE * num_lines:
        return 2
    return 1 if num_alike >= MIN_ROW_SHARE * num_lines else 0


def has_loose_quote(lines: Iterable[str], escape: str = "") -> bool:
    """Whether a quote stands inside a line where no writer that quotes would put it: the sign of quotes that are text.

    Example:
        >>> has_loose_quote(['she said "yes" at once']), has_loose_quote(['"she said ""yes"" at once"'])
        (True, False)
    """
    escaped = re.compile(re.escape(escape) + "." if escape else '""')
    return any('"' in escaped.sub("", line.strip()).replace('""', "")[1:-1] for line in lines if '"' in line)


def lines_are_rows(rows: Sequence[Row], known: Sequence[Row]) -> bool:
    """Whether lines that come out as rows only without quotes are like the rows that come out either way.

    Args:
        rows: As read without quoting.
        known: As read with quotes.
    """
    starts = {row.line or row.number for row in known if not any("\n" in str(c) or "\r" in str(c) for c in row.cells)}
    new = [row for row in rows if (row.line or row.number) not in starts]
    habits = habits_of([row for row in known if (row.line or row.number) in starts])
    if not habits:
        return True
    texts = [any('"' in str(row.cells[column]) for row in new) for column in range(len(habits))]
    fits = [habit.frames if is_text else habit.fits for habit, is_text in zip(habits, texts, strict=True)]
    num_alike = sum(all(fit(str(cell)) for fit, cell in zip(fits, row.cells, strict=True)) for row in new)
    return num_alike >= MIN_ROW_SHARE_BY_CHANCE * len(new)


def quotes_are_text(rows: Sequence[Row], columns: Sequence[str]) -> bool:
    """Whether the rows of a file that was read without quoting make sense: quotes stand in texts, and hold nothing together.

    They do not where the header has quotes, where a class, number or code does, where most cells of a column stand in quotes
    from first to last, or where quotes inside such a cell are written as two.
    """
    if any('"' in name for name in columns):
        return False
    for column in range(len(columns)):
        cells = [str(row.cells[column]) for row in rows]
        quoted = [cell.strip() for cell in cells if '"' in cell]
        if not quoted:
            continue
        bare = [cell for cell in cells if '"' not in cell]
        if not bare or (len(columns) > 1 and habit_of(bare).kind != "free"):
            return False
        wrapped = [cell[1:-1] for cell in quoted if len(cell) > 1 and cell[0] == cell[-1] == '"']
        if len(wrapped) > MAX_WRAPPED_SHARE * len(cells) or any('""' in cell for cell in wrapped):
            return False
    return True


def swallowed(pieces: Sequence[Piece], columns: Sequence[str], origin: Origin) -> DataError:
    """Return the one message about cells that are pieces of the table."""
    row, column, num_lines = pieces[0]
    first = row.line or row.number
    inner = f"{num_lines - 2:,} lines between look" if num_lines > 3 else "lines that it spans look"
    more = f" ({len(pieces) - 1:,} more such cells follow)" if len(pieces) > 1 else ""
    return unusable(
        origin,
        f"a quote opens here and closes in line {first + num_lines - 1}, and the {inner} like rows of the table{more}",
        expected="cells that hold text, not rows",
        fix='take out the quote, or write it inside a quoted cell as two: ""; '
        "or pass --quoting none if quotes are part of the text, --quoting minimal if this cell is right as it stands",
        at=(row.number, columns[column], first),
    )


def swallowed_alone(row: Row, column: str, origin: Origin) -> DataError:
    """Return the message about a table of one column whose quotes hold lines together, and are text elsewhere."""
    return unusable(
        origin,
        "a quote opens here and spans lines, but other lines hold quotes as text: either may be meant",
        expected='quotes around cells, and two of them inside: ""; or quotes that are text',
        fix="pass --quoting none if every line is a row, --quoting minimal if quotes hold lines together",
        at=(row.number, column, row.line or row.number),
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_code(value: str) -> bool:
    return len(value) <= MAX_CODE_CHARACTERS and len(value.split()) == 1
