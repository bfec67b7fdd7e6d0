"""Decisions, from probabilities and a threshold."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pretune.intervals import Floats
from pretune.records import Predictions, ThresholdChoice


def apply_threshold(predictions: Predictions, choice: ThresholdChoice) -> Predictions:
    """Return the predictions as the choice decides them.

    Example:
        >>> given = Predictions(source="a", split="s", classes=("no", "yes"), ids=("1",), labels=("yes",),
        ...                     predicted=("no",), probabilities=((0.6, 0.4),))
        >>> choice = ThresholdChoice(source="a", split="validation", goal="f1", rule="", positive="yes", threshold=0.3)
        >>> apply_threshold(given, choice).predicted
        ('yes',)
    """
    return decide_by(predictions, choice.positive, choice.threshold)


def decide_by(predictions: Predictions, positive: str | None, threshold: float | None) -> Predictions:
    """Return the predictions decided for ``positive`` from this probability on, else for the largest other class.

    Without a threshold the largest class decides; predictions without probabilities stay as they are.
    """
    if predictions.probabilities is None or not predictions.ids:
        return predictions
    if positive is None or threshold is None:
        codes = np.asarray(predictions.probabilities, float).argmax(axis=1)
    else:
        index, shares, other = shares_beside(predictions, positive)
        codes = np.where(shares[:, index] >= threshold, index, other)
    return replace(predictions, predicted=tuple(predictions.classes[code] for code in codes))


def shares_beside(predictions: Predictions, positive: str) -> tuple[int, Floats, npt.NDArray[np.int64]]:
    """Return the column of the positive class, all probabilities, and the largest of the other classes."""
    index, shares = predictions.classes.index(positive), np.asarray(predictions.probabilities, float)
    shares = shares.reshape(len(predictions.ids), len(predictions.classes))
    others = shares.copy()
    others[:, index] = -1.0
    return index, shares, others.argmax(axis=1)
