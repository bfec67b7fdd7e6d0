"""ROC and PR area: how well do the probabilities rank the rows? With intervals from the pull of each row.

The pull (influence) of a row is the gain in area from a little more weight on it. Pulls of independent rows, or of whole
groups, add up to the error of the area. So no resampling is needed, even with ties and groups, and 100,000 rows cost one
sort. Coverage was measured against the BCa bootstrap (docs/decisions/0008).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pretune.evaluate.codes import MACRO, Rows
from pretune.evaluate.shares import MakeScore, too_few
from pretune.intervals import MIN_RARER_CLASS, Floats, clopper_pearson_bounds, t_quantile, widening
from pretune.records import Score

Truth = npt.NDArray[np.bool_]

# Rows of each class that are thought to rank at random, for the error only. With 1 the intervals covered 92.7 % at worst,
# with 2 they were needlessly wide for 50 rows (benchmarks/area_coverage.py).
PSEUDO_ROWS = 1.5


@dataclass(frozen=True, eq=False)
class Area:
    """One area and what its interval is made of.

    Args:
        value: In [0, 1].
        centre: The value less half of its estimated bias: where the interval is laid.
        pulls: Of each row, mean 0, shape (num_examples,); the error of the area is their mean.
        pseudo: Sum of squares that ``PSEUDO_ROWS`` more rows of each class, ranked at random, would add to the pulls'.
    """

    value: float
    centre: float
    pulls: Floats
    pseudo: float


Measure = Callable[[Truth, Floats], Area]


def area_scores(make: MakeScore, rows: Rows, positive: str | None) -> list[Score]:
    """ROC area (one for two classes, else the mean of one class against the rest) and PR area (average precision).

    Args:
        make: With the fields that all scores share.
        rows: With probabilities.
        positive: The class whose PR area is meant; the mean over the classes otherwise.
    """
    ranked = None if len(rows.classes) == 2 else MACRO
    index = None if positive is None else rows.classes.index(positive)
    roc = partial(make, metric="roc_area", label=ranked)
    pr = partial(make, metric="pr_area", label=MACRO if positive is None else positive)
    return [_score(roc, rows, roc_area, 1 if ranked is None else None), _score(pr, rows, pr_area, index)]


def roc_area(is_positive: Truth, shares: Floats) -> Area:
    """Probability that a row of the class is ranked above one of the others, ties counting half.

    Args:
        is_positive: Whether a row is of the class, shape (num_examples,); some are, and some are not.
        shares: Probability of the class, likewise.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
        characteristic curves; the ranks as in Sun and Xu (2014).
    """
    size, num_positives = len(shares), int(is_positive.sum())
    num_others, ranks = size - num_positives, midranks(shares)
    above = (ranks[is_positive] - midranks(shares[is_positive])) / num_others
    below = 1 - (ranks[~is_positive] - midranks(shares[~is_positive])) / num_positives
    value = float(above.mean())
    pulls = np.empty(size)
    pulls[is_positive], pulls[~is_positive] = (above - value) * size / num_positives, (below - value) * size / num_others
    return Area(value, value, pulls, _pseudo(value, size, num_positives))


def pr_area(is_positive: Truth, shares: Floats) -> Area:
    """Average precision: the mean, over the rows of the class, of the precision at their rank.

    Each such row counts itself among the hits, which flatters; without it the precision is unbiased given the rows above.
    The interval is laid around the middle between the two, which covers best (docs/decisions/0008).

    Args:
        is_positive: Whether a row is of the class, shape (num_examples,).
        shares: Probability of the class, likewise.
    """
    size, order = len(shares), np.argsort(-shares, kind="stable")
    hit, sorted_shares = is_positive[order].astype(float), shares[order]
    is_last = np.r_[sorted_shares[1:] != sorted_shares[:-1], True]  # of rows with the same probability
    block = np.r_[0, np.cumsum(is_last)[:-1]]
    hits, called = np.cumsum(hit)[is_last], np.flatnonzero(is_last) + 1.0
    precision, own = hits / called, np.diff(np.r_[0.0, hits])  # at each distinct probability
    total = float(hits[-1])
    value = float((own * precision).sum() / total)
    ahead = [np.cumsum((own * part / called)[::-1])[::-1] for part in (np.ones_like(called), precision)]
    pulls = np.empty(size)
    pulls[order] = (size / total) * (hit * (precision[block] - value + ahead[0][block]) - ahead[1][block])
    without = np.where(called > 1, (hits - 1) / np.maximum(called - 1, 1), value)
    centre = (value + float((own * without).sum() / total)) / 2
    return Area(value, centre, pulls, _pseudo(centre, size, int(total)))


def mean_area(areas: list[Area]) -> Area:
    """Return the mean of the areas of several classes on the same rows."""
    return Area(
        value=float(np.mean([area.value for area in areas])),
        centre=float(np.mean([area.centre for area in areas])),
        pulls=np.mean([area.pulls for area in areas], axis=0),
        pseudo=sum(area.pseudo for area in areas) / len(areas) ** 2,
    )


def area_of(rows: Rows, measure: Measure, index: int | None) -> Area | None:
    """Return the area of one class, or the mean over all that have rows and leave some; ``None`` where there is none."""
    if rows.shares is None:
        return None
    sizes = np.bincount(rows.labels, minlength=len(rows.classes))
    wanted = range(len(sizes)) if index is None else [index]
    areas = [measure(rows.labels == at, rows.shares[:, at]) for at in wanted if 0 < sizes[at] < len(rows.labels)]
    return mean_area(areas) if areas else None


def spread_of(pulls: Floats, rows: Rows, pseudo: float = 0.0) -> float:
    """Return the standard error of a figure from the pulls of its rows; rows of one group are added up first."""
    sums: Floats = pulls if rows.units is None else np.asarray(np.bincount(rows.units, pulls), float)
    if rows.units is not None and rows.rules > 1:
        sums = sums * widening(pulls, rows.units, rows.crowding)
    num_units = len(sums)
    inflation = num_units / (num_units - 1)
    return float((((sums**2).sum() + pseudo) * inflation) ** 0.5 / len(pulls))


def area_interval(area: Area, error: float, rarer: int, confidence: float) -> tuple[float, float]:
    """Studentized interval on the logit scale, never wider than what disjoint pairs of rows would give.

    Args:
        area: The figure.
        error: Its standard error, pseudo-rows included.
        rarer: Rows (or groups) of the rarer class.
        confidence: Probability that the interval covers the truth.

    Source:
        Qin and Hotilovac (2008), Comparison of non-parametric confidence intervals for the area under the ROC curve of a
        continuous-scale diagnostic test; Boyd, Eng and Page (2013), Area under the precision-recall curve: point estimates
        and confidence intervals.
    """
    wide_low, wide_high = (float(end) for end in clopper_pearson_bounds(area.centre * rarer, rarer, confidence))
    if error == 0 or not 0 < area.centre < 1:
        return min(wide_low, area.value), max(wide_high, area.value)
    slope = area.centre * (1 - area.centre)
    ends = np.log(area.centre / (1 - area.centre)) + np.array([-1, 1]) * t_quantile(confidence, rarer) * error / slope
    low, high = 1 / (1 + np.exp(-ends))
    return min(max(float(low), wide_low), area.value), max(min(float(high), wide_high), area.value)


def _pseudo(value: float, size: int, num_positives: int) -> float:
    """A few rows that all rank right say little about the one that will not; Agresti and Coull's remedy, for the error only."""
    return PSEUDO_ROWS * value * (1 - value) * ((size / num_positives) ** 2 + (size / (size - num_positives)) ** 2)


def midranks(values: Floats) -> Floats:
    """Return ranks from 1, equal values sharing the mean of theirs.

    Example:
        >>> midranks(np.array([0.5, 0.1, 0.5])).tolist()
        [2.5, 1.0, 2.5]
    """
    _, position, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[position]
    return ranks


def _score(make: MakeScore, rows: Rows, measure: Measure, index: int | None) -> Score:
    blank = partial(make, num_examples=len(rows.labels))
    if rows.shares is None:
        return blank(value=None, low=None, high=None, method="undefined: the predictions came without probabilities")
    area = area_of(rows, measure, index)
    if area is None:
        none = index is not None and not (rows.labels == index).any()
        why = f"no row is {rows.classes[index]}" if none and index is not None else "all rows are of one class"
        return blank(value=None, low=None, high=None, method=f"undefined: {why}")
    rarer = rows.rarer(index)
    if rarer < MIN_RARER_CLASS:
        return blank(value=area.value, low=None, high=None, method=too_few("the rarer class", rarer, rows.unit_name))
    if measure is roc_area and not area.pulls.any() and area.value < 1:
        return blank(value=area.value, low=None, high=None, method="no interval: all rows have the same probabilities")
    error = spread_of(area.pulls, rows, area.pseudo)
    low, high = area_interval(area, error, rows.rarer_even(index), blank.keywords["confidence"])
    method = f"studentized on the logit scale, from the pull of each {rows.unit_name.removesuffix('s')}"
    return blank(value=area.value, low=low, high=high, method=method)
