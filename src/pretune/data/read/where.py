"""Where: keeps or drops rows by the value of a column, such as rows that an annotator rejected."""

import re
from collections import Counter
from collections.abc import Sequence

from pretune.data.catalogue.fetch import near_names
from pretune.data.labels.several import label_in
from pretune.data.labels.spelling import class_key, clean_label
from pretune.data.read.columns import shown_columns
from pretune.data.read.table import Cell, RawTable, unusable
from pretune.errors import UsageError

# Columns in which annotation tools say what became of a row, and what they say of rows that do not count.
ANSWER_NAMES = ("answer", "_answer", "status", "decision", "review", "review_status", "annotation_status", "state")
ACCEPTED = frozenset(("accept", "accepted", "approve", "approved", "submitted", "done", "completed", "keep"))
REFUSED = frozenset((
    "reject", "rejected", "ignore", "ignored", "skip", "skipped", "discard", "discarded", "draft", "pending", "cancelled",
))  # fmt: skip
SHOWN = 4


def keep_where(raw: RawTable, where: Sequence[str], *, is_further: bool = False) -> int:
    """Keep the rows that fulfil every condition, in place; return how many are left out.

    Args:
        raw: Rows of cells.
        where: ``COL=VALUE`` or ``COL!=VALUE``; several values of one column are alternatives, an empty one is a missing cell.
        is_further: Whether the conditions are meant for another table: those whose column this one lacks are only noted.

    Raises:
        UsageError: A condition has no ``=``.
        DataError: There is no such column, or no row is left.
    """
    if is_further:
        unknown = [condition for condition in where if "=" in condition and column_of(condition, raw.columns) is None]
        raw.notes.extend(f"{raw.origin.name}: --where {condition} leaves out no rows: no such column" for condition in unknown)
        where = [condition for condition in where if condition not in unknown]
    if not where or not raw.rows:
        return 0
    wanted, unwanted = dict[int, set[str]](), dict[int, set[str]]()
    for condition in where:
        index, value, is_wanted = _read(condition, raw)
        (wanted if is_wanted else unwanted).setdefault(index, set()).add(class_key(value))
    total, rows = len(raw.rows), raw.rows
    raw.rows = [
        row
        for row in rows
        if all(class_key(_value(row.cells[index])) in values for index, values in wanted.items())
        and not any(class_key(_value(row.cells[index])) in values for index, values in unwanted.items())
    ]
    if not raw.rows:
        index = next(iter({**wanted, **unwanted}))
        held = Counter(_value(row.cells[index]) for row in rows).most_common(SHOWN)
        raise unusable(
            raw.origin,
            f"no row is left by --where {' --where '.join(where)}",
            expected=f"rows; column {raw.columns[index]!r} holds " + ", ".join(f"{name!r} ({count:,})" for name, count in held),
            fix="check the value",
        )
    raw.num_filtered = total - len(raw.rows)
    return raw.num_filtered


def note_answers(raw: RawTable, where: Sequence[str], taken: Sequence[str | None]) -> tuple[str, ...]:
    """Say so where a column tells that some rows were rejected or skipped, and nobody asked to leave them out.

    Args:
        raw: Rows of cells.
        where: What the user asked for.
        taken: Columns that are text, label or group.
    """
    notes, asked = [], {column_of(condition, raw.columns) for condition in where}
    for index, column in enumerate(raw.columns):
        if column.casefold() not in ANSWER_NAMES or column in taken or column in asked:
            continue
        counts = Counter(value for row in raw.rows if (value := _value(row.cells[index])))
        refused = [value for value in counts if value.casefold() in REFUSED]
        accepted = [value for value in counts if value.casefold() in ACCEPTED]
        if refused and len(refused) + len(accepted) == len(counts):
            shown = " and ".join(f"{value!r} in {counts[value]:,}" for value in refused)
            cure = f"{column}={accepted[0]}" if len(accepted) == 1 else f"{column}!={refused[0]}"
            notes.append(
                f"column {column!r} says {shown} of {len(raw.rows):,} rows, which are still read: "
                f"--where '{cure}' leaves them out"
            )
    return tuple(notes)


def column_of(condition: str, columns: Sequence[str]) -> str | None:
    """Return the column that a condition is about, ``None`` where it is none of these.

    Example:
        >>> column_of("answer != reject", ["id", "answer"]), column_of("a=b=c", ["a=b"]), column_of("x=1", ["y"])
        ('answer', 'a=b', None)
    """
    found = _parsed(condition, columns)
    return None if found is None else found[0]


def _parsed(condition: str, columns: Sequence[str]) -> tuple[str, str, bool] | None:
    """Return the column, the value, and whether it is wanted; names of columns may hold a ``=`` as well."""
    for sign in re.finditer("!?=", condition):
        name = condition[: sign.start()]
        name = name if name in columns else name.strip()
        if name in columns:
            return name, clean_label(condition[sign.end() :]), sign[0] == "="
    return None


def _read(condition: str, raw: RawTable) -> tuple[int, str, bool]:
    if (found := _parsed(condition, raw.columns)) is not None:
        return raw.columns.index(found[0]), *found[1:]
    name, sign_found, _ = condition.partition("=")
    if not sign_found:
        raise UsageError(f"--where {condition!r}", expected="COL=VALUE or COL!=VALUE, such as answer=accept")
    name = name.removesuffix("!").strip()
    near = near_names(name, raw.columns)
    raise unusable(
        raw.origin,
        f"has no column {name!r}, which --where names",
        expected="one of " + shown_columns(raw.columns),
        fix=f"did you mean {near[0]!r}?" if near else "",
    )


def _value(cell: Cell) -> str:
    try:
        found = cell if cell is None else label_in(cell)
    except ValueError:
        return ""
    return clean_label(found) if found else ""
