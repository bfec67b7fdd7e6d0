"""Bars: one figure with its interval against its gate, on a common scale. Numbers only, so nothing here can carry markup."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pretune.records import LOWER_IS_BETTER, Comparison, Score

BAR_WIDTH, BAR_HEIGHT = 220, 26
MIN_BAR = 3.0  # a very narrow interval is still seen
NO_SHARES = frozenset({*LOWER_IS_BETTER, "bleu", "chrf", "chrf_corpus", "length_ratio"})  # outside 0 to 1, or better when less
MAX_START = 0.8  # where a scale begins at most: beyond, a thousandth would look like a gulf
ROOM = 0.02  # that a difference has beyond its interval, as a share of the scale


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """One figure with its interval, against its gate; positions in SVG units."""

    point: float
    left: float | None
    width: float | None
    gate: float | None
    state: str  # "clear", "short", "open", or "free" where no gate is set


def choose_start(scores: Sequence[Score], gates: Sequence[float]) -> float:
    """Return where a common scale that ends at 1 begins, so that all figures and gates stand well inside it.

    A scale from 0 would leave the intervals of a good model too narrow to be told apart.
    """
    lows = [
        value for score in scores if score.metric not in NO_SHARES for value in (score.low, score.value) if value is not None
    ]
    return max(0.0, min(MAX_START, math.floor((min([*lows, *gates, 1.0]) - 0.02) * 10) / 10))


def make_interval_bar(score: Score, gate: float | None, *, start: float = 0.0) -> IntervalBar | None:
    """Place a share on a scale from ``start`` to 1; ``None`` for what is no share or has no value."""
    if score.metric in NO_SHARES or score.value is None:
        return None
    state = "free" if gate is None else "clear" if score.is_clear_of(gate) else "short" if score.is_short_of(gate) else "open"
    return _place(score.value, score.low, score.high, gate, state, (start, 1.0))


def make_difference_bar(item: Comparison, holds: bool | None) -> IntervalBar:
    """Place a difference around nothing, coloured by what follows from it: of a loss, less is better."""
    known = [abs(end) for end in (item.low, item.high, item.difference) if end is not None]
    reach = max(*known, 1e-6) * (1 + ROOM)
    state = {True: "clear", False: "short", None: "open"}[holds]
    return _place(item.difference, item.low, item.high, 0.0, state, (-reach, reach))


def _place(
    value: float, low: float | None, high: float | None, gate: float | None, state: str, scale: tuple[float, float]
) -> IntervalBar:
    def at(place: float) -> float:
        return round((max(place, scale[0]) - scale[0]) / (scale[1] - scale[0]) * BAR_WIDTH, 2)

    left = width = None
    if low is not None and high is not None:
        width = max(MIN_BAR, round(at(high) - at(low), 2))
        left = min(at(low), BAR_WIDTH - width)
    return IntervalBar(point=at(value), left=left, width=width, gate=None if gate is None else at(gate), state=state)
