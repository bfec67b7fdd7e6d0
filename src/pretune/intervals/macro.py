"""Means over classes: intervals that work with small classes, each of which alone would have none."""

import numpy as np
import numpy.typing as npt

from pretune.intervals.proportions import MIN_RARER_CLASS, Bounds, Floats
from pretune.intervals.quantiles import quantile

# Rows that a class may have less than one of, once they are discounted for units: its variance is then that of half a row.
LEAST_FREEDOM = 0.5

MAX_ALONE = 0.05  # share of the classes that may have one row only where macro F1 has an interval
NEWEST = 4  # version of the rules of verdicts that these are (``records.RULES``)


def mean_bounds(
    hits: npt.ArrayLike,
    totals: npt.ArrayLike,
    confidence: float,
    recalls: npt.ArrayLike | None = None,
    *,
    rules: int = NEWEST,
) -> Bounds:
    """Interval of the unweighted mean of independent proportions, from the sum of their variances.

    The centre is shifted by pseudo-rows, z² of them over all classes, half of them hits. Each class adds its unbiased variance,
    a class of one row at least that of a toss-up (in a precision that of all classes together). So a class of three rows makes
    the interval as much wider as it should, and no wider: 77 classes in 900 rows, half of them with two, are covered in 94 to
    96 % (docs/honesty.md).

    Args:
        hits: Successes, shape (..., num_classes).
        totals: Trials, of the same shape. A class with none counts as 0 at the low end and as 1 at the high end.
        confidence: Probability that the interval covers the truth.
        recalls: Of precisions, the recall of each class. Where a split gives every class its share of the rows, the hits of a
            class hardly vary and its false alarms do; the mean of ratios is then too high on average, by recall × alarms /
            (n (n - 1)) of n answers, and the low end is lowered by that. Where rows are drawn as they come it is not, and the
            interval is cautious.
        rules: Version of the rules of verdicts. By the third the bias is recall × variance, too little where a class has few
            rows, since false alarms make n larger; and a class of one row is as sure as all together.

    Returns:
        Low and high ends, shape (...).

    Source:
        Price and Bonett (2004), An improved confidence interval for a linear function of binomial proportions (the Agresti
        correction for several proportions); Cochran (1977), Sampling techniques, section 6.8 (the bias of a ratio); Chen
        (1975), Poisson approximation for dependent trials: for a number f of alarms of mean m, E[f g(f - 1)] = m E[g(f)]. So
        of h hits f / (h + f - 1) has the mean m E[1 / (h + f)], and f / (h + f) is less by alarms / (n (n - 1)).
    """
    hits, totals, z = np.asarray(hits, float), np.asarray(totals, float), quantile(confidence)
    size = totals.shape[-1]
    pseudo = z * z / (2 * size)
    asked = totals > 0
    rows = totals + 2 * pseudo
    shares = np.where(asked, (hits + pseudo) / rows, 0.0)
    pooled = (hits.sum(axis=-1) + pseudo) / (totals.sum(axis=-1) + 2 * pseudo)
    unsure = 0.25 if recalls is None and rules > 3 else (pooled * (1 - pooled))[..., None]
    lone = unsure / np.maximum(totals, LEAST_FREEDOM)
    own = shares * (1 - shares) / np.maximum(rows - 1, LEAST_FREEDOM)
    variances = np.where(asked, np.where(totals >= 2, own, np.maximum(own, lone)), 0.0)
    half = z * np.sqrt(variances.sum(axis=-1)) / size
    mean = shares.mean(axis=-1)
    alarmed = (totals - hits) / (np.maximum(totals, LEAST_FREEDOM) * np.maximum(totals - 1, LEAST_FREEDOM))
    excess = variances if rules < 4 else alarmed
    bias = 0.0 if recalls is None else (np.asarray(recalls, float) * excess).sum(axis=-1) / size
    return np.clip(mean - half - bias, 0, 1), np.clip(mean + half + (~asked).mean(axis=-1), 0, 1)


def mean_f1_bounds(tables: Floats, confidence: float, *, rules: int = NEWEST) -> Bounds:
    """Interval of the unweighted mean of F1 over the classes that have rows, from the pull of each row on it.

    A mistake pulls on two classes at once, so there are twice the pseudo-rows of ``mean_bounds``.

    Args:
        tables: Confusion matrices, shape (..., num_classes, num_classes), true classes first.
        confidence: Probability that the interval covers the truth.
        rules: Version of the rules of verdicts. Since the third the low end is lowered by the bias that ratios have under a
            split that keeps class shares, where they are too high; since the fourth the high end is raised where they are too
            low, as with two or three rows a class.

    Returns:
        Low and high ends, shape (...).
    """
    tables, z = np.asarray(tables, float), quantile(confidence)
    hits, actual = np.diagonal(tables, axis1=-2, axis2=-1), tables.sum(axis=-1)
    involved = actual + tables.sum(axis=-2) - hits
    present = actual > 0
    size = np.maximum(present.sum(axis=-1), 1)
    pseudo = (z * z / size)[..., None]
    rows = involved + 2 * pseudo
    jaccard = (hits + pseudo) / rows
    f1 = 2 * jaccard / (1 + jaccard)
    # what a hit of a class, and a mistake on either side of it, does to its F1; unbiased, as above
    scale = present * np.sqrt(rows / np.maximum(rows - 1, LEAST_FREEDOM)) / (rows * (1 + jaccard))
    hit, miss = scale * (2 - 2 * f1), -scale * f1
    mistakes = tables * (1 - np.eye(tables.shape[-1]))
    pulled = (mistakes * (miss[..., :, None] + miss[..., None, :]) ** 2).sum(axis=(-2, -1))
    variance = (hits * hit**2).sum(axis=-1) + pulled + (pseudo * (hit**2 + miss**2)).sum(axis=-1)
    half = z * np.sqrt(variance) / size
    mean = (f1 * present).sum(axis=-1) / size
    bias = _f1_bias(hits, actual, involved + hits - actual).sum(axis=-1) / size if rules > 2 else np.zeros_like(mean)
    raised = np.maximum(-bias, 0) if rules > 3 else 0.0
    return np.clip(mean - half - np.maximum(bias, 0), 0, 1), np.clip(mean + half + raised, 0, 1)


def has_mean(metric: str, actual: npt.ArrayLike, num_others: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether the mean over the classes may have an interval, however few rows each of them has (since rules 4).

    Args:
        metric: ``precision``, ``recall``, ``balanced_accuracy`` or ``f1``.
        actual: Rows of each class, shape (..., num_classes). Classes without rows do not count.
        num_others: Rows, or units, outside the commonest class, shape (...). Twenty are needed.

    Returns:
        Shape (...). F1 of a class of one row is too low by up to half of what is missed, so where over one class in twenty has
        one row its mean has no interval.
    """
    actual = np.asarray(actual)
    num_alone = ((actual > 0) & (actual < 2)).sum(axis=-1)
    has_rows = (metric != "f1") | (num_alone <= MAX_ALONE * (actual > 0).sum(axis=-1))
    return np.asarray((np.asarray(num_others) >= MIN_RARER_CLASS) & has_rows)


def _f1_bias(hits: Floats, actual: Floats, called: Floats) -> Floats:
    """Return by how much F1 of each class is too high on average, to second order, where its rows are given."""
    both = np.maximum(actual + called, 1)
    varied = hits * (1 - hits / np.maximum(actual, 1))  # of the hits; that of the false alarms is their number
    bias: Floats = (2 * hits / both * (varied + called - hits) - 2 * varied) / both**2
    return bias
