"""Dialect: what separates cells, whether quotes enclose a cell, and what makes a quote part of the text."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from pretune.data.read.columns import shown_columns
from pretune.data.read.table import Origin, unusable

if TYPE_CHECKING:
    import _csv

DELIMITERS = {"csv": ",", "tsv": "\t"}
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BACKSLASH = "\\"
# Records over which another delimiter must hold before it is taken.
SNIFFED_RECORDS = 200

_SEPARATOR = re.compile(r'\ufeff?"?sep=([^\w\s"]|\t)"?[ ;,]*[\r\n]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""How the cells of a record are told apart.

    Args:
        delimiter: What stands between two cells.
        quoted: Whether quotes hold together a cell, which may then have delimiters and line ends.
        escape: What makes the next sign part of the text; empty: nothing does, and a quote inside quotes is written as two.
        is_thorough: Whether the escape sign itself is escaped too. Many writers escape quotes only: their ``\n`` and
            ``\\`` are text as they stand.
    """

    delimiter: str
    quoted: bool = True
    escape: str = ""
    is_thorough: bool = True

    @property
    def shown(self) -> str:
        """The delimiter in words."""
        return NAMES.get(self.delimiter, repr(self.delimiter))

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> "_csv.Reader":
        """Return a reader over lines with their ends, which keeps the line ends inside quotes as they are."""
        mark, sign = self.delimiter, self.escape or None
        lines = lines if self.is_thorough or not sign else self._doubled(lines)
        if self.quoted:
            return csv.reader(lines, delimiter=mark, escapechar=sign, strict=strict)
        return csv.reader(lines, delimiter=mark, escapechar=sign, quoting=csv.QUOTE_NONE, strict=strict)

    def _doubled(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines with every escape sign that stands before no quote doubled, so that it comes out as it stood."""
        sign, text = self.escape, re.compile(re.escape(self.escape) + '(?!")')
        twice = sign * 2
        for line in lines:
            yield text.sub(lambda _: twice, line) if sign in line else line


def with_escape(dialect: Dialect, escape: str, lines: Iterable[str]) -> Dialect:
    r"""Return the dialect with an escape sign; the lines tell whether it is itself escaped.

    A sign before an ordinary letter, as in ``C:\new``, was not written by one who escapes the sign.
    """
    sign = re.escape(escape)
    meant = re.escape(f'"{dialect.delimiter}{escape}')
    alone = re.compile(rf"(?<!{sign})(?:{sign}{sign})*{sign}(?![{meant}\r\n]|$)")
    is_thorough = not any(escape in line and alone.search(line) for line in lines)
    return replace(dialect, escape=escape, is_thorough=is_thorough)


def separator_of(line: str) -> str | None:
    r"""Return the delimiter that a spreadsheet named in the first line, as in ``sep=;``.

    Example:
        >>> separator_of("sep=;\r\n"), separator_of("text;label")
        (';', None)
    """
    found = _SEPARATOR.fullmatch(line)
    return found[1] if found else None


def find_delimiter(lines: Sequence[str], origin: Origin, dialect: Dialect) -> tuple[Dialect, list[str]]:
    """Return the dialect with the delimiter that fits, and a note where it is not the one that the name promises.

    Raises:
        DataError: The header does not have the delimiter of its name, and no other one divides the records alike.
    """
    first = _widths(lines, dialect)
    if first and first[0] > 1:
        return dialect, []
    others = {mark: _even_widths(lines, replace(dialect, delimiter=mark)) for mark in NAMES if mark != dialect.delimiter}
    divided = {mark: widths for mark, widths in others.items() if widths and widths[0] > 1}
    even = [mark for mark, widths in divided.items() if set(widths) == {widths[0]}]
    if len(even) == 1:
        note = f"{origin.name} is named .{origin.format} and read with {NAMES[even[0]]}s between its cells"
        return replace(dialect, delimiter=even[0]), [note]
    if not divided:
        return dialect, []
    mark, widths = next(iter(divided.items()))
    row = next((number for number, width in enumerate(widths, 1) if width != widths[0]), None)
    uneven = f"; with {NAMES[mark]}s row {row} has {widths[row - 1]} cells, the header {widths[0]}" if row else ""
    header = next((line for line in lines if line.strip()), "").rstrip("\r\n")
    raise unusable(
        origin,
        f"the header has no {dialect.shown}: {shown_columns([header])}{uneven}",
        expected=f"{dialect.shown}s between the cells, as the name .{origin.format} says",
        fix="save it with that delimiter, or quote the cells that hold it",
        at=(1, None, None),
    )


def _even_widths(lines: Sequence[str], dialect: Dialect) -> list[int]:
    """Return the cells of each record as quotes make them; where that is uneven, as backslashes or bare lines do evenly."""
    widths = _widths(lines, dialect)
    if len(set(widths)) == 1 or not dialect.quoted:
        return widths
    readings = (with_escape(dialect, BACKSLASH, lines), replace(dialect, quoted=False))
    others = (_widths(lines, other) for other in readings)
    return next((other for other in others if len(set(other)) == 1), widths)


def _widths(lines: Sequence[str], dialect: Dialect) -> list[int]:
    try:
        records = list(islice(dialect.reader(lines, strict=False), SNIFFED_RECORDS))
    except csv.Error:
        return []
    return [len(cells) for cells in records if cells]


def width_of(line: str, dialect: Dialect) -> int | None:
    """Return how many cells one line has; ``None`` where its quotes do not close, or text stands after them."""
    try:
        return len(next(dialect.reader([line]), []))
    except csv.Error:
        return None
