"""Figures that depend on the confusion matrix alone, for many matrices at once.

They need only its margins: hits, rows and answers of each class. Margins of resampled rows are sums of counts, so 10,000 of
them cost the same for 200 rows as for 100,000.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pretune.evaluate.codes import Counts
from pretune.intervals import Floats

TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Margins:
    """Of many confusion matrices: the hits, rows and answers of each class, each of shape (tables, classes)."""

    hits: Floats
    actual: Floats
    called: Floats


# (tables, classes) margins → (tables,) figures
Figure = Callable[[Margins], Floats]


def accuracy(margins: Margins) -> Floats:
    """Share of rows that are right."""
    return _ratio(margins.hits.sum(axis=1), margins.actual.sum(axis=1))


def mcc(margins: Margins) -> Floats:
    """Matthews correlation coefficient, for any number of classes; 0 where all labels or all answers are alike.

    Source:
        Gorodkin (2004), Comparing two K-category assignments by a K-category correlation coefficient.
    """
    total, right = margins.actual.sum(axis=1), margins.hits.sum(axis=1)
    shared = right * total - (margins.actual * margins.called).sum(axis=1)
    spread = (total**2 - (margins.actual**2).sum(axis=1)) * (total**2 - (margins.called**2).sum(axis=1))
    return np.where(spread > TINY, shared / np.sqrt(np.maximum(spread, TINY)), 0.0)


def precision_of(index: int) -> Figure:
    """Precision of one class; 0 where it is never called."""
    return lambda margins: _ratio(margins.hits[:, index], margins.called[:, index])


def recall_of(index: int) -> Figure:
    """Recall of one class."""
    return lambda margins: _ratio(margins.hits[:, index], margins.actual[:, index])


def f1_of(index: int) -> Figure:
    """F1 of one class."""
    return lambda margins: _f1(margins)[:, index]


def mean_precision(scored: Counts) -> Figure:
    """Mean precision over these classes."""
    return lambda margins: _ratio(margins.hits, margins.called)[:, scored].mean(axis=1)


def mean_recall(scored: Counts) -> Figure:
    """Mean recall over these classes: balanced accuracy."""
    return lambda margins: _ratio(margins.hits, margins.actual)[:, scored].mean(axis=1)


def mean_f1(scored: Counts) -> Figure:
    """Mean F1 over these classes."""
    return lambda margins: _f1(margins)[:, scored].mean(axis=1)


def _f1(margins: Margins) -> Floats:
    return _ratio(2 * margins.hits, margins.actual + margins.called)


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = part / np.maximum(whole, TINY)
    return ratio
