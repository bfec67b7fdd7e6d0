"""Cells: text in a CSV that spreadsheets treat as text, never as a formula, and that is read back unchanged."""

import csv
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import _csv

MARK = "'"  # what spreadsheets themselves put before a text that looks like a formula
_NUMBER = r"\s*[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)\s*\Z"
# A control character, or one that begins a formula (the full-width forms do so in some languages), behind what is not seen.
# A number is none of these. Marks in front of it are counted in, so that a text that has one already can be told from ours.
_RISKY = re.compile(
    rf"{MARK}*(?!(?i:{_NUMBER}))"
    "(?:[\\x00-\\x1f\\x7f-\\x9f]|[\\s\u00ad\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20])"
)


def neutral(text: str) -> str:
    r"""Return a text as it may stand in a CSV: with ``'`` in front where a spreadsheet could take it for a formula.

    ``restored`` undoes it exactly, whatever the text. Numbers stay numbers, negative ones too.

    Example:
        >>> neutral("=1+1"), neutral("-1"), neutral("- no"), neutral("'=1"), neutral("it's")
        ("'=1+1", '-1', "'- no", "''=1", "it's")
    """
    return MARK + text if _RISKY.match(text) else text


def restored(text: str) -> str:
    """Return what ``neutral`` was given.

    Example:
        >>> restored("'=1+1"), restored("'-1"), restored("''=1")
        ('=1+1', "'-1", "'=1")
    """
    return text[1:] if text[:1] == MARK and _RISKY.match(text) else text


def neutral_row(cells: Iterable[str]) -> list[str]:
    """Return the cells of one row as they may stand in a CSV."""
    return [neutral(cell) for cell in cells]


def restored_row(cells: Iterable[str]) -> list[str]:
    """Return what ``neutral_row`` was given."""
    return [restored(cell) for cell in cells]


class NeutralCells:
    """Whether cells that are looked at, one after the other, can have been written by ``neutral``, and some were changed by it.

    Other people's tables have no mark that says so. Where one cell stands that ``neutral`` would not have left as it is,
    nobody made the table neutral; where none does, undoing it gives different texts for different cells.
    """

    __slots__ = ("has_bare", "has_marked")

    def __init__(self) -> None:
        self.has_bare = self.has_marked = False

    def look(self, cells: Iterable[object]) -> None:
        """Look at more cells; those that are no text say nothing."""
        if self.has_bare:
            return
        for cell in cells:
            if isinstance(cell, str) and not cell[:1].isalnum() and _RISKY.match(cell):
                self.has_marked = True
                if cell[0] != MARK:
                    self.has_bare = True
                    return

    @property
    def are_neutral(self) -> bool:
        """Whether that is so."""
        return self.has_marked and not self.has_bare


def were_made_neutral(cells: Iterable[str]) -> bool:
    """Whether all cells of a table can have been written by ``neutral``, and some were changed by it.

    Example:
        >>> were_made_neutral(["'=a", "b"]), were_made_neutral(["'=a", "=a"]), were_made_neutral(["a", "-1"])
        (True, False, False)
    """
    found = NeutralCells()
    found.look(cells)
    return found.are_neutral


def has_risky(cells: Iterable[str]) -> bool:
    """Whether a spreadsheet could take one of the cells for a formula."""
    return any(_RISKY.match(cell) for cell in cells)


def csv_writer(out: TextIO, delimiter: str = ",") -> "_csv.Writer":
    """Return a writer of CSV whose lines end in a line feed, and which quotes a lone carriage return inside a cell.

    Python's own does not quote one where lines end in a line feed, and its reader then refuses the file.
    """
    return csv.writer(_LineFeeds(out), delimiter=delimiter, lineterminator="\r\n")


class _LineFeeds:
    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, line: str) -> int:
        return self._out.write(line[:-2] + "\n")
