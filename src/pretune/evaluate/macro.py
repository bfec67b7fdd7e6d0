"""Macro figures: means over the classes that have rows, with intervals however small a class is (since rules 2)."""

from functools import partial

import numpy as np

from pretune.evaluate.codes import Rows
from pretune.evaluate.shares import MakeScore, too_few, too_few_units, worth_in
from pretune.intervals import (
    MIN_RARER_CLASS,
    Bounds,
    Floats,
    has_mean,
    mean_bounds,
    mean_f1_bounds,
    quantile,
    t_quantile,
    unit_means,
)
from pretune.records import Score

METHOD = "summed variances of the classes, Agresti's correction (Price and Bonett)"


def macro_score(make: MakeScore, rows: Rows, metric: str, label: str | None, value: float) -> Score:
    """Return the mean of precision, recall (also called balanced accuracy) or F1 over the classes with rows.

    Args:
        make: Knows split, source, look and confidence.
        rows: What was answered.
        metric: ``precision``, ``recall``, ``balanced_accuracy`` or ``f1``.
        label: Of the score.
        value: The figure.
    """
    confidence = make.keywords["confidence"]
    blank = partial(make, metric=metric, label=label, value=value, num_examples=len(rows.labels))
    reason = _too_few(rows, metric)
    if reason is not None:
        return blank(low=None, high=None, method=reason)
    everything = np.ones(len(rows.labels), bool)
    worth = worth_in(rows, rows.labels == rows.predicted, everything, confidence)
    if not worth.is_known:
        return blank(low=None, high=None, method=too_few_units(worth, rows.unit_name))
    share = 1.0 if rows.units is None else _share(rows, metric, confidence)
    low, high = (float(end) for end in _bounds(rows.counts.astype(np.float64) * share, metric, confidence, rows.rules))
    return blank(low=min(low, value), high=max(high, value), method=METHOD + _notes(rows, metric, value, share))


def _too_few(rows: Rows, metric: str) -> str | None:
    """Say why there is no interval, if there is none."""
    actual = rows.counts.sum(axis=1)
    commonest = int(actual.argmax())
    if rows.rules < 4:
        what, count = "the commonest class, or all the others together,", rows.rarer(commonest)
        return too_few(what, count, rows.unit_name) if count < MIN_RARER_CLASS else None
    others = rows.others(commonest)
    if has_mean(metric, actual, others):
        return None
    if others < MIN_RARER_CLASS:
        return too_few("every class but the commonest, together,", others, rows.unit_name)
    num_alone, num_present = int((actual == 1).sum()), int((actual > 0).sum())
    return f"no interval: {num_alone} of {num_present} classes have one row, so their F1 is too low on average"


def _bounds(counts: Floats, metric: str, confidence: float, rules: int) -> Bounds:
    if metric == "f1":
        return mean_f1_bounds(counts, confidence, rules=rules)
    actual = counts.sum(axis=1)
    present = actual > 0
    hits, actual, called = counts.diagonal()[present], actual[present], counts.sum(axis=0)[present]
    if metric == "precision":
        return mean_bounds(hits, called, confidence, hits / actual if rules > 2 else None, rules=rules)
    return mean_bounds(hits, actual, confidence, rules=rules)


def _share(rows: Rows, metric: str, confidence: float) -> float:
    """Return how many independent rows a row is worth for this mean: by the pull of each unit against that of each row."""
    pulls = _pulls(rows, metric)
    by_units = unit_means(pulls, rows.units, crowding=rows.crowding)
    alone, together = (values.std(ddof=1) / len(values) ** 0.5 for values in (pulls, by_units))
    few = t_quantile(confidence, len(by_units) - 1) / quantile(confidence)
    return float(min(1.0, alone / together) / few) ** 2 if together > 0 else len(by_units) / len(pulls)


def _pulls(rows: Rows, metric: str) -> Floats:
    """Return what each row adds to the mean over the classes, times the number of rows, shape (num_examples,)."""
    counts = rows.counts.astype(float)
    hits, actual, called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    present = actual > 0
    right = rows.labels == rows.predicted
    if metric == "f1":
        whole = np.maximum(actual + called, 1)
        f1, scale = 2 * hits / whole, present / whole
        own = scale[rows.labels] * (2.0 * right - f1[rows.labels])
        pulls = own - (scale * f1)[rows.predicted]
    else:
        codes, whole = (rows.predicted, called) if metric == "precision" else (rows.labels, actual)
        share = hits / np.maximum(whole, 1)
        pulls = (present / np.maximum(whole, 1))[codes] * (right - share[codes])
    return np.asarray(pulls * len(rows.labels) / present.sum())


def _notes(rows: Rows, metric: str, value: float, share: float) -> str:
    kept = (
        ""
        if rows.units is None
        else f", {rows.unit_name} kept together: worth {share * len(rows.labels):,.0f} independent rows"
    )
    absent = [name for name, has in zip(rows.classes, rows.counts.sum(axis=1) > 0, strict=True) if not has]
    called = [name for name, has in zip(rows.classes, rows.counts.sum(axis=0) > 0, strict=True) if has]
    missing = [name for name in absent if name in called]
    if not missing:
        return kept
    num_present = len(rows.classes) - len(absent)
    shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    other = value if metric == "balanced_accuracy" else value * num_present / (num_present + len(missing))
    counted = "leaves it out, too" if metric == "balanced_accuracy" else f"counts it as 0 and would give {other:.3f}"
    return f"{kept}; over {num_present} classes with rows, without {shown} (predicted, no rows), where scikit-learn {counted}"
