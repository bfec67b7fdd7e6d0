"""What rows are worth that are not independent: copies of a text, or rows of one author.

A unit is a set of rows that belong together. Rows of one unit agree more than rows of different units, so they say less than
the same number of independent rows; how much less is the design effect.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pretune.intervals.agreement import agreement_limit
from pretune.intervals.proportions import Counts, Floats
from pretune.intervals.quantiles import t_quantile

# Units, as many of one size as would say as much, below which how much rows of a unit agree cannot be told: with 5 units at an
# intraclass correlation of 0.3 an interval with every correction covers 91 % where 95 % are promised (docs/honesty.md).
MIN_UNITS = 10
# Excess kurtosis that is believed: that of rates of groups has no bound where nearly all of them are 1.
MAX_KURTOSIS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """How many independent rows some rows are worth, for the share of hits among them.

    Args:
        share: Independent rows per row, in (0, 1], with the correction for few units.
        num_units: Units that have a row.
        num_even: How many units of one size would weigh as evenly: fewer, where some are much larger than others.
        effect: The design effect, at least 1: rows per independent row, but for the correction for few units.
        freedom: Degrees of freedom of the variance between units.
        is_known: Whether an interval can be given; ``False`` below ``MIN_UNITS``, unless the rows of every unit agree.
    """

    share: float
    num_units: int
    num_even: float
    effect: float
    freedom: float
    is_known: bool


def worth_of(is_hit: npt.NDArray[np.bool_], units: Counts, confidence: float, *, by_moments: bool = False) -> Worth:
    """Return what the rows are worth.

    The design effect is the larger of two: from what units differ by (a sum of squares, which also sees that large units are
    right less often), and from how far rows of a unit agree, as far as that can be told from so few units
    (``agreement_limit``). Where the rows of every unit agree, as copies do, a unit counts as one row.

    Args:
        is_hit: Of the rows that the share rests on, shape (num_rows,), at least one.
        units: Number of the unit of each, of the same shape; any numbers.
        confidence: Of the interval that is to be made.
        by_moments: As rules 2 had it: the agreement is estimated, and the effective rows are lessened by the square of a ratio
            of t quantiles for few units, with the kurtosis of rates that follow a beta distribution.

    Source:
        Kish (1965), Survey sampling (design effect by the intraclass correlation). By moments: Korn and Graubard (1998),
        Confidence intervals for proportions with small expected number of positive counts estimated from survey data
        (effective rows, and the ratio of t quantiles); Ridout, Demétrio and Firth (1999), Estimating intraclass correlation
        for binary data (the analysis of variance); Satterthwaite (1946), An approximate distribution of estimates of variance
        components.
    """
    _, units = np.unique(units, return_inverse=True)
    sizes, hits = np.bincount(units).astype(float), np.bincount(units, is_hit).astype(float)
    num_rows, num_units, share = len(is_hit), len(sizes), float(is_hit.mean())
    if num_units == num_rows:
        return Worth(share=1.0, num_units=num_rows, num_even=float(num_rows), effect=1.0, freedom=num_rows - 1.0, is_known=True)
    even = num_rows**2 / float((sizes**2).sum())
    agree, values = bool(((hits == 0) | (hits == sizes)).all()), is_hit.astype(float)
    make = partial(Worth, num_units=num_units, num_even=even)
    if agree or even < MIN_UNITS:
        by_sums, by_agreement = _effects(values, units, 1.0)
        effect = max(1.0, by_agreement, by_sums * (num_units - 1) / num_units)
        return make(share=1 / effect, effect=effect, freedom=max(1.0, even - 1), is_known=agree)
    alike = intraclass_correlation(values, units) if by_moments else agreement_limit(hits, sizes)
    effect = max(1.0, *_effects(values, units, alike))
    if not by_moments:
        return make(share=1 / effect, effect=effect, freedom=even - 1, is_known=True)
    freedom = unit_freedom(share, alike, num_rows / num_units, num_units)
    few = (t_quantile(confidence, num_rows - 1) / t_quantile(confidence, freedom)) ** 2
    return make(share=few / effect, effect=effect, freedom=freedom, is_known=True)


def intraclass_correlation(values: Floats, units: Counts) -> float:
    """Return how much alike rows of a unit are, from 0 (no more than any) to 1, by the analysis of variance.

    Args:
        values: Shape (num_rows,).
        units: Number of the unit of each row, from 0 and without gaps.

    Example:
        >>> intraclass_correlation(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1]))
        1.0
    """
    sizes, num_rows = np.bincount(units), len(values)
    num_units = len(sizes)
    if num_units in (1, num_rows):
        return 0.0
    means = np.bincount(units, values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (num_units - 1)
    within = float(((values - means[units]) ** 2).sum()) / (num_rows - num_units)
    typical = (num_rows - float((sizes.astype(float) ** 2).sum()) / num_rows) / (num_units - 1)
    spread = between + (typical - 1) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else 0.0


def widening(values: Floats, units: Counts, crowding: Floats | None = None) -> float:
    """Return by how much the standard error of a mean, as the units' sums give it, falls short of what their agreement implies.

    Args:
        values: Shape (num_rows,).
        units: Number of the unit of each row, from 0 and without gaps.
        crowding: Of each row, how many rows a unit of its class holds as the rows of the class see it. Where one class comes in
            copies and the figure hangs on that class, its own units count, and not those of all rows.

    Returns:
        At least 1.
    """
    alike = intraclass_correlation(values, units)
    by_sums, by_agreement = _effects(values, units, alike)
    if crowding is not None:
        by_agreement = max(by_agreement, crowded_effect(values - values.mean(), alike, crowding))
    return max(1.0, by_agreement / by_sums) ** 0.5 if by_sums > 0 else 1.0


def crowded_effect(pulls: Floats, alike: float, crowding: Floats) -> float:
    """Return the design effect of a sum of pulls, if rows of a unit agree so far and units hold so many rows of each class.

    Args:
        pulls: What each row adds to a figure, shape (num_rows,).
        alike: Intraclass correlation.
        crowding: Rows of its class that a row's unit holds, as the class has it on the mean over its rows; of the same shape.

    Example:
        >>> crowded_effect(np.array([1.0, -1.0, 0.0, 0.0]), 1.0, np.array([3.0, 3.0, 1.0, 1.0]))
        3.0
    """
    squares = pulls**2
    total = float(squares.sum())
    return float((squares * (1 + alike * (crowding - 1))).sum()) / total if total > 0 else 1.0


def _effects(values: Floats, units: Counts, alike: float) -> tuple[float, float]:
    """Return the design effect of a mean, from the units' sums and from their intraclass correlation."""
    sizes, num_rows = np.bincount(units).astype(float), len(values)
    spread = float(values.var()) * num_rows
    sums = np.bincount(units, values) - values.mean() * sizes
    by_sums = len(sizes) / (len(sizes) - 1) * float((sums**2).sum()) / spread if spread > 0 and len(sizes) > 1 else 1.0
    return by_sums, 1 + alike * (float((sizes**2).sum()) / num_rows - 1)


def unit_freedom(share: float, alike: float, size: float, num_units: int) -> float:
    """Return the degrees of freedom of the variance between so many units of about this size."""
    between = alike * size / (1 + (size - 1) * alike)  # its share of the variance of a unit's sum
    kurtosis = min(MAX_KURTOSIS, max(0.0, _beta_kurtosis(share, alike))) * between**2
    return 1 / (1 / (num_units - 1) + kurtosis / (2 * num_units))


def _beta_kurtosis(share: float, alike: float) -> float:
    """Excess kurtosis of rates with this mean and intraclass correlation, if they follow a beta distribution."""
    total = (1 - alike) / alike if alike > 0 else np.inf
    if total in (0.0, np.inf):
        return 0.0 if total else MAX_KURTOSIS
    a, b = share * total, (1 - share) * total
    return float(6 * ((a - b) ** 2 * (total + 1) - a * b * (total + 2)) / (a * b * (total + 2) * (total + 3)))
