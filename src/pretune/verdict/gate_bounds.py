"""The interval of a gated figure, for many confusion matrices at once."""

import numpy as np
import numpy.typing as npt

from pretune.intervals import (
    MIN_RARER_CLASS,
    Bounds,
    Floats,
    average_bounds,
    f1_bounds,
    has_mean,
    mean_bounds,
    mean_f1_bounds,
    proportion_bounds,
)
from pretune.records import RULES
from pretune.verdict.gate import Gate

Truth = npt.NDArray[np.bool_]


def gate_bounds(
    gate: Gate,
    tables: Floats,
    position: int | None,
    confidence: float,
    min_positives: int,
    worth: Floats | float = 1.0,
    rules: int = RULES,
) -> tuple[Floats, Floats, Truth]:
    """Return low, high and whether they may be used, for the gated figure of many confusion matrices.

    Args:
        gate: Names the figure.
        tables: Shape (num_tables, num_classes, num_classes), true classes first.
        position: Of the positive class; ``None`` for averages.
        confidence: Of the interval.
        min_positives: Rows of the positive class below which nothing is said.
        worth: Independent rows per row; for averages one number for each class.
        rules: Version of the rules.
    """
    hits, actual, called = np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2), tables.sum(axis=1)
    total = actual.sum(axis=1)
    if gate.metric == "accuracy":
        return *proportion_bounds(hits.sum(axis=1) * worth, total * worth, confidence), total > 0
    totals = {"precision": called, "recall": actual, "f1": actual + called - hits}[gate.metric]
    if position is None and rules > 1:
        commonest = actual.max(axis=1)
        others = total - commonest
        few = np.minimum(commonest, others) >= MIN_RARER_CLASS
        usable = has_mean(gate.metric, actual, others) if rules > 3 else few
        return *_mean_bounds(gate.metric, tables, worth, confidence, rules), usable
    if position is None:
        return *_macro_bounds(gate.metric, hits * worth, totals * worth, confidence), actual.min(axis=1) >= MIN_RARER_CLASS
    interval = f1_bounds if gate.metric == "f1" else proportion_bounds
    rows = actual[:, position]
    usable = np.minimum(rows, total - rows) >= MIN_RARER_CLASS if gate.metric == "f1" else rows >= min_positives
    return *interval(hits[:, position] * worth, totals[:, position] * worth, confidence), usable


def _macro_bounds(metric: str, hits: Floats, totals: Floats, confidence: float) -> Bounds:
    if metric != "f1":
        return average_bounds(hits, totals, confidence)
    low, high = f1_bounds(hits, totals, confidence)
    return low.mean(axis=1), high.mean(axis=1)


def _mean_bounds(metric: str, tables: Floats, worth: Floats | float, confidence: float, rules: int) -> Bounds:
    """Bounds since the second rules, over the classes that have rows in the first table."""
    told = tables * (np.reshape(worth, (-1, 1)) if np.ndim(worth) else worth)
    if metric == "f1":
        return mean_f1_bounds(told, confidence, rules=rules)
    present = tables[0].sum(axis=1) > 0
    hits, actual = np.diagonal(told, axis1=1, axis2=2)[:, present], told.sum(axis=2)[:, present]
    if metric == "recall":
        return mean_bounds(hits, actual, confidence, rules=rules)
    recalls = hits / np.maximum(actual, 1e-300) if rules > 2 else None
    return mean_bounds(hits, told.sum(axis=1)[:, present], confidence, recalls, rules=rules)
