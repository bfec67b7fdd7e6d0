"""Neutral: tables whose cells were made harmless for spreadsheets are read as they were before."""

from dataclasses import replace
from itertools import chain

from pretune.data.read.table import RawTable, Row
from pretune.storage.cells import restored, restored_row, were_made_neutral


def undo_neutral(raw: RawTable) -> RawTable:
    """Return the table with the ``'`` taken away that pretune, and others, put before what looks like a formula.

    It is undone where every cell of the table that looks like a formula has one: then different cells stay different.
    Formats other than CSV have no formulas, and are left alone.
    """
    words = (cell for row in chain([Row(0, raw.columns)], raw.rows) for cell in row.cells if isinstance(cell, str))
    if raw.origin.format not in ("csv", "tsv") or not were_made_neutral(words):
        return raw
    rows = []
    for row in raw.rows:
        cells = [restored(cell) if isinstance(cell, str) else cell for cell in row.cells]
        rows.append(row._replace(cells=cells))
    note = "a ' before a sign such as = or @ only keeps spreadsheets from calculating: cells are read without it"
    return replace(raw, columns=tuple(restored_row(raw.columns)), rows=rows, notes=[*raw.notes, note])
