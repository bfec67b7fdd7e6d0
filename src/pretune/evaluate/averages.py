"""Figures over all classes: macro precision, recall and F1, balanced accuracy, and Matthews correlation."""

from functools import cached_property, partial

import numpy as np

from pretune.evaluate import tables
from pretune.evaluate.bootstrap import bca_intervals, merge_units, num_resamples
from pretune.evaluate.codes import MACRO, Rows
from pretune.evaluate.macro import macro_score
from pretune.evaluate.shares import MakeScore, too_few, worth_in
from pretune.evaluate.tables import Figure, Margins
from pretune.intervals import (
    MIN_FOR_WILSON,
    MIN_RARER_CLASS,
    Floats,
    average_bounds,
    f1_bounds,
    proportion_bounds,
    quantile,
    t_quantile,
    widening,
)
from pretune.records import Score

Interval = tuple[float, float, str]  # low, high, method

# Cells of the confusion matrix above which drawing 1,000 blocks of rows is faster than drawing each cell's count.
MAX_CELLS = 250


def average_scores(make: MakeScore, rows: Rows) -> list[Score]:
    """Macro precision, recall and F1, balanced accuracy (macro recall by its other name) and Matthews correlation.

    Averages are over the classes that have rows; there a class never predicted counts as precision 0, as in
    scikit-learn. Correlation is undefined where all labels, or all answers, are alike.
    """
    summary = Averages(rows, make.keywords["confidence"])
    means = [summary.score(make, metric, MACRO) for metric in ("precision", "recall", "f1")]
    return [*means, summary.score(make, "balanced_accuracy", None), summary.score(make, "mcc", None)]


class Averages:
    """The intervals of averages over the classes of one confusion matrix.

    Args:
        rows: What was answered.
        confidence: Of the intervals.
    """

    def __init__(self, rows: Rows, confidence: float) -> None:
        self._rows, self._confidence = rows, confidence
        counts = rows.counts
        self._hits, self._actual, self._called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
        self._present = np.flatnonzero(self._actual > 0)

    def score(self, make: MakeScore, metric: str, label: str | None) -> Score:
        """Return one figure with its interval, or with the reason why there is none."""
        blank = partial(make, metric=metric, label=label, num_examples=len(self._rows.labels))
        if metric == "mcc" and 1 in (len(self._present), np.count_nonzero(self._called)):
            alike = "labels" if len(self._present) == 1 else "answers"
            return blank(value=None, low=None, high=None, method=f"undefined: all {alike} are alike")
        value = self._value(metric)
        if self._rows.rules > 1 and metric != "mcc":
            return macro_score(make, self._rows, metric, label, value)
        rarest = int(self._rows.support.argmin())
        if self._rows.support[rarest] < MIN_RARER_CLASS:
            reason = too_few(self._rows.classes[rarest], int(self._rows.support[rarest]), self._rows.unit_name)
            if metric != "mcc":
                reason = f"mean over {len(self._present)} classes; {reason}"
            return blank(value=value, low=None, high=None, method=reason)
        low, high, method = self._interval(metric)
        if metric == "mcc" and value is not None:
            low, high = _stretched(value, (low, high), self._rows, self._confidence)
        return blank(value=value, low=low, high=high, method=method)

    def _figure(self, metric: str) -> Figure:
        means = {"precision": tables.mean_precision, "f1": tables.mean_f1}
        return tables.mcc if metric == "mcc" else means.get(metric, tables.mean_recall)(self._present)

    def _value(self, metric: str) -> float:
        return float(self._figure(metric)(margins_of(self._rows.counts[None].astype(float)))[0])

    def _interval(self, metric: str) -> Interval:
        is_independent = self._rows.units is None and metric in ("precision", "recall", "balanced_accuracy")
        if is_independent:
            totals = self._called if metric == "precision" else self._actual
            low, high = average_bounds(self._hits, totals, self._confidence)
            return float(low), float(high), "mean of the classes' intervals (MOVER)"
        correct = int(self._hits.sum())
        if min(correct, len(self._rows.labels) - correct) >= MIN_FOR_WILSON:
            interval = self._resampled["balanced_accuracy" if metric == "recall" else metric]
            if interval is not None:
                what = "" if self._rows.units is None else " of whole groups"
                return *interval, f"bca bootstrap, {num_resamples(self._confidence):,} resamples{what}"
        return self._plain(metric)

    @cached_property
    def _resampled(self) -> dict[str, tuple[float, float] | None]:
        """Intervals of every figure from the same draws."""
        rows, size = self._rows, len(self._actual)
        names = ["f1", "mcc"] if rows.units is None else ["precision", "f1", "mcc", "balanced_accuracy"]
        figures = [self._figure(name) for name in names]
        cell_of = rows.labels * size + rows.predicted
        used, position = np.unique(cell_of, return_inverse=True)
        sums = np.zeros((len(used), size * size))
        sums[np.arange(len(used)), used] = 1
        weights: Floats = np.bincount(position).astype(float)
        if rows.units is not None or len(used) > MAX_CELLS:
            order = np.argsort(position, kind="stable") if rows.units is None else np.arange(len(position))
            blocks = merge_units(np.arange(len(position)) if rows.units is None else rows.units)
            weights = np.zeros((int(blocks.max()) + 1, len(used)))
            np.add.at(weights, (blocks, position[order]), 1.0)

        def statistic(drawn: Floats) -> Floats:
            margins = margins_of((drawn @ sums).reshape(-1, size, size))
            return np.stack([figure(margins) for figure in figures])

        return dict(zip(names, bca_intervals(weights, statistic, confidence=self._confidence), strict=True))

    def _plain(self, metric: str) -> Interval:
        """Take the classes' own interval ends: right if the classes err together, and too wide otherwise.

        Where fewer than 20 hits or misses are there, resampling finds too little to vary.
        """
        worth = self._worth()
        if metric == "mcc":
            low_end, high_end = proportion_bounds(self._hits * worth, self._actual * worth, self._confidence)
            ends = [self._mcc_at(recalls) for recalls in (low_end, high_end)]
            return ends[0], ends[1], "at the ends of the classes' recall intervals (few hits or misses)"
        if metric == "f1":
            involved = self._actual + self._called - self._hits
            low, high = f1_bounds(self._hits * worth, involved * worth, self._confidence)
        else:
            totals = self._called if metric == "precision" else self._actual
            low, high = proportion_bounds(self._hits * worth, totals * worth, self._confidence)
        return float(low.mean()), float(high.mean()), "mean of the classes' interval ends (few hits or misses)"

    def _worth(self) -> Floats:
        """How many independent rows a row of each class is worth, shape (num_classes,)."""
        rows = self._rows
        is_right = rows.labels == rows.predicted
        found = [worth_in(rows, is_right, rows.labels == index, self._confidence) for index in range(len(self._actual))]
        return np.array([worth.share for worth in found])

    def _mcc_at(self, recalls: Floats) -> float:
        """Correlation if each class had this recall, its mistakes spread as those seen, and one more, are."""
        counts = self._rows.counts.astype(float)
        size = len(counts)
        mistakes = (counts + 1 / (size - 1)) * (1 - np.eye(size))
        moved = mistakes / mistakes.sum(axis=1, keepdims=True) * (self._actual * (1 - recalls))[:, None]
        moved += np.diag(self._actual * recalls)
        return float(tables.mcc(margins_of(moved[None]))[0])


def margins_of(matrices: Floats) -> Margins:
    """Return the margins of confusion matrices, shape (num_tables, num_classes, num_classes)."""
    return Margins(np.diagonal(matrices, axis1=1, axis2=2), matrices.sum(axis=2), matrices.sum(axis=1))


def _stretched(value: float, ends: tuple[float, float], rows: Rows, confidence: float) -> tuple[float, float]:
    """Return the ends farther from the correlation where few units, or units of one class, vary more than resamples show."""
    if rows.units is None or rows.crowding is None:
        return ends
    few = t_quantile(confidence, int(rows.units.max())) / quantile(confidence)
    stretch = few * widening(_pulls_of_mcc(rows), rows.units, rows.crowding)
    return max(-1.0, value - stretch * (value - ends[0])), min(1.0, value + stretch * (ends[1] - value))


def _pulls_of_mcc(rows: Rows) -> Floats:
    """Return what each row adds to the Matthews correlation, but for a factor, shape (num_examples,)."""
    counts = rows.counts.astype(float)
    actual, called, total, hits = counts.sum(axis=1), counts.sum(axis=0), counts.sum(), counts.trace()
    upper, of_called, of_actual = hits * total - actual @ called, total**2 - called @ called, total**2 - actual @ actual
    truth, said = rows.labels, rows.predicted
    gains = (truth == said) * total + hits - called[truth] - actual[said]
    lost = upper / 2 * ((2 * total - 2 * called[said]) / of_called + (2 * total - 2 * actual[truth]) / of_actual)
    pulls: Floats = (gains - lost) - float((gains - lost).mean())
    return pulls
