"""Figures at the class shares of production, where the test rows were labelled at others: a stratified estimate.

How often rows of a class are answered with a class does not depend on how many of them were labelled. So each class is a
stratum, its rates are independent proportions, and a figure of production puts them together by production's shares. Recall,
balanced accuracy and the ROC area of two classes stay as they are.

Source:
    Cochran (1977), Sampling techniques, chapter 5 (stratified sampling); intervals of sums and ratios by MOVER
    (``intervals.weighed``), which at few false alarms covers where the delta method of Mercaldo, Lau and Zhou (2007),
    Confidence intervals for predictive values with an emphasis to case-control studies, has nothing to divide by.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pretune.evaluate.areas import PSEUDO_ROWS, Area, area_interval
from pretune.evaluate.calibration import losses_of, squares_of
from pretune.evaluate.codes import MACRO, Rows, rows_of
from pretune.evaluate.shares import too_few, too_few_units, worth_in
from pretune.intervals import MIN_RARER_CLASS, Floats, proportion_bounds, quantile, skewed_mean_interval, unit_means
from pretune.intervals.weighed import combined_bounds, ratio_bounds
from pretune.records import Predictions, Score, Terms

# What holds at any class shares.
UNCHANGED = ("recall", "balanced_accuracy")
NOT_WEIGHED = "no interval and no value: this figure is not weighed by class shares"
# Rows of the class that one of another may weigh as much as: with 2 the interval of the PR area covers 95 %, with 5 in some
# settings 87 %, with 19 only 65 %, since a false alarm that was not seen would pull it down.
MAX_RATIO = 2.0
FEW = f"at most {MAX_RATIO:g} may, so more rows of other classes are needed"
ALIKE = "no interval: all rows of each class are alike"
Ends = tuple[Floats, Floats, Floats]  # value, low and high


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """How rows of each class are answered, and production's shares of the classes.

    Args:
        rows: What was answered.
        shares: Of production, shape (num_classes,).
        rates: Share of each true class that gets each answer, shape (num_classes, num_classes).
        lows: Ends of their intervals, likewise.
        highs: See above.
        why_open: Why there are no intervals; empty where there are.
        missing: A class of production that no row has; empty where there is none.
    """

    rows: Rows
    shares: Floats
    rates: Floats
    lows: Floats
    highs: Floats
    why_open: str
    missing: str

    @property
    def weights(self) -> Floats:
        """What each row counts, shape (num_examples,); they add up to 1."""
        sizes = np.bincount(self.rows.labels, minlength=len(self.shares))
        found: Floats = (self.shares / np.maximum(sizes, 1))[self.rows.labels]
        return found

    def of_others(self, index: int) -> Ends:
        """Return the share of the rows of other classes that are answered with this class, in production."""
        others = np.arange(len(self.shares)) != index
        total = self.shares[others].sum()
        parts = self.shares[others] / total if total > 0 else np.zeros(int(others.sum()))
        column = self.rates[others, index], self.lows[others, index], self.highs[others, index]
        return (np.asarray((parts * column[0]).sum()), *combined_bounds(parts, *column))

    def odds(self, index: int) -> float:
        """Return how many rows of other classes production has for one of this class."""
        return float((1 - self.shares[index]) / self.shares[index])

    def own(self, index: int) -> Ends:
        """Return the recall of the class."""
        return self.rates[index, index], self.lows[index, index], self.highs[index, index]


def strata_of(rows: Rows, shares: Mapping[str, float], confidence: float) -> Strata:
    """Count the rates, each with its interval; rows of a unit that share a class count for what they are worth."""
    counts, sizes = rows.counts.astype(float), rows.counts.sum(axis=1).astype(float)
    is_right, why = rows.labels == rows.predicted, ""
    worth = np.ones(len(sizes))
    for index in np.flatnonzero(sizes) if rows.units is not None else ():
        found = worth_in(rows, is_right, rows.labels == index, confidence)
        worth[index] = found.share
        why = why or ("" if found.is_known else too_few_units(found, rows.unit_name))
    totals = np.repeat((sizes * worth)[:, None], len(sizes), axis=1)
    lows, highs = proportion_bounds(counts * worth[:, None], totals, confidence)
    of_production = np.array([shares[label] for label in rows.classes])
    missing = next((label for label, size in zip(rows.classes, sizes, strict=True) if not size and shares[label] > 0), "")
    rates = counts / np.maximum(sizes, 1)[:, None]
    return Strata(rows, of_production, rates, lows, highs, why, missing)


def weigh_score(score: Score, strata: Strata, costs: Mapping[str, float], positive: str | None) -> Score:
    """Return a figure of one source as it would be at production's shares, with the interval that belongs to it.

    Args:
        score: On the test rows as they are.
        strata: Of the same source and confidence.
        costs: What mistakes cost, for the mean cost.
        positive: The class that alerts and costs are about.
    """
    two = len(strata.rows.classes) == 2
    if score.metric in UNCHANGED or (score.metric == "roc_area" and two) or score.value is None:
        return score
    blank = partial(replace, score, num_hits=None, units=None, num_examples=len(strata.rows.labels))
    if strata.missing:
        return blank(value=None, low=None, high=None, method=f"undefined: no test row is {strata.missing}")
    found = _weigh(score, strata, costs, positive)
    if found is None:
        return blank(value=None, low=None, high=None, method=NOT_WEIGHED)
    value, ends, method = found
    if strata.why_open or ends is None or np.isnan(value):
        return blank(value=None if np.isnan(value) else value, low=None, high=None, method=strata.why_open or method)
    low, high = (float(end) for end in ends)
    return blank(value=value, low=min(low, value), high=max(high, value), method=f"{method}, weighed by class shares")


Found = tuple[float, tuple[Floats | float, Floats | float] | None, str]


def _weigh(score: Score, strata: Strata, costs: Mapping[str, float], positive: str | None) -> Found | None:
    rows, metric = strata.rows, score.metric
    if metric == "accuracy":
        return _sum(strata.shares, tuple(part.diagonal() for part in (strata.rates, strata.lows, strata.highs)))
    if metric in ("precision", "f1") and score.label != MACRO:
        index = rows.classes.index(str(score.label))
        return precision_at(strata, index) if metric == "precision" else f1_at(strata, index)
    if metric in ("precision", "f1"):
        return _mean(strata, metric, score.confidence)
    if metric in ("alerts", "cost") and positive is not None:
        return _of_calls(strata, rows.classes.index(positive), costs if metric == "cost" else {})
    if metric in ("loss", "brier"):
        values = losses_of(rows) if metric == "loss" else squares_of(rows)
        return None if values is None else _of_rows(strata, values, score.confidence)
    if metric == "pr_area" and score.label != MACRO:
        return _pr_area(strata, rows.classes.index(str(score.label)), score.confidence)
    return None


def precision_at(strata: Strata, index: int) -> Found:
    """Return the precision of a class: its recall against the false alarms that production has for each of its rows."""
    if strata.shares[index] == 0:
        return float("nan"), None, f"undefined: production has no {strata.rows.classes[index]}"
    own, others, odds = strata.own(index), strata.of_others(index), strata.odds(index)
    alarms = tuple(odds * part for part in others)
    called = float(own[0] + alarms[0])
    if called == 0:
        return float("nan"), None, f"undefined: {strata.rows.classes[index]} was never predicted"
    low, high = ratio_bounds(own, (alarms[0], alarms[1], alarms[2]))
    ends = low / (1 + low), np.where(np.isinf(high), 1.0, high / (1 + np.where(np.isinf(high), 0.0, high)))
    return float(own[0] / called), ends, "ratio of recall to false alarms (MOVER)"


def f1_at(strata: Strata, index: int) -> Found:
    """Return the F1 of a class, through the share of hits among the rows that are of it or were called so."""
    if strata.shares[index] == 0:
        return float("nan"), None, f"undefined: production has no {strata.rows.classes[index]}"
    own, others, odds = strata.own(index), strata.of_others(index), strata.odds(index)
    low, high = ratio_bounds(own, (1 + odds * others[0], 1 + odds * others[1], 1 + odds * others[2]))
    share = float(own[0] / (1 + odds * others[0]))
    if strata.rows.rarer(index) < MIN_RARER_CLASS:
        return 2 * share / (1 + share), None, too_few("the rarer side", strata.rows.rarer(index), strata.rows.unit_name)
    return 2 * share / (1 + share), (2 * low / (1 + low), 2 * high / (1 + high)), "ratio of rates (MOVER), as F1"


def _sum(weights: Floats, parts: tuple[Floats, ...]) -> Found:
    ends = combined_bounds(weights, *parts)
    return float((weights * parts[0]).sum()), ends, "sum of the classes' rates (MOVER)"


def _of_calls(strata: Strata, index: int, costs: Mapping[str, float]) -> Found:
    """Return the share of alerts, or where costs are given the mean cost of a row."""
    others, share = strata.of_others(index), float(strata.shares[index])
    value, low, high = strata.own(index)
    own = (1 - value, 1 - high, 1 - low) if costs else (value, low, high)
    weights = np.array([costs.get("fn", 1.0) * share, costs.get("fp", 1.0) * (1 - share)])
    return _sum(weights, tuple(np.array(pair, float) for pair in zip(own, others, strict=True)))


def _of_rows(strata: Strata, values: Floats, confidence: float) -> Found:
    """Return the mean of a value of each row, its interval from each row's distance to the mean of its class."""
    rows, weights = strata.rows, strata.weights
    mean = float((weights * values).sum())
    interval = None
    if rows.rarer() >= MIN_RARER_CLASS:
        pulled = mean + len(values) * weights * _within_class(values, rows)
        interval = skewed_mean_interval(unit_means(pulled, rows.units, widened=rows.rules > 1), confidence)
    method = "t interval within the classes, corrected for skewness (Hall)"
    if interval is None:
        method = ALIKE if rows.rarer() >= MIN_RARER_CLASS else too_few("the rarest class", rows.rarer(), rows.unit_name)
    return mean, interval, method


def _within_class(values: Floats, rows: Rows) -> Floats:
    """Return each value less the mean of its class, stretched for the degree of freedom that the mean takes."""
    sizes = np.bincount(rows.labels, minlength=len(rows.classes))
    means = np.bincount(rows.labels, values, minlength=len(rows.classes)) / np.maximum(sizes, 1)
    stretch = np.sqrt(sizes / np.maximum(sizes - 1, 1))
    found: Floats = (values - means[rows.labels]) * stretch[rows.labels]
    return found


def error_of(strata: Strata, slopes: Floats, pseudo: float = 0.0) -> float:
    """Return the standard error of a figure from what a little more weight of each row adds to it (the delta method).

    Args:
        strata: Whose rows.
        slopes: Derivative of the figure by the weight of each row, shape (num_examples,).
        pseudo: Variance of pseudo-rows to add.
    """
    moved = strata.weights * _within_class(slopes, strata.rows)
    if strata.rows.units is not None:
        moved = unit_means(moved * len(moved), strata.rows.units) / np.bincount(strata.rows.units).size
    return float(((moved**2).sum() + pseudo) ** 0.5)


def _mean(strata: Strata, metric: str, confidence: float) -> Found:
    """Return the mean precision or F1 over the classes with rows, by the delta method."""
    rows, weights, size = strata.rows, strata.weights, len(strata.shares)
    present = np.flatnonzero(np.bincount(rows.labels, minlength=size))
    right = rows.labels == rows.predicted
    hits = np.bincount(rows.labels[right], weights[right], minlength=size)
    called = np.bincount(rows.predicted, weights, minlength=size)
    whole = called if metric == "precision" else called + strata.shares
    figure = (1 if metric == "precision" else 2) * hits / np.maximum(whole, 1e-12)
    counts = np.isin(np.arange(size), present) / np.maximum(whole, 1e-12) / len(present)
    gain = (1 if metric == "precision" else 2) * right - figure[rows.predicted]
    slopes = counts[rows.predicted] * gain
    value = float(figure[present].mean())
    fewest = int(rows.support[present].min())
    if fewest < MIN_RARER_CLASS:
        return value, None, too_few("the rarest class", fewest, rows.unit_name)
    half = quantile(confidence) * error_of(strata, slopes)
    if half == 0:
        return value, None, ALIKE
    return value, (max(0.0, value - half), min(1.0, value + half)), "from the pull of each row (delta method)"


def _pr_area(strata: Strata, index: int, confidence: float) -> Found | None:
    rows, is_positive = strata.rows, strata.rows.labels == index
    if rows.shares is None or not 0 < is_positive.sum() < len(is_positive):
        return None
    value, slopes = weighed_pr_area(is_positive, rows.shares[:, index], strata.weights)
    rarer = rows.rarer(index)
    if rarer < MIN_RARER_CLASS:
        return value, None, too_few("the rarer class", rarer, rows.unit_name)
    num_positive = int(is_positive.sum())
    ratio = strata.odds(index) * num_positive / (len(is_positive) - num_positive)
    if ratio > MAX_RATIO:
        return value, None, f"no interval: a row of another class weighs as much as {ratio:.3g} of {rows.classes[index]}; {FEW}"
    pseudo = PSEUDO_ROWS * value * (1 - value) * (num_positive**-2.0 + (len(is_positive) - num_positive) ** -2.0)
    area = Area(value, value, slopes, 0.0)
    return value, area_interval(area, error_of(strata, slopes, pseudo), rarer, confidence), "from the pull of each row"


def weighed_pr_area(is_positive: np.ndarray, shares: Floats, weights: Floats) -> tuple[float, Floats]:
    """Return average precision of weighed rows, and its derivative by the weight of each row (``areas.pr_area``)."""
    order = np.argsort(-shares, kind="stable")
    hit, given, sorted_shares = is_positive[order].astype(float), weights[order], shares[order]
    is_last = np.r_[sorted_shares[1:] != sorted_shares[:-1], True]
    block = np.r_[0, np.cumsum(is_last)[:-1]]
    hits, called = np.cumsum(hit * given)[is_last], np.cumsum(given)[is_last]
    precision, own = hits / called, np.diff(np.r_[0.0, hits])
    total = float(hits[-1])
    value = float((own * precision).sum() / total)
    ahead = [np.cumsum((own * part / called)[::-1])[::-1] for part in (np.ones_like(called), precision)]
    slopes = np.empty(len(shares))
    slopes[order] = (hit * (precision[block] - value + ahead[0][block]) - ahead[1][block]) / total
    return value, slopes


def weigh_scores(
    scores: Sequence[Score],
    predictions: Predictions,
    terms: Terms,
    shares: Mapping[str, float],
    costs: Mapping[str, float] | None = None,
) -> Iterator[Score]:
    """Yield every figure of one source at production's shares.

    Args:
        scores: Of the source.
        predictions: Of the same.
        terms: By which they were computed.
        shares: Of production, of every class.
        costs: What mistakes cost.
    """
    strata = strata_of(rows_of(predictions, terms), shares, terms.confidence)
    return (weigh_score(score, strata, costs or {}, terms.positive) for score in scores)
