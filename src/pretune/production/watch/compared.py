"""Compared: could chance alone explain how two sets of texts differ? Exact where few texts show it, by ranks elsewhere.

Levels are around 1e-5 here, where intervals made for 95 % no longer hold: the normal approximation to a rare event cries wolf a
hundred times as often there. So what decides is a p value that is exact, or of ranks with their variance under "no change".
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr
from scipy.stats import hypergeom, rankdata

from pretune.diagnose.measures import separation
from pretune.intervals import Counts, Floats, clopper_pearson_bounds, unit_means, worth_of

Bools = npt.NDArray[np.bool_]
# Where most texts have the same value, ranks are too skewed unless so many texts of either set have another one.
MIN_APART = 100
EXACT, RANKS = "exact test of two shares (Fisher)", "rank test (Mann-Whitney)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How a window differs from the test.

    Args:
        change: 0 for not at all.
        low: Interval of the change at the confidence that was asked for.
        high: See above.
        p_value: Of "no change".
        method: Of the p value.
    """

    change: float
    low: float
    high: float
    p_value: float
    method: str

    def upwards(self) -> "Tested":
        """Return the same of which less is no change that anybody looks for."""
        return replace(self, p_value=self.p_value / 2 if self.change > 0 else 1.0)


@dataclass(frozen=True, slots=True)
class Counted:
    """Hits among so many independent texts as the texts are worth; whole numbers."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """The share of hits."""
        return self.hits / self.total


def count(is_hit: Bools, units: Counts, *, worth: float = 1.0) -> Counted | None:
    """Return what a share rests on; ``None`` where texts come in so few units that this cannot be told.

    Args:
        is_hit: Shape (num_texts,).
        units: Of the same shape; texts of one unit belong together.
        worth: How many independent texts each is worth besides.
    """
    found = worth_of(is_hit, units, 0.95)
    if not found.is_known:
        return None
    total = max(1, int(len(is_hit) * found.share * worth + 0.5))
    return Counted(int(is_hit.mean() * total + 0.5), total)


def compare_shares(before: Counted, now: Counted, level: float) -> Tested:
    """Ask whether two shares differ.

    Source:
        Fisher (1935), The logic of inductive inference (exact test, twice the smaller tail); Newcombe (1998), Interval
        estimation for the difference between independent proportions (method 10, here of the exact intervals).

    Example:
        >>> compare_shares(Counted(10, 1000), Counted(10, 1000), 0.05).p_value
        1.0
    """
    law = hypergeom(before.total + now.total, before.hits + now.hits, now.total)
    p_value = min(1.0, 2 * min(float(law.cdf(now.hits)), float(law.sf(now.hits - 1))))
    lows, highs = clopper_pearson_bounds([before.hits, now.hits], [before.total, now.total], 1 - level)
    change = now.share - before.share
    return Tested(
        change=change,
        low=change - float(np.hypot(now.share - lows[1], highs[0] - before.share)),
        high=change + float(np.hypot(highs[1] - now.share, before.share - lows[0])),
        p_value=p_value,
        method=EXACT,
    )


def compare_values(before: Floats, now: Floats, units: tuple[Counts, Counts], level: float) -> Tested | None:
    """Ask whether values tend to be larger, or smaller; the change is the chance of being larger, less 0.5.

    Where nearly all texts have the same value, such as no unknown word, the share of those that have more is compared, and the
    change is that of the share. ``None`` where texts come in too few units.

    Source:
        Mann and Whitney (1947), On a test of whether one of two random variables is stochastically larger than the other; with
        the variance for ties of Lehmann (1975), Nonparametrics. The interval: DeLong, DeLong and Clarke-Pearson (1988).
    """
    both = np.concatenate((before, now))
    values, sizes = np.unique(both, return_counts=True)
    commonest = values[sizes.argmax()]
    same = sizes.max() / len(both)
    if same > 0.5 and min(len(before), len(now)) * (1 - same) < MIN_APART:
        first, second = count(before > commonest, units[0]), count(now > commonest, units[1])
        return None if first is None or second is None else compare_shares(first, second, level)
    own = _renumbered(units[0]), _renumbered(units[1])
    are_alone = all(item.max() + 1 == len(item) for item in own)
    area, low, high = separation(before, now, 1 - level, units=(None, None) if are_alone else own)
    spread, effect = _null_spread(sizes, len(before), len(now)), 1.0 if are_alone else _effect(before, now, own)
    score = (area - 0.5) / (spread * effect**0.5)
    freedom = min(int(item.max()) for item in own)
    tail = float(ndtr(-abs(score))) if are_alone else float(stdtr(freedom, -abs(score)))
    return Tested(change=area - 0.5, low=low - 0.5, high=high - 0.5, p_value=min(1.0, 2 * tail), method=RANKS)


def _renumbered(units: Counts) -> Counts:
    return np.asarray(np.unique(units, return_inverse=True)[1], dtype=np.int64)


def _null_spread(sizes: Counts, num_before: int, num_now: int) -> float:
    """Standard deviation of the area if nothing changed, given how many values are the same."""
    total = num_before + num_now
    ties = float((sizes.astype(float) ** 3 - sizes).sum()) / (total * (total - 1))
    return float(np.sqrt((total + 1 - ties) / (12 * num_before * num_now)))


def _effect(before: Floats, now: Floats, units: tuple[Counts, Counts]) -> float:
    """Return by how much the variance of the area grows because texts of a unit are alike, at least 1."""
    ranks = rankdata(np.concatenate((before, now)))
    own_before, own_now = rankdata(before), rankdata(now)
    placed = 1 - (ranks[: len(before)] - own_before) / len(now), (ranks[len(before) :] - own_now) / len(before)
    alone = sum(float(part.var()) / len(part) for part in placed)
    grouped = 0.0
    for part, numbers in zip(placed, units, strict=True):
        means = unit_means(part, numbers)
        grouped += float(means.var(ddof=1)) / len(means) if len(means) > 1 else np.inf
    return max(1.0, grouped / alone) if alone > 0 else 1.0
