"""Ratios: figures that are functions of sums over rows, such as chrF or nats per token, with intervals over units.

Such a figure stays as it is where all sums are multiplied alike, so each row has a pull on it (the derivative), and the mean of
the pulls is the figure: intervals of a mean of independent values carry over.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pretune.evaluate.bootstrap import chunks_of, merge_units, num_resamples
from pretune.evaluate.codes import Counts
from pretune.evaluate.matches import Formula
from pretune.evaluate.pairs import random_bits
from pretune.evaluate.shares import too_few
from pretune.intervals import MIN_RARER_CLASS, MIN_UNITS, Floats, skewed_mean_interval, t_quantile, unit_means

# Step of the derivatives, as a share of a sum, and the spread below which pulls differ by its rounding alone.
STEP, SAME = 1e-6, 1e-7


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which rows belong together, and what they are called.

    Args:
        units: Number of the unit of each row, from 0 and without gaps, shape (num_rows,); ``None``: each stands alone.
        name: Of units: ``rows`` where each stands alone.
    """

    units: Counts | None = None
    name: str = "rows"


@dataclass(frozen=True)
class Ratio:
    """One figure of one source.

    Args:
        sums: What each row adds to the sums, shape (num_rows, num_sums).
        formula: The figure of many tables of sums, (num_tables, num_sums) → (num_tables,).
    """

    sums: Floats
    formula: Formula

    @cached_property
    def value(self) -> float:
        """The figure."""
        return float(self.formula(self.sums.sum(axis=0, keepdims=True))[0])

    @cached_property
    def pulls(self) -> Floats:
        """How far each row pulls the figure, shape (num_rows,); their mean is the figure."""
        total = self.sums.sum(axis=0)
        steps = STEP * total  # a sum of 0 is not moved: no row adds to it
        moved = total + np.concatenate([np.diag(steps), np.diag(-steps)])
        above, below = np.split(self.formula(moved), 2)
        slopes = (above - below) / (2 * np.where(steps > 0, steps, 1.0))
        pulled = (self.sums @ slopes) * len(self.sums)
        found: Floats = self.value + pulled - pulled.mean()
        return found


def interval_over(pulls: Floats, grouping: Grouping, confidence: float) -> tuple[tuple[float, float] | None, str]:
    """Return the interval of a mean of pulls over units, and how it was made, or why there is none.

    Units are independent, rows of a unit are not. With few units of uneven size the interval is wider, as Student's t of so
    many units of one size has it; below 20 units, or 10 of one size, there is none.
    """
    units, size = grouping.units, len(pulls)
    sizes = np.ones(size) if units is None else np.bincount(units).astype(float)
    num_units, even = len(sizes), size**2 / float((sizes**2).sum())
    if num_units < MIN_RARER_CLASS:
        return None, too_few("the data", num_units, grouping.name)
    if even < MIN_UNITS:
        return (
            None,
            f"no interval: {num_units} {grouping.name}, uneven as they are, count as {even:.1f}; {MIN_UNITS} are needed",
        )
    found = (
        skewed_mean_interval(unit_means(pulls, units), confidence) if pulls.std() > SAME * max(1.0, abs(pulls.mean())) else None
    )
    if found is None:
        return None, f"no interval: all {grouping.name} are alike"
    stretch, middle = t_quantile(confidence, even - 1) / t_quantile(confidence, num_units - 1), float(pulls.mean())
    low, high = (middle + (end - middle) * stretch for end in found)
    return (low, high), f"t interval over {num_units:,} {grouping.name}, corrected for skewness (Hall)"


def exchanged(a: Ratio, b: Ratio, grouping: Grouping, confidence: float, seed: int = 0) -> float:
    """Return the share of random exchanges of a and b in whole units that give at least the observed difference.

    Source:
        Riezler and Maxwell (2005), On some pitfalls in automatic evaluation and significance testing for MT.
    """
    blocks_a, blocks_b = (_sum_units(item.sums, grouping) for item in (a, b))
    change = blocks_b - blocks_a
    if not change.any():
        return 1.0
    total_a, total_b = blocks_a.sum(axis=0), blocks_b.sum(axis=0)
    observed, num_draws = abs(a.value - b.value) - 1e-9, num_resamples(confidence)
    generator, num_extreme = np.random.default_rng(seed), 0
    for size in chunks_of(num_draws, len(change)):
        moved = random_bits(size, len(change), generator) @ change
        num_extreme += int((np.abs(a.formula(total_a + moved) - b.formula(total_b - moved)) >= observed).sum())
    return (1 + num_extreme) / (1 + num_draws)


def _sum_units(sums: Floats, grouping: Grouping) -> Floats:
    merged = merge_units(np.arange(len(sums)) if grouping.units is None else grouping.units)
    blocks = np.zeros((int(merged.max()) + 1, sums.shape[1]))
    np.add.at(blocks, merged, sums)
    return blocks
