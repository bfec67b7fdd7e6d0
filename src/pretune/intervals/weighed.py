"""Shares and ratios of independent proportions, each interval made from the intervals of its parts (MOVER)."""

import numpy as np
import numpy.typing as npt

from pretune.intervals.proportions import Bounds, Floats

TINY = 1e-12


def combined_bounds(weights: npt.ArrayLike, shares: npt.ArrayLike, lows: npt.ArrayLike, highs: npt.ArrayLike) -> Bounds:
    """Interval of a weighted sum of independent proportions with weights of at least 0, over the last axis.

    Args:
        weights: Shape (num_strata,).
        shares: Estimates, shape (..., num_strata).
        lows: Lower ends of their intervals, likewise.
        highs: Upper ends.

    Source:
        Zou and Donner (2008), Construction of confidence limits about effect measures: a general approach.
    """
    weights, shares = np.asarray(weights, float), np.asarray(shares, float)
    lows, highs = np.asarray(lows, float), np.asarray(highs, float)
    value = (weights * shares).sum(axis=-1)
    low = value - np.sqrt(((weights * (shares - lows)) ** 2).sum(axis=-1))
    high = value + np.sqrt(((weights * (highs - shares)) ** 2).sum(axis=-1))
    return low, high


def ratio_bounds(part: tuple[Floats, Floats, Floats], whole: tuple[Floats, Floats, Floats]) -> Bounds:
    """Interval of the ratio of two independent estimates of at least 0.

    Args:
        part: Value, low and high of what stands above.
        whole: Value, low and high of what stands below; its low may be 0, the ratio then has no upper bound.

    Source:
        Donner and Zou (2012), Closed-form confidence intervals for functions of the normal mean and standard deviation
        (MOVER for a ratio).
    """
    (a, a_low, a_high), (b, b_low, b_high) = part, whole
    product = a * b
    below = b_high * (2 * b - b_high)
    under = product - np.sqrt(np.maximum(product**2 - a_low * (2 * a - a_low) * below, 0))
    low = np.where(
        np.abs(below) > TINY, under / np.where(np.abs(below) > TINY, below, 1), _limit(a_low * (2 * a - a_low), product)
    )
    above = b_low * (2 * b - b_low)
    over = product + np.sqrt(np.maximum(product**2 - a_high * (2 * a - a_high) * above, 0))
    high = np.where(above > TINY, over / np.maximum(above, TINY), np.inf)
    return np.maximum(low, 0.0), high


def _limit(squared: Floats, product: Floats) -> Floats:
    """Return the lower end where what stands below is half of its upper end: the quadratic is a line."""
    return squared / np.maximum(2 * product, TINY)
