"""The cost of the mistakes on these rows, in the user's own unit."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pretune.errors import UsageError
from pretune.evaluate.codes import rows_of
from pretune.intervals import MIN_RARER_CLASS, skewed_mean_interval, unit_means
from pretune.records import Predictions, Score, Terms


def score_cost(predictions: Predictions, terms: Terms, *, costs: Mapping[str, float]) -> Score:
    """Return the mean cost of a row, with its interval; mistakes among the other classes cost nothing.

    Args:
        predictions: With labels.
        terms: With the class that is looked for.
        costs: ``fn``: of a positive that was missed; ``fp``: of a false alarm.

    Raises:
        UsageError: No class is the positive one.
        MissingLabelsError, DataError: What ``rows_of`` raises.
    """
    rows = rows_of(predictions, terms if terms.rules > 1 else replace(terms, groups={}))
    labels, predicted = rows.labels, rows.predicted
    if terms.positive is None:
        raise UsageError("costs without a positive class", expected="a class that is looked for", fix="name it with --positive")
    index = predictions.classes.index(terms.positive)
    missed, alarm = (labels == index) & (predicted != index), (labels != index) & (predicted == index)
    each = costs["fn"] * missed + costs["fp"] * alarm  # (examples,)
    rarer = rows.rarer(index)
    means = unit_means(np.asarray(each, float), rows.units)
    interval = skewed_mean_interval(means, terms.confidence) if rarer >= MIN_RARER_CLASS else None
    low, high = interval or (None, None)
    over = "" if rows.units is None else f", over {rows.unit_name}"
    method = f"mean a row, {costs['fn']:g} a missed positive and {costs['fp']:g} a false alarm; "
    few = rarer < MIN_RARER_CLASS
    reason = f"no interval: {f'the rarer side has {rarer} {rows.unit_name}' if few else 'no mistake is made'}"
    return Score(
        metric="cost",
        label=None,
        split=predictions.split,
        source=predictions.source,
        value=float(each.mean()),
        low=None if low is None else max(0.0, low),
        high=high,
        confidence=terms.confidence,
        method=method + (f"t interval, corrected for skewness (Hall){over}" if interval else reason),
        num_examples=len(labels),
        look=terms.look,
    )
