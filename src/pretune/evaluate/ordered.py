"""Ordered classes: how far off are the answers if the classes are numbers, such as one to five stars?"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from pretune.evaluate.codes import Rows, rows_of
from pretune.evaluate.shares import MakeScore, too_few
from pretune.intervals import MIN_RARER_CLASS, Floats, skewed_mean_interval, unit_means
from pretune.records import USUAL, Predictions, Score, Terms

# Numbers beyond so many are measurements, not classes.
MAX_ORDERED = 101
MIN_ORDERED = 3
TINY = 1e-12


def ordered_values(classes: Sequence[str]) -> tuple[float, ...] | None:
    """Return the classes as numbers, in their order, or ``None`` where they are names, two, or too many.

    Example:
        >>> ordered_values(["1", "2", "3"]), ordered_values(["1", "two", "3"])
        ((1.0, 2.0, 3.0), None)
    """
    try:
        values = tuple(float(name) for name in classes)
    except ValueError:
        return None
    return values if MIN_ORDERED <= len(set(values)) <= MAX_ORDERED and np.isfinite(values).all() else None


def score_ordered(predictions: Predictions, terms: Terms = USUAL) -> tuple[Score, ...]:
    """Mean absolute error, in the unit of the labels, and quadratic kappa; nothing where the classes have no order.

    Kappa is the agreement beyond chance, 1 where all answers are right; a mistake counts by the square of its distance.

    Args:
        predictions: With labels.
        terms: By which intervals are computed.

    Source:
        Cohen (1968), Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit.
    """
    values = ordered_values(predictions.classes)
    if values is None:
        return ()
    rows, places = rows_of(predictions, terms), np.array(values)
    make = partial(
        Score,
        label=None,
        split=predictions.split,
        source=predictions.source,
        confidence=terms.confidence,
        look=terms.look,
        num_examples=len(rows.labels),
    )
    return _absolute_error(make, rows, places), _kappa(make, rows, places)


def _absolute_error(make: MakeScore, rows: Rows, places: Floats) -> Score:
    away = np.abs(places[rows.labels] - places[rows.predicted])
    return _mean_score(partial(make, metric="absolute_error"), rows, away, (0.0, np.inf))


def _kappa(make: MakeScore, rows: Rows, places: Floats) -> Score:
    blank = partial(make, metric="quadratic_kappa")
    for codes, what in ((rows.labels, "labels"), (rows.predicted, "answers")):
        if len(np.unique(codes)) == 1:
            return blank(value=None, low=None, high=None, method=f"undefined: all {what} are alike")
    true, said = places[rows.labels], places[rows.predicted]
    squares, means = (true - said) ** 2, (true.mean(), said.mean())
    seen, chance = squares.mean(), (true**2).mean() + (said**2).mean() - 2 * means[0] * means[1]
    # kappa is a ratio of means: each row gets its pull on it, so that intervals of a mean carry over
    shift = true**2 + said**2 - (true**2).mean() - (said**2).mean()
    shift -= 2 * ((true - means[0]) * means[1] + (said - means[1]) * means[0])
    pulled = 1 - squares / chance + seen / chance**2 * shift
    value, num_others = float(1 - seen / chance), len(rows.labels) - int(rows.counts.sum(axis=1).max())
    if num_others < MIN_RARER_CLASS:
        return blank(value=value, low=None, high=None, method=too_few("what is not of the commonest class", num_others))
    # What kappa lacks to 1 is a ratio, never negative: its logarithm is closer to normal, so the interval is of that.
    found = _mean_score(blank, rows, (pulled - value) / min(value - 1, -TINY), (-np.inf, np.inf))
    if found.low is None or found.high is None:
        return replace(found, value=value)
    low, high = (1 - (1 - value) * float(np.exp(end)) for end in (found.high, found.low))
    return replace(
        found, value=value, low=max(-1.0, low), high=high, method=f"{found.method}, of the logarithm of 1 less kappa"
    )


def _mean_score(blank: MakeScore, rows: Rows, values: Floats, ends: tuple[float, float]) -> Score:
    blank, confidence = partial(blank, value=float(values.mean())), blank.keywords["confidence"]
    wrong = rows.labels != rows.predicted
    num_wrong = int(wrong.sum()) if rows.units is None else len(np.unique(rows.units[wrong]))
    if num_wrong < MIN_RARER_CLASS:
        return blank(low=None, high=None, method=too_few("what is answered wrongly", num_wrong, rows.unit_name))
    interval = skewed_mean_interval(unit_means(values, rows.units), confidence)
    if interval is None:
        return blank(low=None, high=None, method=f"no interval: all {rows.unit_name} have the same value")
    method = "t interval, corrected for skewness (Hall)" + ("" if rows.units is None else ", over groups")
    return blank(low=max(ends[0], interval[0]), high=min(ends[1], interval[1]), method=method)
