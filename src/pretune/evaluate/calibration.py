"""How good are the probabilities themselves? Loss, Brier score, and the calibration error without its bias."""

from functools import partial

import numpy as np
from scipy.special import chndtr, chndtrinc  # noncentral chi-square: distribution, and its inverse in the noncentrality

from pretune.evaluate.areas import midranks
from pretune.evaluate.codes import Counts, Rows
from pretune.evaluate.shares import MakeScore, too_few
from pretune.intervals import (
    MIN_RARER_CLASS,
    Floats,
    quantile,
    skewed_mean_interval,
    t_quantile,
    unit_means,
    widening,
    wilson_bounds,
)
from pretune.records import ReliabilityBin, Score

# Added to nothing: a probability of exactly 0 for the true class would make the mean loss infinite.
MIN_PROBABILITY = 1e-12
# Bins of equal size, as usual since Guo et al. (2017); fewer where they would hold under 20 rows.
MAX_BINS, MIN_IN_BIN = 15, 20

NO_PROBABILITIES = "undefined: the predictions came without probabilities"


def loss_score(make: MakeScore, rows: Rows) -> Score:
    """Mean cross-entropy of the true class, in nats."""
    return _mean_score(partial(make, metric="loss", label=None), rows, losses_of(rows))


def brier_score(make: MakeScore, rows: Rows) -> Score:
    """Mean squared error of the probabilities; for two classes that of one class, as in scikit-learn."""
    return _mean_score(partial(make, metric="brier", label=None), rows, squares_of(rows))


def losses_of(rows: Rows) -> Floats | None:
    """Return the loss of each row, in nats, shape (num_examples,); ``None`` without probabilities."""
    if rows.shares is None:
        return None
    own = rows.shares[np.arange(len(rows.labels)), rows.labels]
    losses: Floats = -np.log(np.clip(own, MIN_PROBABILITY, 1))
    return losses


def squares_of(rows: Rows) -> Floats | None:
    """Return the squared error of each row, summed over the classes, halved for two, shape (num_examples,)."""
    if rows.shares is None:
        return None
    one_hot = np.eye(len(rows.classes))[rows.labels]
    squares: Floats = ((rows.shares - one_hot) ** 2).sum(axis=1) / (2 if len(rows.classes) == 2 else 1)
    return squares


def calibration_score(make: MakeScore, rows: Rows) -> Score:
    """Root mean square difference between probability and frequency, over bins of equal size, without its bias.

    For two classes the probability of the second is held against how often it is right; for more, the probability of the
    answer. Chance alone makes bins differ: the squared difference of each bin is lessened by its own sampling variance,
    and a sum below 0 counts as 0. Differences inside a bin cancel, so it is a lower bound of the whole error.

    Source:
        Kumar, Liang and Ma (2019), Verified uncertainty calibration (the debiased estimator).
    """
    blank = partial(make, metric="calibration_error", label=None, num_examples=len(rows.labels))
    if rows.shares is None:
        return blank(value=None, low=None, high=None, method=NO_PROBABILITIES)
    claimed, came_true = _claims(rows)
    if len(claimed) < 2:
        return blank(value=None, low=None, high=None, method="undefined: one row alone has no spread")
    bins, num_bins = _bins_of(claimed)
    gaps, noise = _gaps(claimed - came_true, bins, rows.units)
    if rows.crowding is not None and rows.units is not None:
        few = t_quantile(make.keywords["confidence"], int(rows.units.max())) / quantile(make.keywords["confidence"])
        noise = noise * (few * widening(claimed - came_true - gaps[bins], rows.units, rows.crowding)) ** 2
    sizes = np.bincount(bins, minlength=num_bins)
    squared = float((sizes / len(claimed)) @ (gaps**2 - noise.diagonal()))
    value = max(squared, 0.0) ** 0.5
    rarer = rows.rarer()
    if rarer < MIN_RARER_CLASS:
        return blank(value=value, low=None, high=None, method=too_few("the rarest class", rarer, rows.unit_name))
    # Where all rows of a bin came true the variance seen is too small; a bin's rate is known to half a row at best.
    least = 0.5 * (sizes + 0.5) / ((sizes + 1) ** 2 * sizes)
    noise = noise + np.diag(np.maximum(least - noise.diagonal(), 0))
    low, high = calibration_interval(gaps, noise, sizes / len(claimed), make.keywords["confidence"])
    method = f"debiased over {num_bins} bins of equal size; interval by inverting the noncentral chi-square"
    return blank(value=value, low=min(low, value), high=max(high, value), method=method)


def reliability_bins(rows: Rows, confidence: float = 0.95) -> tuple[ReliabilityBin, ...]:
    """Hold probability against frequency in the bins of ``calibration_score``, by rising probability; Wilson's intervals."""
    if rows.shares is None or not len(rows.labels):
        return ()
    claimed, came_true = _claims(rows)
    bins, num_bins = _bins_of(claimed)
    sizes, hits = np.bincount(bins, minlength=num_bins), np.bincount(bins, came_true, minlength=num_bins)
    means = np.bincount(bins, claimed, minlength=num_bins) / sizes
    lows, highs = wilson_bounds(hits, sizes, confidence)
    return tuple(
        ReliabilityBin(claimed=mean, came_true=hit / size, low=low, high=high, num_examples=size)
        for mean, hit, size, low, high in zip(
            means.tolist(), hits.tolist(), sizes.tolist(), lows.tolist(), highs.tolist(), strict=True
        )
    )


def calibration_interval(gaps: Floats, noise: Floats, weights: Floats, confidence: float) -> tuple[float, float]:
    """Return the root mean squares that would make a sum of squared gaps as large as this one likely enough.

    The weighted sum of squared gaps is, but for a factor, noncentral chi-square; factor and degrees of freedom are those
    that give its mean and variance. The bootstrap fails here, since no resample is calibrated where the truth is.

    Args:
        gaps: Mean claimed less mean true, per bin, shape (num_bins,).
        noise: Covariance of the gaps, shape (num_bins, num_bins).
        weights: Share of the rows in each bin, likewise.
        confidence: Probability that the interval covers the truth.

    Source:
        Patnaik (1949), The non-central chi-square and F-distributions and their applications (the matching of moments).
    """
    weighted = noise * np.sqrt(np.outer(weights, weights))
    total, expected = float(weights @ gaps**2), float(weighted.trace())
    spread = float((weighted**2).sum()) / expected  # the factor, if there is no error at all
    pointing = float((gaps * weights) @ noise @ (gaps * weights)) / total if total > 0 else spread
    signal = max(total - expected, 0.0)
    factor = (spread * expected + pointing * signal) / (expected + signal)
    freedom, tail = expected / factor, (1 - confidence) / 2
    low = _noncentrality(total / factor, freedom, 1 - tail)
    high = _noncentrality(max(total / factor, freedom), freedom, tail)
    return (factor * low) ** 0.5, (factor * high) ** 0.5


def _noncentrality(value: float, freedom: float, level: float) -> float:
    return float(chndtrinc(value, freedom, level)) if chndtr(value, freedom, 0.0) > level else 0.0


def _mean_score(blank: MakeScore, rows: Rows, values: Floats | None) -> Score:
    blank = partial(blank, num_examples=len(rows.labels))
    if values is None:
        return blank(value=None, low=None, high=None, method=NO_PROBABILITIES)
    value, rarer = float(values.mean()), rows.rarer()  # a class without a row has the most to say
    if rarer < MIN_RARER_CLASS:
        return blank(value=value, low=None, high=None, method=too_few("the rarest class", rarer, rows.unit_name))
    interval = skewed_mean_interval(
        unit_means(values, rows.units, widened=rows.rules > 1, crowding=rows.crowding), blank.keywords["confidence"]
    )
    if interval is None:
        return blank(value=value, low=None, high=None, method=f"no interval: all {rows.unit_name} have the same value")
    method = "t interval, corrected for skewness (Hall)" + ("" if rows.units is None else f", over {rows.unit_name}")
    return blank(value=value, low=max(0.0, interval[0]), high=interval[1], method=method)


def _claims(rows: Rows) -> tuple[Floats, Floats]:
    """Return a probability for each row, and 1 where what it speaks of came true, else 0."""
    if rows.shares is None:
        raise ValueError("rows without probabilities")
    if len(rows.classes) == 2:
        return rows.shares[:, 1], (rows.labels == 1).astype(float)
    answers = rows.shares[np.arange(len(rows.labels)), rows.predicted]
    return answers, (rows.labels == rows.predicted).astype(float)


def _bins_of(claimed: Floats) -> tuple[Counts, int]:
    """Cut the rows into bins of about equal size by probability, equal probabilities in one, and number those that result."""
    wanted = max(1, min(MAX_BINS, len(claimed) // MIN_IN_BIN))
    cut = np.minimum((midranks(claimed) - 0.5) * wanted // len(claimed), wanted - 1).astype(np.int64)
    sizes, joined, filled = np.bincount(cut, minlength=wanted), np.zeros(wanted, np.int64), 0
    for number, size in enumerate(sizes):  # a bin that ties left nearly empty joins the one before it
        joined[number] = max(joined[number - 1] + (filled >= MIN_IN_BIN // 2 <= size), 0) if number else 0
        filled = size if number == 0 or joined[number] > joined[number - 1] else filled + size
    return joined[cut], int(joined[-1]) + 1


def _gaps(differences: Floats, bins: Counts, units: Counts | None) -> tuple[Floats, Floats]:
    """Return the mean difference of each bin and the covariance of these means."""
    sizes = np.bincount(bins)
    gaps = np.bincount(bins, differences) / sizes
    rest = (differences - gaps[bins]) / sizes[bins]
    if units is None:
        return gaps, np.diag(np.bincount(bins, rest**2) * sizes / np.maximum(sizes - 1, 1))
    _, units = np.unique(units, return_inverse=True)
    num_units, num_bins = int(units.max()) + 1, len(sizes)
    pulls = np.bincount(units * num_bins + bins, rest, minlength=num_units * num_bins).reshape(num_units, num_bins)
    return gaps, pulls.T @ pulls * num_units / max(num_units - 1, 1)
