"""Shares that are looked at again and again: intervals that hold at every look, and an alarm for a share that has fallen.

An interval of a fixed sample is wrong sooner or later if it is looked at after each new row. These are made of *e-values*: bets
against a hypothesis that win nothing on average where it is true, however long one plays and whenever one stops.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pretune.intervals.proportions import Floats

# How far below the least share the bets expect the truth: a small fall is found by a small bet, a large one sooner by a large.
FALLS = (0.02, 0.04, 0.08, 0.16, 0.32)
LEAST = 1e-3  # no bet is on less: a share of 0 would be refuted by one hit
_HALVINGS = 60  # of an interval, to the precision of a float


def sequential_interval(hits: int, total: int, error: float) -> tuple[float, float]:
    """Interval of a share that covers it at every look at once, with probability 1 less ``error``.

    The bet against each share p is the likelihood ratio of a mixture over all shares (Jeffreys' prior) to p; shares against
    which it has won ``1 / error`` are out.

    Args:
        hits: Successes so far.
        total: Trials so far; of nothing, nothing is known.
        error: That the share is ever outside.

    Source:
        Robbins (1970), Statistical methods related to the law of the iterated logarithm; Howard, Ramdas, McAuliffe and Sekhon
        (2021), Time-uniform, nonparametric, nonasymptotic confidence sequences.

    Example:
        >>> low, high = sequential_interval(90, 100, 0.05)
        >>> f"{low:.3f} to {high:.3f}"
        '0.772 to 0.971'
    """
    from scipy.special import betaln, xlog1py, xlogy  # loaded on use, as in ``proportions``

    if total == 0:
        return 0.0, 1.0
    misses, middle = total - hits, hits / total
    mixture = float(betaln(hits + 0.5, misses + 0.5) - betaln(0.5, 0.5))

    def is_out(share: float) -> bool:
        return mixture - float(xlogy(hits, share) + xlog1py(misses, -share)) >= -math.log(error)

    low = _edge(0.0, middle, is_out) if hits else 0.0
    high = _edge(1.0, middle, is_out) if misses else 1.0
    return low, high


def _edge(outside: float, inside: float, is_out: Callable[[float], bool]) -> float:
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if is_out(middle) else (outside, middle)
    return outside


@dataclass(frozen=True, slots=True)
class Fall:
    """What the bets that a share has fallen have won.

    Args:
        evidence: Of the bets together, on the scale of ``threshold``: natural logarithm.
        threshold: From which it is an alarm: natural logarithm.
        since: Number of the look from which the bets that won most began, from 0.
    """

    evidence: float
    threshold: float
    since: int

    @property
    def is_alarm(self) -> bool:
        """Whether the share has fallen below the least."""
        return self.evidence >= self.threshold


def find_fall(looks: Iterable[tuple[int, int]], least: float, *, error: float, num_looks: int = 100) -> Fall:
    """Ask whether a share has fallen below ``least``, at some look or since, without saying so too often.

    At every look a new bet begins, and all bets that were begun go on (the Shiryaev-Roberts e-detector): while the share is at
    least ``least``, what they have won less the number of looks falls on average, so the probability of an alarm in any
    ``num_looks`` first looks is at most ``error``, and the mean time to a false alarm at least ``num_looks / error`` looks.

    Args:
        looks: Hits and trials of each look, in order.
        least: The share that is claimed.
        error: See above.
        num_looks: See above.

    Source:
        Shin, Ramdas and Rinaldo (2024), E-detectors: a nonparametric framework for sequential change detection; Ville (1939),
        Étude critique de la notion de collectif.
    """
    bets = np.array([share for fall in FALLS if (share := least - fall) > LEAST] or [least / 2])
    won, best, since = np.full(len(bets), -np.inf), np.full(len(bets), -np.inf), np.zeros(len(bets), np.int64)
    evidence, begun = -np.inf, 0
    for number, (hits, total) in enumerate(looks):
        if total == 0:
            continue
        gain = _gains(hits, total - hits, bets, least)
        won = np.logaddexp(0.0, won) + gain
        since = np.where(best > 0, since, number)
        best = np.maximum(best, 0.0) + gain
        evidence = float(np.logaddexp.reduce(won) - np.log(len(bets)))
        begun = int(since[best.argmax()])
    return Fall(evidence=evidence, threshold=float(np.log(num_looks / error)), since=begun)


def _gains(hits: int, misses: int, bets: Floats, least: float) -> Floats:
    """Return the logarithm of what each bet wins by so many hits and misses."""
    gains: Floats = hits * np.log(bets / least) + (misses * (np.log1p(-bets) - np.log1p(-least)) if misses else 0.0)
    return gains
