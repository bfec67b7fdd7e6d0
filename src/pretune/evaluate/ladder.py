"""Every threshold at once: rows counted between neighbouring thresholds, and the figures at each threshold."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pretune.intervals import Floats, wilson_bounds
from pretune.intervals.weighed import TINY, combined_bounds, ratio_bounds

# Thresholds that are told apart; with more distinct probabilities, neighbours are taken together.
MAX_THRESHOLDS = 2_000
# Of the lower ends by which thresholds are weighed: that of a first look.
CONFIDENCE = 0.95

Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The thresholds that tell rows apart, from the highest to one that calls every row positive.

    Args:
        thresholds: Shape (num_thresholds,), falling, in [0, 1].
        cells: Rows between a threshold and the next higher one, shape (num_thresholds, 3, 2). Middle axis: those of the
            positive class; others that are decided rightly if they are not called positive; others that are decided
            wrongly either way. Last axis: whether the largest class leaves them alone or calls them positive.
        places: Position of each row in the flat cells, shape (num_examples,).
    """

    thresholds: Floats
    cells: Floats
    places: npt.NDArray[np.int64]

    def find(self, threshold: float) -> int:
        """Return the position of the lowest threshold that calls no more rows than this one, at least the first."""
        return max(0, int((self.thresholds >= threshold).sum()) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class RungCounts:
    """What thresholds do to tables of rows; shapes (num_tables, num_thresholds), totals (num_tables, 1)."""

    hits: Floats  # positives that are called
    called: Floats
    right: Floats  # rows decided rightly, of all classes
    positives: Floats
    total: Floats
    share: float | None = None  # of the positives in production, by which figures are weighed

    def value(self, metric: str) -> Floats:
        """Return precision, recall, F1 or accuracy; precision is 0 where no row is called."""
        if self.share is not None and metric != "recall":
            return self._weighed(metric, self.share)[0]
        hits, trials = self._proportion(metric)
        share = hits / np.maximum(trials, 1)
        return 2 * share / (1 + share) if metric == "f1" else share

    def low(self, metric: str) -> Floats:
        """Return the lower end of the figure's 95 % interval (Wilson's; of F1, through the Jaccard share)."""
        if self.share is not None and metric != "recall":
            return self._weighed(metric, self.share)[1]
        low, _ = wilson_bounds(*self._proportion(metric), CONFIDENCE)
        return 2 * low / (1 + low) if metric == "f1" else low

    def high(self, metric: str) -> Floats:
        """Return the upper end of the same interval."""
        if self.share is not None and metric != "recall":
            return self._weighed(metric, self.share)[2]
        _, high = wilson_bounds(*self._proportion(metric), CONFIDENCE)
        return 2 * high / (1 + high) if metric == "f1" else high

    def cost(self, missed: float, false_alarm: float) -> Floats:
        """Return the mean cost of a row; mistakes among the other classes cost nothing."""
        if self.share is not None:
            alarms = (self.called - self.hits) / np.maximum(self.total - self.positives, 1)
            found = self.hits / np.maximum(self.positives, 1)
            weighed: Floats = missed * self.share * (1 - found) + false_alarm * (1 - self.share) * alarms
            return weighed
        total: Floats = (missed * (self.positives - self.hits) + false_alarm * (self.called - self.hits)) / self.total
        return total

    def _weighed(self, metric: str, share: float) -> tuple[Floats, Floats, Floats]:
        """Return a figure and the ends of its interval where production has this share of positives."""
        own = _rate(self.hits, self.positives * np.ones_like(self.hits))
        others = (self.total - self.positives) * np.ones_like(self.hits)
        alarms, odds = _rate(self.called - self.hits, others), (1 - share) / share
        if metric == "alerts":
            return _sum(share, own, alarms)
        if metric == "accuracy":
            return _sum(share, own, _rate(self.right - self.hits, others))
        per_positive = tuple(odds * part for part in alarms)
        offset = 0.0 if metric == "precision" else 1.0
        whole = (offset + per_positive[0], offset + per_positive[1], offset + per_positive[2])
        low, high = ratio_bounds(own, whole)
        ratios = (own[0] / np.maximum(whole[0], TINY), low, np.minimum(high, 1 / TINY))
        twice = 1.0 if metric == "precision" else 2.0
        value, low, high = (twice * ratio / (1 + ratio) for ratio in ratios)
        return value, np.minimum(low, value), np.maximum(high, value)

    def _proportion(self, metric: str) -> tuple[Floats, Floats]:
        ones = np.ones_like(self.hits)
        return {
            "precision": (self.hits, self.called),
            "recall": (self.hits, self.positives * ones),
            "f1": (self.hits, self.called + self.positives - self.hits),
            "accuracy": (self.right, self.total * ones),
            "alerts": (self.called, self.total * ones),
        }[metric]


def _rate(hits: Floats, totals: Floats) -> tuple[Floats, Floats, Floats]:
    low, high = wilson_bounds(hits, totals, CONFIDENCE)
    return hits / np.maximum(totals, 1), low, high


def _sum(share: float, own: tuple[Floats, ...], others: tuple[Floats, ...]) -> tuple[Floats, Floats, Floats]:
    value, lows, highs = (np.stack(pair, axis=-1) for pair in zip(own, others, strict=True))
    weights = np.array([share, 1 - share])
    return (value * weights).sum(axis=-1), *combined_bounds(weights, value, lows, highs)


def build_ladder(chances: Floats, is_positive: Truth, is_right_otherwise: Truth, is_called: Truth) -> Ladder:
    """Count rows by the thresholds that tell them apart.

    Args:
        chances: Probability of the positive class, shape (num_examples,), as the next three.
        is_positive: Which rows are of it.
        is_right_otherwise: Which rows are decided rightly if they are not called positive; never a positive one.
        is_called: Which rows the largest class calls positive.
    """
    levels, level_of = np.unique(-chances, return_inverse=True)  # falling probabilities
    levels, ends = -levels, np.arange(len(levels))  # the last level of each cell
    if len(levels) > MAX_THRESHOLDS:
        ends = np.unique(np.linspace(0, len(levels) - 1, MAX_THRESHOLDS).round().astype(int))
    cell_of, above, below = np.searchsorted(ends, level_of), levels[ends], np.append(levels[ends[:-1] + 1], -1.0)
    kind = 2 * np.where(is_positive, 0, np.where(is_right_otherwise, 1, 2)) + is_called
    places = cell_of * 6 + kind
    cells = np.bincount(places, minlength=6 * len(ends)).reshape(-1, 3, 2).astype(float)
    return Ladder(np.array([between(*ends) for ends in zip(below, above, strict=True)]), cells, places)


def count(tables: Floats, share: float | None = None) -> RungCounts:
    """Count what each threshold does to cells of a ladder or resamples of them, shape (num_tables, num_thresholds, 3, 2)."""
    kinds = tables.sum(axis=3)
    hits, called = kinds[:, :, 0].cumsum(axis=1), kinds.sum(axis=2).cumsum(axis=1)
    spared = kinds[:, :, 1].sum(axis=1, keepdims=True) - kinds[:, :, 1].cumsum(axis=1)
    return RungCounts(hits=hits, called=called, right=hits + spared, positives=hits[:, -1:], total=called[:, -1:], share=share)


def count_largest(tables: Floats, share: float | None = None) -> RungCounts:
    """Count what deciding for the largest class does to the same tables; every shape is (num_tables, 1)."""
    kinds = tables.sum(axis=1)  # (tables, 3, 2)
    hits, called, spared = kinds[:, 0, 1:], kinds[:, :, 1].sum(axis=1, keepdims=True), kinds[:, 1, :1]
    positives, total = kinds[:, 0].sum(axis=1, keepdims=True), kinds.sum(axis=(1, 2))[:, None]
    return RungCounts(hits=hits, called=called, right=hits + spared, positives=positives, total=total, share=share)


def between(below: float, above: float) -> float:
    """Return the roundest number above ``below`` and at most ``above``: 0.5 where it fits, else with the fewest digits.

    Example:
        >>> between(0.48, 0.53), between(0.7312, 0.7391), between(-1.0, 0.02)
        (0.5, 0.735, 0.0)
    """
    if below < 0.5 <= above:
        return 0.5
    if below < 0:
        return 0.0
    middle = (below + above) / 2
    for digits in range(2, 17):
        rounded = round(middle, digits)
        if below < rounded <= above:
            return rounded
    return above
