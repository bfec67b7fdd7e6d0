"""How far rows of a unit agree, as far as few units can tell."""

import numpy as np

from pretune.intervals.proportions import Floats

# Probability that the agreement is not above the one that is taken. Half of it would be as often too small as too large, and an
# estimate is too small just where the share of hits looks too good: 0.7 is the least with which wrong *ship* stays under
# 3 % with 10 groups and more where rates follow a beta distribution, and this where their log odds are normal (docs/log.md).
CERTAINTY = 0.85
SIZE = 32  # of the grid, each way
FAR = 9.0  # log odds of the rates that are thought of
ROUNDS, SMALL = 4, 1e-3  # of narrowing the grid to where more than so much of the most is


def agreement_limit(hits: Floats, sizes: Floats) -> float:
    """Return an intraclass correlation of rows of a unit that is not exceeded with probability ``CERTAINTY``.

    The rates of the units are taken to follow a beta distribution. Neither its mean (Jeffreys' prior) nor the correlation
    (uniform) is known, and both are weighed together: few mistakes that come from few units may be those of a worse mean and
    a larger correlation, which an estimate of one number cannot say.

    Args:
        hits: Of each unit, shape (num_units,).
        sizes: Rows of each unit.

    Source:
        Skellam (1948), A probability distribution derived from the binomial distribution by regarding the probability of
        success as variable between the sets of trials (the beta-binomial distribution).

    Example:
        >>> 0.5 < agreement_limit(np.array([9.0, 0.0, 9.0, 0.0]), np.full(4, 9.0)) < 1.0
        True
    """
    counted = [_counted(values) for values in (hits, sizes - hits, sizes)]
    ends, limit = ((-FAR, FAR), (0.0, 1.0)), 1.0  # of the log odds of the rates, and of the correlations
    for _ in range(ROUNDS):
        weights = _weights(counted, *map(_middles, ends))
        by_odds, by_alike = weights.sum(axis=1), weights.sum(axis=0)
        limit = float(np.interp(CERTAINTY, np.r_[0.0, by_alike.cumsum()], np.linspace(*ends[1], SIZE + 1)))
        narrowed = _narrow(ends[0], by_odds), _narrow(ends[1], by_alike)
        if all(2 * (new[1] - new[0]) > old[1] - old[0] for new, old in zip(narrowed, ends, strict=True)):
            break
        ends = narrowed
    return limit


def _counted(values: Floats) -> tuple[Floats, Floats]:
    found, counts = np.unique(values, return_counts=True)
    return found, counts.astype(float)


def _middles(ends: tuple[float, float]) -> Floats:
    return ends[0] + (np.arange(SIZE) + 0.5) * (ends[1] - ends[0]) / SIZE


def _weights(counted: list[tuple[Floats, Floats]], log_odds: Floats, alikes: Floats) -> Floats:
    """Return the probability of each rate, by log odds, and correlation, shape (rates, correlations)."""
    from scipy.special import expit, gammaln  # loaded on use, as in the other intervals

    rate, total = expit(log_odds)[:, None], (1 - alikes) / alikes
    log = np.log(rate * (1 - rate)) / 2 + np.zeros_like(total)  # Jeffreys' prior, as a density of the log odds
    for (values, counts), start, sign in zip(
        counted, (rate * total, (1 - rate) * total, total + 0 * rate), (1, 1, -1), strict=True
    ):
        log += sign * (gammaln(start[..., None] + values) - gammaln(start)[..., None]) @ counts
    weights: Floats = np.exp(log - log.max())
    weights /= weights.sum()
    return weights


def _narrow(ends: tuple[float, float], weights: Floats) -> tuple[float, float]:
    kept, step = np.flatnonzero(weights > SMALL * weights.max()), (ends[1] - ends[0]) / SIZE
    low, high = max(0, int(kept[0]) - 1), min(SIZE, int(kept[-1]) + 2)
    return ends[0] + low * step, ends[0] + high * step
