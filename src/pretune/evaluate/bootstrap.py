"""Intervals for figures that are no proportion, by resampling counts instead of rows.

Rows that agree in label and prediction are interchangeable, so a resampled table of counts is one multinomial draw,
and 10,000 of them cost the same for 200 rows and for 100,000.
"""

from collections.abc import Callable, Iterator
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pretune.intervals import Floats

# (num_tables, num_cells) counts -> (num_tables,) figures
Statistic = Callable[[Floats], Floats]

MIN_RESAMPLES, MAX_RESAMPLES = 10_000, 100_000
# Draws that should lie outside the interval, so that its ends are not set by a handful of them.
DRAWS_OUTSIDE = 50
# Counts held in memory at once: 8 bytes each.
MAX_COUNTS = 2_000_000


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
    """Bias-corrected and accelerated bootstrap interval of a figure computed from counts.

    Args:
        counts: Rows in each cell, shape (num_cells,); fractions are allowed (pseudo-rows).
        statistic: The figure, for many tables of counts at once.
        confidence: Probability that the interval covers the truth.
        seed: Seed of the draws; the same seed gives the same interval.

    Returns:
        The pair (low, high), or ``None`` where all draws agree and resampling says nothing.

    Source:
        Efron (1987), Better bootstrap confidence intervals.
    """
    weights = np.asarray(counts, float)
    estimate = float(statistic(weights[None])[0])
    draws = _draw(weights, statistic, num_resamples(confidence), np.random.default_rng(seed))
    below = (np.count_nonzero(draws < estimate) + 0.5 * np.count_nonzero(draws == estimate)) / len(draws)
    if not 0 < below < 1 or draws.min() == draws.max():
        return None
    normal, bias = NormalDist(), NormalDist().inv_cdf(below)
    acceleration = _acceleration(weights, statistic)
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


def _draw(weights: Floats, statistic: Statistic, total: int, generator: np.random.Generator) -> Floats:
    num_rows, shares = round(weights.sum()), weights / weights.sum()
    sizes = chunks_of(total, len(weights))
    return np.concatenate([statistic(generator.multinomial(num_rows, shares, size=size).astype(float)) for size in sizes])


def _acceleration(weights: Floats, statistic: Statistic) -> float:
    """Skewness of the jackknife: leaving out any row of a cell has the same effect."""
    cells = np.flatnonzero(weights)
    left_out = []
    for start in range(0, len(cells), max(1, MAX_COUNTS // len(weights))):
        part = cells[start : start + max(1, MAX_COUNTS // len(weights))]
        tables = np.repeat(weights[None], len(part), axis=0)
        tables[np.arange(len(part)), part] -= np.minimum(1.0, weights[part])
        left_out.append(statistic(tables))
    values, rows = np.concatenate(left_out), weights[cells]
    pulls = (rows * values).sum() / rows.sum() - values
    spread = (rows * pulls**2).sum()
    return float((rows * pulls**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0
