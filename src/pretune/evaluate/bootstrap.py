"""Intervals for figures that are not proportions, by resampling counts instead of rows.

Rows that agree in label and prediction are interchangeable. So a resampled table of counts is one multinomial draw, and
10,000 draws cost the same for 200 rows as for 100,000. If rows come in groups, whole groups are drawn.
"""

from collections.abc import Callable, Iterator
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pretune.evaluate.codes import Counts
from pretune.intervals import Floats

# (num_tables, num_cells) counts → figures, shape (num_tables,) or (num_figures, num_tables)
Statistic = Callable[[Floats], Floats]

MIN_RESAMPLES, MAX_RESAMPLES = 10_000, 100_000
# Draws that should lie outside the interval, so that its ends are not set by a handful of them.
DRAWS_OUTSIDE = 50
# Counts held in memory at once: 8 bytes each.
MAX_COUNTS = 500_000
# Units that are drawn one by one. More groups than this are first put together at random: sums of 50 independent groups
# are independent as well, and the standard error from 1,000 of them is right to 2.2 % (1 / sqrt(2 * 1,000)).
MAX_UNITS = 1_000


def num_resamples(confidence: float) -> int:
    """Return how many draws an interval of this confidence needs; later looks need more.

    Example:
        >>> num_resamples(0.95), num_resamples(1 - 0.05 / 5**2)
        (10000, 25000)
    """
    return min(MAX_RESAMPLES, max(MIN_RESAMPLES, round(DRAWS_OUTSIDE / (1 - confidence))))


def bca_interval(
    counts: npt.ArrayLike, statistic: Statistic, *, confidence: float, seed: int = 0
) -> tuple[float, float] | None:
    """Return ``bca_intervals`` of one figure, whose statistic returns shape (num_tables,)."""
    return bca_intervals(counts, lambda tables: statistic(tables)[None], confidence=confidence, seed=seed)[0]


def bca_intervals(
    counts: npt.ArrayLike, statistic: Statistic, *, confidence: float, seed: int = 0
) -> list[tuple[float, float] | None]:
    """Bias-corrected and accelerated bootstrap intervals of figures computed from counts, all from the same draws.

    Args:
        counts: Rows in each cell, shape (num_cells,), or, where rows come in groups, what each group adds to each cell,
            shape (num_units, num_cells): then whole units are drawn. Fractions are allowed (pseudo-rows).
        statistic: The figures, for many tables of counts at once: (num_tables, num_cells) → (num_figures, num_tables).
        confidence: Probability that an interval covers the truth.
        seed: Seed of the draws; the same seed gives the same interval.

    Returns:
        The pair (low, high) for each figure, or ``None`` where all draws agree and resampling says nothing.

    Source:
        Efron (1987), Better bootstrap confidence intervals.
    """
    weights = np.asarray(counts, float)
    table = weights if weights.ndim == 1 else weights.sum(axis=0)
    draws = _draw(weights, statistic, num_resamples(confidence), np.random.default_rng(seed))
    rows, left_out = _left_out(weights, statistic) if weights.ndim == 1 else _left_out_units(weights, statistic)
    estimates = statistic(table[None])[:, 0]
    accelerations = [_acceleration(rows, values) for values in left_out]
    return [_bca(*parts, confidence) for parts in zip(draws, estimates, accelerations, strict=True)]


def _bca(draws: Floats, estimate: float, acceleration: float, confidence: float) -> tuple[float, float] | None:
    below = (np.count_nonzero(draws < estimate) + 0.5 * np.count_nonzero(draws == estimate)) / len(draws)
    if not 0 < below < 1 or draws.min() == draws.max():
        return None
    normal, bias = NormalDist(), NormalDist().inv_cdf(below)
    ends = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        shifted = bias + normal.inv_cdf(tail)
        ends.append(normal.cdf(bias + shifted / max(1 - acceleration * shifted, 0.1)))
    low, high = np.quantile(draws, ends)
    return (float(low), float(high)) if low < high else None


def chunks_of(total: int, num_cells: int) -> Iterator[int]:
    """Yield sizes that sum to ``total``, each small enough to be held in memory."""
    size = max(1, MAX_COUNTS // max(num_cells, 1))
    while total > 0:
        yield min(size, total)
        total -= size


def merge_units(units: Counts, limit: int = MAX_UNITS, *, seed: int = 0) -> Counts:
    """Put groups together at random until there are at most ``limit``; rows of one group stay together.

    Args:
        units: Number of the group of each row, from 0, shape (num_examples,).
        limit: Groups that may remain.
        seed: Of the choice.
    """
    num_units = int(units.max()) + 1
    if num_units <= limit:
        return units
    merged: Counts = np.random.default_rng(seed).permutation(num_units)[units] % limit
    return merged


def _draw(weights: Floats, statistic: Statistic, total: int, generator: np.random.Generator) -> Floats:
    sizes = chunks_of(total, max(weights.shape))
    if weights.ndim == 1:
        num_rows, shares = round(weights.sum()), weights / weights.sum()
        drawn = (generator.multinomial(num_rows, shares, size=size).astype(float) for size in sizes)
    else:
        drawn = (_draw_units(len(weights), size, generator) @ weights for size in sizes)
    return np.concatenate([statistic(tables) for tables in drawn], axis=1)


def _draw_units(num_units: int, size: int, generator: np.random.Generator) -> Floats:
    """How often each unit is drawn, shape (size, num_units): faster than as many multinomial draws."""
    drawn = generator.integers(num_units, size=(size, num_units))
    drawn += np.arange(size)[:, None] * num_units
    return np.bincount(drawn.ravel(), minlength=size * num_units).reshape(size, num_units).astype(float)


def _acceleration(rows: Floats, values: Floats) -> float:
    """Skewness of the jackknife, from the figure without one row of each cell and how many such rows there are."""
    pulls = (rows * values).sum() / rows.sum() - values
    spread = (rows * pulls**2).sum()
    return float((rows * pulls**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0


def _left_out(weights: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    """Leaving out any row of a cell has the same effect."""
    cells = np.flatnonzero(weights)
    left_out = []
    for start in range(0, len(cells), max(1, MAX_COUNTS // len(weights))):
        part = cells[start : start + max(1, MAX_COUNTS // len(weights))]
        tables = np.repeat(weights[None], len(part), axis=0)
        tables[np.arange(len(part)), part] -= np.minimum(1.0, weights[part])
        left_out.append(statistic(tables))
    return weights[cells], np.concatenate(left_out, axis=1)


def _left_out_units(weights: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    return np.ones(len(weights)), statistic(weights.sum(axis=0) - weights)
