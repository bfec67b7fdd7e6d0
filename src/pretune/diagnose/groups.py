"""Groups and time: do training and test share authors, films or days that tell more than the texts do?"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from pretune.data.alike.groups import MAX_VALUE_SHARE, MIN_VALUES, find_group_columns
from pretune.data.moments import read_moments
from pretune.diagnose.columns import asked_rows, filled_columns
from pretune.diagnose.measures import separation
from pretune.records import Evaluation, Evidence, Example, Finding, Severity

# Share of test rows whose group training also has above which the test no longer asks about new groups; as for texts.
MAX_GROUP_SHARE = 0.01
# How often the values of a column come, at the median, before it is named as a possible group although its labels do not agree:
# fewer repeats widen an interval by little, whatever agrees.
MIN_REPEATS = 4
# How far from 0.5 the chance that a row of a class is later than one of the others may be, with its whole interval, before we
# say that the classes drift with time: 0.6 is a shift by a third of a standard deviation.
MAX_TIME_SEPARATION = 0.10


def check_groups(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test rows whose group, named with ``--group``, training also has."""
    check = "leakage.groups"
    known = {row.group for row in evidence.train} - {None}
    asked = evidence.test if any(row.group is not None for row in evidence.test) else evidence.validation
    if not known:
        return Finding.not_applicable(check, "no --group column was named")
    if not any(row.group is not None for row in asked):
        return Finding.unknown(check, "needs the groups of the test rows")
    leaked = [row.id for row in asked if row.group in known]
    share = len(leaked) / len(asked)
    severity = Severity.BLOCKING if share > MAX_GROUP_SHARE else Severity.WARNING if leaked else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{len(leaked):,} of {len(asked):,} test rows are of a group that training has, too",
        measured=share,
        limit=MAX_GROUP_SHARE,
        examples=tuple(leaked[:5]),
        fix="Let pretune split the data by --group, or leave out --keep-leaks." if leaked else "",
    )


def check_hidden_groups(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Find a column that nobody named as group, whose values share their labels and are on both sides of the split."""
    check = "leakage.hidden_groups"
    name, asked = asked_rows(evidence)
    if not asked or not filled_columns(evidence.train):
        return Finding.not_applicable(check, "the rows have no column besides text and label")
    found = find_group_columns(evidence.train)
    if not found:
        return _name_repeating(check, evidence)
    worst = found[0]
    known = {row.extra.get(worst.column) for row in evidence.train}
    both = [row.id for row in asked if row.extra.get(worst.column) in known]
    gain = f"knowing the other labels of a {worst.column!r} guesses a label {100 * worst.gain:.0f} points better than chance"
    interval = f" (95 % interval {100 * worst.low:.0f} to {100 * worst.high:.0f})"
    return Finding(
        check=check,
        severity=Severity.WARNING if both else Severity.NOTE,
        summary=f"{gain}{interval}, and {len(both):,} of {len(asked):,} {name} rows have one that training has",
        measured=worst.gain,
        limit=worst.limit,
        examples=tuple(both[:5]),
        fix=f"--group {worst.column}, or --repair, so that each {worst.column!r} is on one side." if both else "",
    )


def _name_repeating(check: str, evidence: Evidence) -> Finding:
    """Name a column whose values repeat: its labels do not agree, but whether its rows belong together only the user knows."""
    none = Finding(check=check, severity=Severity.OK, summary="no column holds groups of rows whose labels are alike")
    if evidence.rules == 1 or any(row.group is not None for row in evidence.train):
        return none
    found = [item for name in filled_columns(evidence.train) if (item := _repeats(evidence.train, name)) is not None]
    if not found:
        return none
    column, num_values, rows = max(found, key=lambda item: item[2])
    return replace(
        none,
        severity=Severity.NOTE,
        summary=f"the {num_values:,} values of {column!r} come {rows:.0f} times each: if rows with one of them belong "
        "together, as those of one author or film do, they count for less than as many independent rows",
        fix=f"Pass --group {column} if they do; then each {column!r} is in one split, and every interval allows for it.",
    )


def _repeats(rows: Sequence[Example], column: str) -> tuple[str, int, float] | None:
    """Return a column with how many values it has and how often each comes, where they could be groups."""
    values = Counter(value for row in rows if (value := row.extra.get(column, "").strip()))
    often = median(values.values())
    is_group = len(values) >= MIN_VALUES and often >= MIN_REPEATS and max(values.values()) <= MAX_VALUE_SHARE * len(rows)
    is_measured = all(_has_decimals(value) for value in values) or bool(read_moments(rows, column))
    return (column, len(values), often) if is_group and not is_measured else None


def _has_decimals(value: str) -> bool:
    return "." in value and value.replace(".", "", 1).lstrip("+-").isdecimal()


def check_time(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Where rows have a date: measure how many test rows are older than training's newest, and whether classes drift."""
    check = "leakage.time"
    name, asked = asked_rows(evidence)
    dated = [(column, read_moments(evidence.train, column)) for column in filled_columns(evidence.train)] if asked else []
    column, moments = next(((column, moments) for column, moments in dated if moments), ("", {}))
    asked_moments = read_moments(asked, column) if moments else {}
    if not asked_moments:
        return Finding.not_applicable(check, "no column holds dates")
    older = [row for row, moment in asked_moments.items() if moment < max(moments.values())]
    drift, label = _drift(evidence.train, moments)
    counted = f"by {column!r}, {len(older):,} of {len(asked):,} {name} rows are older than the newest of training"
    moving = f", and rows of {label} move with time (one is later than another row with chance {drift + 0.5:.2f})"
    is_drifting = abs(drift) > MAX_TIME_SEPARATION and bool(older)
    return Finding(
        check=check,
        severity=Severity.WARNING if is_drifting else Severity.NOTE if older else Severity.OK,
        summary=counted + (moving if is_drifting else ""),
        measured=abs(drift),
        limit=MAX_TIME_SEPARATION,
        examples=tuple(older[:5]) if is_drifting else (),
        fix=_split_by_time(column, is_drifting=is_drifting) if older else "",
    )


def _split_by_time(column: str, *, is_drifting: bool) -> str:
    where = "" if is_drifting else " where the model will answer later rows than it learned from"
    return f"Pass --time {column}{where}: the test is then the newest rows, and training is older than validation."


def _drift(rows: Sequence[Example], moments: dict[str, float]) -> tuple[float, str]:
    """Return the surest separation in time of one class from the rest, as a distance from 0.5, and the class."""
    by_label = defaultdict[str, list[float]](list)
    for row in rows:
        if row.id in moments and row.label is not None:
            by_label[row.label].append(moments[row.id])
    best, found = 0.0, ""
    sizes = Counter({label: len(values) for label, values in by_label.items()})
    confidence = 1 - 0.05 / max(len(sizes), 1)  # each class is one more chance to be alarmed
    for label, values in by_label.items():
        others = np.concatenate([np.array(item) for other, item in by_label.items() if other != label] or [np.array([])])
        if min(len(values), len(others)) < 20:
            continue
        _, low, high = separation(others, values, confidence)
        sure = low - 0.5 if low > 0.5 else high - 0.5 if high < 0.5 else 0.0
        if abs(sure) > abs(best):
            best, found = sure, label
    return best, found
