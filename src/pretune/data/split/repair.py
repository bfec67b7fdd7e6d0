"""Repair: what ``--repair`` changes in the rows, with the ids that each change touched.

Two things are repaired. If rows of one hidden group are on both sides of a split, the rows are split again by that group. If a
text has several labels, the rows with the rarer label are dropped, and on a tie all of them. Conflicts are removed from
training and validation only. The test stays as it is: dropping its hard rows would flatter every model.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pretune.data.alike.groups import GroupColumn, find_group_columns
from pretune.data.split.divide import NAMES, Splits, receipt_of
from pretune.hashing import fold
from pretune.records import Example, Repair
from pretune.wording.counts import counted

Examples = tuple[Example, ...]
Divide = Callable[[Mapping[str, Examples]], Splits]

# Share of the rows that regrouping given splits may take out of training; beyond it the groups are only reported.
MAX_REGROUPED_SHARE = 0.20


def divide_repaired(rows: Mapping[str, Examples], divide: Divide) -> tuple[Splits, tuple[Repair, ...]]:
    """Divide rows, put right what can be, and say what was done.

    Args:
        rows: Rows by role: ``data``, or ``train`` with ``validation`` and ``test`` where these were given.
        divide: Divides them by the groups they have.

    Returns:
        The splits, and one record for each kind of repair that changed something.
    """
    splits = divide(rows)
    repairs = [_leaks(splits)]
    if all(row.group is None for part in rows.values() for row in part):
        splits, regrouped = _regroup(rows, splits, divide)
        repairs.append(regrouped)
    splits, dropped = drop_conflicts(splits)
    return splits, tuple(repair for repair in (*repairs, dropped) if repair is not None)


def drop_conflicts(splits: Splits) -> tuple[Splits, Repair | None]:
    """Drop rows of training and validation whose text has another label more often there, or as often."""
    dropped = {row for name in ("train", "validation") for row in _outvoted(getattr(splits, name))}
    kept = {name: tuple(row for row in getattr(splits, name) if row.id not in dropped) for name in ("train", "validation")}
    if not dropped or {row.label for row in kept["train"]} != {row.label for row in splits.train} or not kept["validation"]:
        return splits, None  # nothing to drop, or a class would be lost with it
    counts = {name: len(getattr(splits, name)) - len(rows) for name, rows in kept.items()}
    conflicts = tuple(item for item in splits.conflicts if not dropped & set(item.ids))
    summary = (
        f"{counted(len(dropped), 'row')} of {counted(len(splits.conflicts) - len(conflicts), 'text')} "
        "with more than one label dropped "
        f"({counts['train']:,} of training, {counts['validation']:,} of validation); the commoner label was kept"
    )
    ids = tuple(row.id for name in ("train", "validation") for row in getattr(splits, name) if row.id in dropped)
    receipts = tuple(
        receipt_of(item.name, kept[item.name], splits.texts) if item.name in kept else item for item in splits.receipts
    )
    splits = replace(splits, train=kept["train"], validation=kept["validation"], conflicts=conflicts, receipts=receipts)
    return replace(splits, removed=(*splits.removed, *ids)), Repair(what="conflicts dropped", summary=summary, ids=ids)


def _leaks(splits: Splits) -> Repair | None:
    """Put on record what dividing already took out."""
    if not splits.removed:
        return None
    summary = f"{counted(len(splits.removed), 'row')} that a later split also has removed from training or validation"
    return Repair(what="leaks dropped", summary=summary, ids=splits.removed)


def _regroup(rows: Mapping[str, Examples], splits: Splits, divide: Divide) -> tuple[Splits, Repair | None]:
    found = find_group_columns(splits.train)
    if not found or not _is_shared(splits, found[0].column):
        return splits, None
    column = found[0].column
    named = {role: tuple(replace(row, group=row.extra.get(column) or None) for row in part) for role, part in rows.items()}
    regrouped = divide(named)
    lost = set(regrouped.removed) - set(splits.removed)
    if len(lost) > MAX_REGROUPED_SHARE * sum(map(len, rows.values())):
        note = f"--repair did not split by {column!r}: it would have removed {len(lost):,} rows from training"
        return replace(splits, notes=(*splits.notes, note)), None
    before = {row.id: name for name in NAMES for row in getattr(splits, name)}
    moved = tuple(row.id for name in NAMES for row in getattr(regrouped, name) if before.get(row.id) != name)
    ids = (*moved, *(row for row in before if row in lost))
    return regrouped, Repair(what="regrouped", summary=_say(found[0], len(moved), len(lost)), ids=ids)


def _say(found: GroupColumn, num_moved: int, num_lost: int) -> str:
    lost = f", {num_lost:,} rows that share one with a later split removed" if num_lost else ""
    return f"split again so that each {found.column!r} stays in one split: {counted(num_moved, 'row')} moved{lost}"


def _is_shared(splits: Splits, column: str) -> bool:
    known = {row.extra.get(column) for row in splits.train} - {None, ""}
    return any(row.extra.get(column) in known for row in (*splits.validation, *splits.test))


def _outvoted(rows: Sequence[Example]) -> set[str]:
    """Return the ids of rows whose label is not the one most rows of their text have; on a tie of all."""
    by_text: dict[str, list[Example]] = {}
    for row in rows:
        by_text.setdefault(fold(row.text), []).append(row)
    outvoted = set[str]()
    for same in by_text.values():
        counts = Counter(row.label for row in same).most_common()
        if len(counts) > 1:
            kept = counts[0][0] if counts[0][1] > counts[1][1] else None
            outvoted |= {row.id for row in same if row.label != kept}
    return outvoted
