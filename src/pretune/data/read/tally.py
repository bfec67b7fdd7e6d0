"""Tally: the physical lines of a delimited file by kind, and the quote that never closes."""

from dataclasses import dataclass

from pretune.data.read.table import Origin, unusable
from pretune.errors import DataError
from pretune.records import LineCounts


@dataclass(slots=True)
class Tally:
    """Physical lines so far, by what they are."""

    header: int = 0
    rows: int = 0
    within: int = 0
    blank: int = 0
    repeated: int = 0
    separator: int = 0

    def counts(self, total: int) -> LineCounts:
        """Return the record of them."""
        return LineCounts(
            total=total,
            header=self.header,
            rows=self.rows,
            within=self.within,
            blank=self.blank,
            repeated=self.repeated,
            separator=self.separator,
        )


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A quote that opens a cell and never closes."""

    row: int
    line: int
    column: str | None
    num_characters: int

    def error(self, origin: Origin) -> DataError:
        """Return the one message about it."""
        return unusable(
            origin,
            "a quote opens here and never closes, so the rest of the file is one cell",
            expected="a closing quote",
            fix='close it, or write a quote inside a quoted cell as two: ""; or pass --quoting none if quotes are text',
            at=(self.row, self.column, self.line),
        )
