"""Alike errors: do mistakes come in groups of rows, so that every interval is narrower than it should be?

Labels that agree within the values of a column show that a split leaks (``leakage.hidden_groups``). Intervals depend on
something else: whether right and wrong answers agree within them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pretune.data.alike.units import units_of_rows
from pretune.diagnose.columns import filled_columns
from pretune.diagnose.measures import judged_source, right_answers
from pretune.intervals import MIN_UNITS, Counts, proportion_interval, unit_freedom, worth_of
from pretune.records import Evaluation, Evidence, Example, Finding, Severity

# Rows per value, on average, below which a design effect can hardly be seen.
MIN_ROWS_PER_VALUE = 2.0
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """How far mistakes agree within the values of a column.

    Args:
        column: Its name.
        num_values: Distinct values.
        effect: Design effect: rows per independent row.
        low: Lower end of its interval, corrected for the number of columns.
        high: Upper end.
    """

    column: str
    num_values: int
    effect: float
    low: float
    high: float


def check_alike_errors(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Name the column within whose values mistakes agree most, and how much wider intervals would be with it as group."""
    check, rows = "results.alike_errors", evidence.test
    found = evidence.find("test", judged_source(evaluation))
    if found is None or found.ids != tuple(row.id for row in rows):
        return Finding.not_applicable(check, "there are no predictions on test rows")
    columns = [(name, values) for name in filled_columns(rows) if (values := _values(rows, name)) is not None]
    if not columns:
        return Finding.not_applicable(check, "the test rows have no column whose values could be groups")
    is_right = right_answers(found)
    confidence = 1 - (1 - CONFIDENCE) / len(columns)
    measured = [alike for name, values in columns if (alike := measure(name, is_right, values, confidence)) is not None]
    if not measured:
        return Finding.not_applicable(check, "mistakes are too few to ask whether they agree within a column")
    worst = max(measured, key=lambda alike: alike.low)
    beyond = worst.low > 1
    shown = f"design effect {worst.effect:.2f} ({100 * confidence:.4g} % interval {worst.low:.2f} to {worst.high:.2f})"
    what = f"mistakes come together by {worst.column!r} ({worst.num_values:,} values): {shown}"
    fix = f"--group {worst.column}, so that its values stay in one split and every interval allows for them."
    none = f"mistakes agree within no column more than chance explains; most by {worst.column!r}: {shown}"
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"{what}; {_say_wider(evidence, worst.column, is_right)}" if beyond else none,
        measured=worst.effect,
        limit=1.0,
        fix=fix if beyond else "",
    )


def measure(column: str, is_right: np.ndarray, values: Counts, confidence: float) -> Alike | None:
    """Return the design effect of a column on the share of right answers; ``None`` where all are right or all are wrong.

    Args:
        column: Its name.
        is_right: Of each row, shape (num_rows,).
        values: Number of each row's value, from 0 and without gaps.
        confidence: Of the interval.

    Source:
        Searle (1971), Linear models, section 9.8 (the interval of an intraclass correlation by the F distribution), with the
        degrees of freedom of ``unit_freedom``; Kish (1965), Survey sampling.
    """
    from scipy.stats import f as f_distribution

    sizes, num_rows = np.bincount(values).astype(float), len(values)
    num_values, hits = len(sizes), is_right.astype(float)
    means = np.bincount(values, hits) / sizes
    within = float(((hits - means[values]) ** 2).sum()) / (num_rows - num_values)
    if is_right.all() or not is_right.any():
        return None
    weight = float((sizes**2).sum()) / num_rows - 1
    if within == 0:  # the rows of every value agree: each value counts as one row
        return Alike(column=column, num_values=num_values, effect=1 + weight, low=1 + weight, high=1 + weight)
    between = float((sizes * (means - hits.mean()) ** 2).sum()) / (num_values - 1)
    typical = (num_rows - float((sizes**2).sum()) / num_rows) / (num_values - 1)
    tail = (1 - confidence) / 2
    alike = _alike(between / within, typical)
    freedom = unit_freedom(float(hits.mean()), alike, typical, num_values)
    edge = f_distribution(freedom, num_rows - num_values)
    ends = (_alike(between / within / divisor, typical) for divisor in (float(edge.isf(tail)), float(edge.ppf(tail))))
    effect, low, high = (1 + weight * item for item in (alike, *ends))
    return Alike(column=column, num_values=num_values, effect=effect, low=low, high=high)


def _alike(ratio: float, typical: float) -> float:
    return max(0.0, (ratio - 1) / (ratio + typical - 1))


def _values(rows: Sequence[Example], column: str) -> Counts | None:
    """Return the number of each row's value, where they are enough and repeat; a row without one stands alone."""
    names = [row.extra.get(column, "").strip() or f"\0{row.id}" for row in rows]
    numbers: Counts = np.unique(names, return_inverse=True)[1].astype(np.int64)
    count = int(numbers.max()) + 1
    return numbers if MIN_UNITS <= count <= len(rows) / MIN_ROWS_PER_VALUE else None


def _say_wider(evidence: Evidence, column: str, is_right: np.ndarray) -> str:
    intervals = []
    named = tuple(_grouped(row, column) for row in evidence.test)
    for rows in (evidence.test, named):
        known = units_of_rows(rows, evidence.copies)
        units: Counts = np.unique([known.get(row.id, row.id) for row in rows], return_inverse=True)[1].astype(np.int64)
        worth = worth_of(is_right, units, CONFIDENCE)
        if not worth.is_known:
            return f"with --group {column} these are too few groups for an interval"
        low, high = proportion_interval(is_right.sum() * worth.share, len(is_right) * worth.share, CONFIDENCE)
        intervals.append(f"{low:.3f} to {high:.3f}")
    return f"--group {column} would widen the interval of accuracy from {intervals[0]} to {intervals[1]}"


def _grouped(row: Example, column: str) -> Example:
    return Example(id=row.id, text=row.text, group=row.extra.get(column, "").strip() or row.group)
