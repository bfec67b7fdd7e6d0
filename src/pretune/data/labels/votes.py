"""Votes: what several annotators said of a row, in one column each, in one column with lists, or in one row each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from pretune.data.labels.several import SEPARATORS, labels_listed
from pretune.errors import DataError
from pretune.hashing import fold
from pretune.records import Example, Votes

# Of one column, the share of filled cells that must list several votes; else it is taken for who labelled the row.
MIN_LISTED = 0.5


def read_votes(rows: Sequence[Example], columns: Sequence[str], classes: Sequence[str], *, label: str | None = None) -> Votes:
    """Return what each annotator said of each row that has two votes or more.

    Several columns hold one vote each. One column holds lists of votes (``["a", "b"]``, ``a|b``), or it says who labelled the
    row: then each annotator has a row of their own, and rows of one text are voted on together. Spelling counts as for
    labels: case and spacing do not. A vote that names no class says nothing.

    Args:
        rows: With their further columns.
        columns: That hold the votes, or one that says who labelled the row.
        classes: What may be voted for.
        label: Name of the label column, where it is one annotator's and among the columns.

    Example:
        >>> row = Example(id="1", text="fine", extra={"ann": "a", "ben": "A", "carl": ""})
        >>> read_votes([row], ("ann", "ben", "carl"), ("a", "b")).by_row
        {'1': ('a', 'a')}
    """
    known = {fold(name): name for name in classes}
    if len(columns) > 1:
        said = {row.id: [_cell(row, name, label) for name in columns] for row in rows}
    elif _is_listed(rows, columns[0], known):
        said = {row.id: list(_listed(_cell(row, columns[0], label), known)) for row in rows}
    else:
        said = _by_text(rows, columns[0])
    votes, num_foreign = dict[str, tuple[str, ...]](), 0
    for row, cells in said.items():
        filled = [fold(cell) for cell in cells if cell.strip()]
        named = tuple(known[cell] for cell in filled if cell in known)
        num_foreign += len(filled) - len(named)
        if len(named) > 1:
            votes[row] = named
    return Votes(columns=tuple(columns), by_row=votes, num_foreign=num_foreign)


def without_votes(rows: Sequence[Example], columns: Sequence[str]) -> Sequence[Example]:
    """Return rows without these columns: what somebody said of a row is no kind of row."""
    if not columns:
        return rows
    return [replace(row, extra={name: cell for name, cell in row.extra.items() if name not in columns}) for row in rows]


def listed_columns(rows: Sequence[Example], names: Iterable[str], classes: Sequence[str]) -> tuple[str, ...]:
    """Return the columns whose cells list several votes each."""
    known = {fold(name): name for name in classes}
    return tuple(name for name in names if _is_listed(rows, name, known))


def require_votes(rows: Sequence[Example], columns: Sequence[str], classes: Sequence[str], *, label: str | None = None) -> None:
    """Check, before anything is trained or opened, that rows have the votes that were named.

    Raises:
        DataError: They have no such column, or no row has two votes.
    """
    known = dict.fromkeys(chain.from_iterable(row.extra for row in rows))
    missing = [name for name in columns if name not in known and name != label]
    if missing:
        raise DataError(
            f"the rows have no column {missing[0]!r} besides text and label",
            expected=f"one of {', '.join(list(known)[:20])}" if known else "columns with the votes of annotators",
            fix="check the names given to --votes",
        )
    if columns and not read_votes(rows, columns, classes, label=label).by_row:
        raise DataError(
            f"no row has two votes in {_shown(columns)}",
            expected="a column per annotator, one with lists of votes, or one that says who labelled each row of a text",
            fix="check the names given to --votes; a vote counts where it is one of the classes",
        )


def _cell(row: Example, name: str, label: str | None) -> str:
    return (row.label or "") if name == label else row.extra.get(name, "")


def _is_listed(rows: Sequence[Example], name: str, known: dict[str, str]) -> bool:
    """Whether most filled cells hold several votes, each of them a class."""
    filled = [cell for row in rows if (cell := row.extra.get(name, "")).strip()]
    several = [votes for cell in filled if len(votes := list(_listed(cell, known))) > 1]
    named = sum(all(fold(vote) in known for vote in votes) for votes in several)
    return named > 0 and named >= MIN_LISTED * len(filled)


def _listed(cell: str, known: dict[str, str]) -> Iterable[str]:
    """Return the votes in a cell; one that is a class as it stands is one vote, whatever signs it has."""
    if fold(cell) in known:
        return [cell]
    found = labels_listed(cell)
    if found is not None:
        return found
    parted = [[part.strip() for part in cell.split(sign)] for sign in SEPARATORS if sign in cell]
    named = (parts for parts in parted if all(fold(part) in known for part in parts if part))
    return next(named, parted[0] if parted else [cell])


def _by_text(rows: Sequence[Example], column: str) -> dict[str, list[str]]:
    """Return the votes on the text of each row: the first label that each annotator gave it."""
    by_text = defaultdict[str, dict[str, str]](dict)
    for row in rows:
        name = row.extra.get(column, "").strip()
        if name and row.label is not None and row.text:
            by_text[fold(row.text)].setdefault(name, row.label)
    return {row.id: list(by_text[fold(row.text)].values()) if row.text else [] for row in rows}


def _shown(columns: Sequence[str]) -> str:
    return ", ".join(map(repr, columns[:5])) + (" …" if len(columns) > 5 else "")
