"""How far a proportion can be trusted: one set of intervals, used by every judge.

All functions work on whole arrays, because the verdict also asks what thousands of imagined test sets would show.
"""

import numpy as np
import numpy.typing as npt

from pretune.intervals.quantiles import quantile

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bounds = tuple[Floats, Floats]

# Hits or misses below which the normal approximation behind Wilson's interval gets rough, and the exact one is taken.
MIN_FOR_WILSON = 20
# Rows of the rarer class below which averages and resampling say little, and no interval is given.
MIN_RARER_CLASS = 20


def confidence_at(look: int, num_models: int = 1, *, error: float = 0.05) -> float:
    """Return the confidence of intervals at this look at rows: the errors of all looks add up to under 1.65 × ``error``.

    Args:
        look: From 1.
        num_models: That are looked at together.
        error: Of the first look at one model.

    Example:
        >>> confidence_at(1), round(confidence_at(2), 4)
        (0.95, 0.9875)
    """
    return float(1 - error / (look**2 * num_models))


def wilson_bounds(hits: npt.ArrayLike, totals: npt.ArrayLike, confidence: float) -> Bounds:
    """Wilson's score interval.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    hits, totals, z = np.asarray(hits, float), np.asarray(totals, float), quantile(confidence)
    centre = (hits + z * z / 2) / (totals + z * z)
    half = z / (totals + z * z) * np.sqrt(hits * (totals - hits) / np.maximum(totals, 1) + z * z / 4)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def clopper_pearson_bounds(hits: npt.ArrayLike, totals: npt.ArrayLike, confidence: float) -> Bounds:
    """The exact interval: it never covers less often than it says.

    Source:
        Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial.
    """
    from scipy.special import betaincinv  # loaded on use: a command that is refused needs no quantiles, and this takes 0.2 s

    hits, totals, tail = np.asarray(hits, float), np.asarray(totals, float), (1 - confidence) / 2
    misses = totals - hits
    low = np.where(hits > 0, betaincinv(np.where(hits > 0, hits, 1), misses + 1, tail), 0.0)
    high = np.where(misses > 0, betaincinv(hits + 1, np.where(misses > 0, misses, 1), 1 - tail), 1.0)
    return low, high


def proportion_bounds(hits: npt.ArrayLike, totals: npt.ArrayLike, confidence: float) -> Bounds:
    """Wilson's interval; Clopper–Pearson's where fewer than 20 hits or misses are expected, as estimated by their counts.

    Args:
        hits: Successes, any shape.
        totals: Trials, of the same shape; of nothing, nothing is known, and the interval is [0, 1].
        confidence: Probability that the interval covers the truth, in (0, 1).

    Returns:
        Low and high ends, of the same shape; never of zero width.
    """
    hits, totals = np.asarray(hits, float), np.asarray(totals, float)
    is_rough = uses_exact(hits, totals)
    low, high = wilson_bounds(hits, totals, confidence)
    if is_rough.any():  # the exact ends cost a thousand times more, so only where they are needed
        low, high = np.array(low), np.array(high)
        low[is_rough], high[is_rough] = clopper_pearson_bounds(hits[is_rough], totals[is_rough], confidence)
    return low, high


def proportion_interval(hits: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return ``proportion_bounds`` of a single proportion.

    Example:
        >>> low, high = proportion_interval(90, 105)
        >>> f"{low:.3f} to {high:.3f}"
        '0.775 to 0.918'
    """
    low, high = proportion_bounds(hits, total, confidence)
    return float(low), float(high)


def uses_exact(hits: npt.ArrayLike, totals: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether ``proportion_bounds`` takes the exact interval.

    It does with exactly 20 hits or misses, too: the number expected is then as likely below 20 as above.
    """
    hits, totals = np.asarray(hits, float), np.asarray(totals, float)
    return np.asarray(np.minimum(hits, totals - hits) <= MIN_FOR_WILSON)


def average_bounds(hits: npt.ArrayLike, totals: npt.ArrayLike, confidence: float) -> Bounds:
    """Interval of the unweighted mean of independent proportions, from the interval of each (MOVER).

    Recalls of different classes are independent given the class sizes, and so are precisions given how often
    each class was predicted; so macro recall and macro precision need no resampling.

    Args:
        hits: Successes, shape (..., num_classes).
        totals: Trials, of the same shape. A class with none counts as 0, with the interval [0, 1].
        confidence: As in ``proportion_bounds``.

    Returns:
        Low and high ends, shape (...).

    Source:
        Zou and Donner (2008), Construction of confidence limits about effect measures: a general approach.
    """
    hits, totals = np.asarray(hits, float), np.asarray(totals, float)
    shares = hits / np.maximum(totals, 1)
    lows, highs = proportion_bounds(hits, totals, confidence)
    mean, num_classes = shares.mean(axis=-1), shares.shape[-1]
    low = mean - np.sqrt(((shares - lows) ** 2).sum(axis=-1)) / num_classes
    high = mean + np.sqrt(((highs - shares) ** 2).sum(axis=-1)) / num_classes
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def f1_bounds(hits: npt.ArrayLike, involved: npt.ArrayLike, confidence: float) -> Bounds:
    """Interval of F1, through the share J of hits among the rows that are of the class or were called so.

    Given the number of such rows the hits are binomial, and F1 = 2J / (1 + J) rises with J: the interval of
    a proportion carries over.

    Args:
        hits: True positives, any shape.
        involved: True positives, false positives and false negatives together, of the same shape.
        confidence: As in ``proportion_bounds``.
    """
    low, high = proportion_bounds(hits, involved, confidence)
    return 2 * low / (1 + low), 2 * high / (1 + high)
