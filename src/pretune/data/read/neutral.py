"""Neutral: restores tables whose cells were made harmless for spreadsheets; every reader of tables does this.

The ``'`` is removed only if every cell of the table that looks like a formula starts with one, so different cells stay
different. Formats other than CSV have no formulas, and are left alone.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from pretune.data.read.table import Cell, RawTable, Row
from pretune.storage.cells import NeutralCells, restored, restored_row

FORMATS = ("csv", "tsv")


def undo_neutral(raw: RawTable) -> RawTable:
    """Take away, in place, the ``'`` that pretune, and others, put before what looks like a formula; return the table."""
    if raw.origin.format in FORMATS and are_neutral(raw.columns, raw.rows):
        raw.columns, raw.rows = tuple(restored_row(raw.columns)), [restored_cells(row) for row in raw.rows]
        raw.notes.append(note_of(raw.origin.name))
    return raw


def are_neutral(columns: Sequence[str], rows: Iterable[Row]) -> bool:
    """Whether a table was made neutral, names of columns included."""
    found = NeutralCells()
    for cells in chain([columns], (row.cells for row in rows)):
        found.look(cells)
        if found.has_bare:
            return False
    return found.are_neutral


def restored_cells(row: Row) -> Row:
    """Return a row of a table that was made neutral as it was before."""
    cells: list[Cell] = [restored(cell) if isinstance(cell, str) else cell for cell in row.cells]
    return row._replace(cells=cells)


def note_of(name: str) -> str:
    """Return what there is to say of such a table."""
    return f"{name}: a ' before a sign such as = or @ only keeps spreadsheets from calculating: cells are read without it"
