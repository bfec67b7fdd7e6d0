"""What the mistakes on these rows cost, in the unit in which the user priced them."""

from collections.abc import Mapping

import numpy as np

from pretune.evaluate.codes import codes_of
from pretune.intervals import MIN_RARER_CLASS, skewed_mean_interval
from pretune.records import Predictions, Score


def score_cost(
    predictions: Predictions, *, positive: str, costs: Mapping[str, float], look: int = 1, confidence: float = 0.95
) -> Score:
    """Return the mean cost of a row, with its interval; mistakes among the other classes cost nothing.

    Args:
        predictions: With labels.
        positive: The class that is looked for.
        costs: ``fn``: of a positive that was missed; ``fp``: of a false alarm.
        look: How often these rows have been opened, this time included.
        confidence: Probability that the interval covers the truth.

    Raises:
        MissingLabelsError, DataError: What ``codes_of`` raises.
    """
    labels, predicted = codes_of(predictions)
    index = predictions.classes.index(positive)
    missed, alarm = (labels == index) & (predicted != index), (labels != index) & (predicted == index)
    each = costs["fn"] * missed + costs["fp"] * alarm  # (examples,)
    rarer = int(min((labels == index).sum(), (labels != index).sum()))
    interval = skewed_mean_interval(np.asarray(each, float), confidence) if rarer >= MIN_RARER_CLASS else None
    low, high = interval or (None, None)
    method = f"mean a row, {costs['fn']:g} a missed positive and {costs['fp']:g} a false alarm; "
    reason = f"no interval: the rarer side has {rarer} rows" if rarer < MIN_RARER_CLASS else "no interval: no mistake is made"
    return Score(
        metric="cost",
        label=None,
        split=predictions.split,
        source=predictions.source,
        value=float(each.mean()),
        low=None if low is None else max(0.0, low),
        high=high,
        confidence=confidence,
        method=method + ("t interval, corrected for skewness (Hall)" if interval else reason),
        num_examples=len(labels),
        look=look,
    )
