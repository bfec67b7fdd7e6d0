"""Two sources at the class shares of production: the difference of accuracy or F1, with rows weighed by their class."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pretune.evaluate.bootstrap import chunks_of
from pretune.evaluate.codes import Rows
from pretune.evaluate.paired import Paired, pair
from pretune.evaluate.pairs import random_bits, sign_flip_p_value
from pretune.evaluate.prevalence import Strata, error_of, strata_of
from pretune.intervals import MIN_RARER_CLASS, Floats, quantile, t_quantile
from pretune.records import Comparison, Predictions, Terms

WEIGHED = "weighed by class shares"


def weigh_comparison(
    comparison: Comparison, a: Predictions, b: Predictions, terms: Terms, shares: Mapping[str, float]
) -> Comparison | None:
    """Return a comparison at production's shares; ``None`` for a figure that is not weighed.

    The p value comes from exchanging the two answers of a row (or unit) at random, which is as fair with weights as without.
    The interval is that of a stratified mean (accuracy, Bonett and Price's pseudo-rows in each class) or comes from the pull
    of each row on the difference (F1).

    Args:
        comparison: On the test rows as they are.
        a: The first source.
        b: The second.
        terms: By which it was computed.
        shares: Of production, of every class.
    """
    paired = pair(a, b, terms)
    strata = [strata_of(rows, shares, terms.confidence) for rows in (paired.a, paired.b)]
    if any(item.missing for item in strata):
        return None
    if comparison.metric == "accuracy":
        return _compare_accuracy(comparison, paired, strata[0])
    name, _, label = comparison.metric.removesuffix("]").partition("[")
    if name == "f1" and label in paired.a.classes:
        return _compare_f1(comparison, paired, strata[0], paired.a.classes.index(label))
    if name == "recall":
        return comparison
    return None


def _compare_accuracy(comparison: Comparison, paired: Paired, strata: Strata) -> Comparison:
    first, second = ((rows.predicted == rows.labels).astype(float) for rows in (paired.a, paired.b))
    weights, gains = strata.weights, first - second
    values = [float((weights * right).sum()) for right in (first, second)]
    difference = values[0] - values[1]
    if paired.a.units is None:
        centre, error = _bonett_price(gains, paired.a, strata.shares)
        reach = quantile(paired.confidence) * error
    else:
        centre, error = difference, error_of(strata, gains, _least(strata, gains))
        reach = t_quantile(paired.confidence, max(paired.a.rarer() - 1, 1)) * error
    p_value = sign_flip_p_value(weights * gains * len(gains), paired.a.units, paired.num_draws, paired.seed)
    return _changed(comparison, values, (centre - reach, centre + reach), p_value, paired, "stratified Bonett-Price interval")


def _bonett_price(gains: Floats, rows: Rows, shares: Floats) -> tuple[float, float]:
    """Return centre and standard error of the weighed mean gain, one pseudo-row each way in every class."""
    centre, variance = 0.0, 0.0
    for index in np.flatnonzero(np.bincount(rows.labels, minlength=len(shares))):
        own = gains[rows.labels == index]
        better, worse = ((own > 0).sum() + 1) / (len(own) + 2), ((own < 0).sum() + 1) / (len(own) + 2)
        centre += shares[index] * (better - worse)
        variance += shares[index] ** 2 * (better + worse - (better - worse) ** 2) / (len(own) + 2)
    return float(centre), float(variance**0.5)


def _least(strata: Strata, slopes: Floats) -> float:
    """Return the variance of one pseudo-row each way in every class, so that two that agree are not proven equal."""
    del slopes
    sizes = np.bincount(strata.rows.labels, minlength=len(strata.shares))
    each = np.where(sizes > 0, strata.shares / np.maximum(sizes, 1), 0.0)
    return float(2 * (each**2).sum())


def _compare_f1(comparison: Comparison, paired: Paired, strata: Strata, index: int) -> Comparison:
    weights, is_positive, share = strata.weights, paired.a.labels == index, float(strata.shares[index])
    calls = [(rows.predicted == index).astype(float) for rows in (paired.a, paired.b)]
    sums = [(float((weights * is_positive * call).sum()), float((weights * ~is_positive * call).sum())) for call in calls]
    values = [float(_f1(np.asarray(hits), np.asarray(alarms), share)) for hits, alarms in sums]
    slopes = [
        call * (2 * is_positive - value) / (share + hits + alarms)
        for call, value, (hits, alarms) in zip(calls, values, sums, strict=True)
    ]
    rarer, ends = paired.a.rarer(index), None
    if rarer >= MIN_RARER_CLASS:
        whole = min(share + hits + alarms for hits, alarms in sums)
        error = error_of(strata, slopes[0] - slopes[1], _least(strata, slopes[0]) * (1 / whole) ** 2)
        reach = t_quantile(paired.confidence, rarer - 1) * error
        ends = values[0] - values[1] - reach, values[0] - values[1] + reach
    p_value = _exchanged(weights, is_positive, calls, share, paired)
    how = "interval from the pull of each row" if ends else paired.too_few(rarer)
    return _changed(comparison, values, ends, p_value, paired, how)


def _f1(hits: Floats, alarms: Floats, share: float) -> Floats:
    found: Floats = 2 * hits / (share + hits + alarms)
    return found


def _exchanged(weights: Floats, is_positive: np.ndarray, calls: list[Floats], share: float, paired: Paired) -> float:
    """Return the share of random exchanges (the data's own included) that give at least the observed difference of F1."""
    change, units = weights * (calls[1] - calls[0]), paired.a.units
    units = np.arange(len(change)) if units is None else units
    moved = np.stack([np.bincount(units, change * part) for part in (is_positive, ~is_positive)], axis=1)
    moved = moved[np.abs(moved).sum(axis=1) > 0]
    if not len(moved):
        return 1.0
    start = np.array([[(weights * call * part).sum() for part in (is_positive, ~is_positive)] for call in calls])
    observed = abs(float(_f1(start[0, 0], start[0, 1], share) - _f1(start[1, 0], start[1, 1], share))) - 1e-12
    generator, num_extreme = np.random.default_rng(paired.seed), 0
    for size in chunks_of(paired.num_draws, len(moved)):
        drawn = random_bits(size, len(moved), generator) @ moved
        first, second = start[0] + drawn, start[1] - drawn
        gains = _f1(first[:, 0], first[:, 1], share) - _f1(second[:, 0], second[:, 1], share)
        num_extreme += int((np.abs(gains) >= observed).sum())
    return (1 + num_extreme) / (1 + paired.num_draws)


def _changed(
    comparison: Comparison,
    values: list[float],
    ends: tuple[float, float] | None,
    p_value: float,
    paired: Paired,
    how: str,
) -> Comparison:
    low, high = (max(-1.0, ends[0]), min(1.0, ends[1])) if ends is not None else (None, None)
    method = f"{paired.a.unit_name} exchanged at random, {paired.num_draws:,} draws; {how}, {WEIGHED}"
    return replace(
        comparison,
        value_a=values[0],
        value_b=values[1],
        difference=values[0] - values[1],
        low=low,
        high=high,
        p_value=p_value,
        method=method,
    )
