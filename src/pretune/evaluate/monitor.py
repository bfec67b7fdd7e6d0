"""One figure per validation, by which training chooses its best epoch: a number without an interval."""

import numpy as np

from pretune.errors import UsageError
from pretune.evaluate import tables
from pretune.evaluate.averages import margins_of
from pretune.evaluate.codes import Counts
from pretune.intervals import Floats

# Those of one class, the positive one.
OF_POSITIVE = {"precision": tables.precision_of, "recall": tables.recall_of, "f1": tables.f1_of}


def check_monitor(metric: str, labels: Counts, classes: tuple[str, ...], positive: str | None) -> None:
    """Check that a metric can be had on these validation rows.

    Args:
        metric: One of ``configs.MONITORS`` besides ``goal``.
        labels: Position of each row's class in ``classes``, shape (num_examples,).
        classes: All of them.
        positive: The class that precision, recall and F1 are about.

    Raises:
        UsageError: It is undefined there, whatever the predictions.
    """
    if metric in OF_POSITIVE and positive is None:
        raise UsageError(
            f"the monitored metric is {metric}, and there is no positive class to have it",
            expected="a class that precision, recall and f1 are about",
            fix=f"--positive with one of {', '.join(classes)}, or --monitor macro_f1",
        )
    if metric in OF_POSITIVE and not (labels == classes.index(str(positive))).any():
        raise UsageError(
            f"the monitored metric is {metric} of {positive!r}, and no validation row has that label",
            expected="validation rows of the positive class",
            fix="add such rows, or choose another --monitor",
        )
    if metric == "mcc" and len(np.unique(labels)) == 1:
        raise UsageError(
            f"the monitored metric is mcc, and all {len(labels)} validation rows are {classes[labels[0]]!r}",
            expected="validation rows of more than one class",
            fix="add such rows, or --monitor accuracy",
        )


def monitored(
    metric: str,
    labels: Counts,
    predicted: Counts,
    *,
    num_classes: int,
    positive: int | None = None,
    weights: Floats | None = None,
) -> float:
    """Return one figure. A class never predicted has precision 0, and mcc is 0 where all answers are alike, as in scikit-learn.

    Args:
        metric: One of ``configs.MONITORS`` besides ``goal``, ``loss`` and ``accuracy``.
        labels: Position of the true class, shape (num_examples,).
        predicted: Position of the answer, likewise.
        num_classes: Classes in all; averages are over those that have rows.
        positive: The class that precision, recall and F1 are about.
        weights: What each row counts; ``None`` where all count alike.

    Example:
        >>> monitored("recall", np.array([0, 1, 1]), np.array([0, 0, 1]), num_classes=2, positive=1)
        0.5
    """
    counts = np.bincount(labels * num_classes + predicted, weights, minlength=num_classes**2).reshape(
        1, num_classes, num_classes
    )
    margins = margins_of(counts.astype(float))
    if metric in OF_POSITIVE and positive is not None:
        figure = OF_POSITIVE[metric](positive)
    else:
        averages = {"macro_f1": tables.mean_f1, "balanced_accuracy": tables.mean_recall}
        figure = tables.mcc if metric == "mcc" else averages[metric](np.flatnonzero(margins.actual[0] > 0))
    return float(figure(margins)[0])
