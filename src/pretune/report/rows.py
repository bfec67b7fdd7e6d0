"""Rows by name: the file is said once, and not before each of them."""

import re
from collections.abc import Sequence
from itertools import groupby

# Columns whose numbers say where a row stood: its quarters are no kinds of rows.
ROW_NUMBER = re.compile(
    r"\W*(unnamed|column(?= 1$)|index|idx|id|((row|line|record|item|serial)\W*)?(id|ids|no|nr|num|number|index))\W*\d*\W*", re.I
)


def is_row_number(column: str) -> bool:
    """Whether a column is named as one that numbers the rows.

    A first column without a name, which is called ``column 1``, is the index that a table was saved with.

    Example:
        >>> [is_row_number(name) for name in ("Row no", "Unnamed: 0", "column 1", "id", "", "price", "column 12")]
        [True, True, True, True, False, False, False]
    """
    return ROW_NUMBER.fullmatch(column.replace("_", " ")) is not None


def common_file(ids: Sequence[str]) -> str:
    """Return the file that all of these rows are of; empty where there are several, or none is named.

    Example:
        >>> common_file(["a.csv:1", "a.csv:20"]), common_file(["a.csv:1", "b.csv:1"]), common_file(["7"])
        ('a.csv', '', '')
    """
    files = {row.rpartition(":")[0] for row in ids}
    return files.pop() if len(files) == 1 else ""


def short_row(row: str, file: str) -> str:
    """Return the name of a row without its file, where that is said elsewhere.

    Example:
        >>> short_row("a.csv:20", "a.csv"), short_row("b.csv:20", "a.csv")
        ('20', 'b.csv:20')
    """
    return row.removeprefix(f"{file}:") if file else row


def list_rows(ids: Sequence[str], limit: int | None = None) -> str:
    """Write rows, each file once.

    Example:
        >>> list_rows(["a.csv:1", "a.csv:20", "b.csv:3"]), list_rows(["7", "9", "12"], limit=2)
        ('a.csv:1, 20; b.csv:3', '7, 9 …')
    """
    shown = list(ids)[:limit]
    parts = []
    for file, rows in groupby(shown, key=lambda row: row.rpartition(":")[0]):
        names = ", ".join(short_row(row, file) for row in rows)
        parts.append(f"{file}:{names}" if file else names)
    said = "; ".join(parts) if any(row.rpartition(":")[0] for row in shown) else ", ".join(shown)
    return f"{said} …" if len(shown) < len(ids) else said
