"""Where the marks of a chart go; ``charts.svg.jinja`` draws them. Numbers only, so nothing here can carry markup."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pretune.records import LOWER_IS_BETTER, History, Score
from pretune.report.terminal.plot import Curve, make_curve, smooth

BAR_WIDTH, BAR_HEIGHT = 220, 26
MIN_BAR = 3.0  # a very narrow interval is still seen
NO_SHARES = frozenset({*LOWER_IS_BETTER, "bleu", "chrf", "chrf_corpus", "length_ratio"})  # outside 0 to 1, or better when less
MAX_START = 0.8  # where a scale begins at most: beyond, a thousandth would look like a gulf

PLOT_WIDTH, PLOT_HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 34
TRAINING_COLUMNS = 160  # points of the training line: steps beyond that are averaged
NUM_TICKS = 4


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """One figure with its interval, against its gate; positions in SVG units."""

    point: float
    left: float | None
    width: float | None
    gate: float | None
    state: str  # "clear", "short", "open", or "free" where no gate is set


@dataclass(frozen=True, slots=True)
class LossPlot:
    """The losses of a training; positions in SVG units."""

    training: str  # points of a polyline
    validation: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, str], ...]  # (y, value)
    epochs: tuple[tuple[float, int | str], ...]  # (x, number); thinned so that numbers do not touch
    best: float | None
    left: float = LEFT  # where the plot begins and ends
    right: float = PLOT_WIDTH - RIGHT

    @property
    def validation_points(self) -> str:
        """The validation losses as points of a polyline."""
        return _points(self.validation)


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

    def at(share: float) -> float:
        return round((max(share, start) - start) / (1 - start) * BAR_WIDTH, 2)

    state = "free" if gate is None else "clear" if score.is_clear_of(gate) else "short" if score.is_short_of(gate) else "open"
    left = width = None
    if score.low is not None and score.high is not None:
        width = max(MIN_BAR, round(at(score.high) - at(score.low), 2))
        left = min(at(score.low), BAR_WIDTH - width)
    return IntervalBar(
        point=at(score.value),
        left=left,
        width=width,
        gate=None if gate is None else at(gate),
        state=state,
    )


def make_loss_plot(history: History) -> LossPlot | None:
    """Place training and validation loss over the steps; ``None`` where nothing was measured."""
    return place_curve(make_curve(history.steps, history.validations), best=history.best_epoch)


def place_curve(
    curve: Curve, *, best: int | None = None, start: float = LEFT, end: float = PLOT_WIDTH - RIGHT, room: float = 27
) -> LossPlot | None:
    """Place a curve between two places on the page; ``None`` where nothing was measured.

    Args:
        curve: What to draw.
        best: The epoch that was kept.
        start: Where the plot begins, in SVG units.
        end: Where it ends.
        room: What each mark below the plot needs.
    """
    everything = (*curve.training, *curve.validation)
    if not everything:
        return None
    left, right = _limits([x for x, _ in everything])
    training = _thin(curve.training, left, right) if curve.by_step else list(curve.training)
    ticks = _round_ticks([y for _, y in (*training, *curve.validation)])

    def at(x: float, y: float) -> tuple[float, float]:
        across = start + (x - left) / (right - left) * (end - start)
        down = TOP + (ticks[-1] - y) / (ticks[-1] - ticks[0]) * (PLOT_HEIGHT - TOP - BOTTOM)
        return round(across, 1), round(down, 1)

    epochs = [(at(x, ticks[0])[0], epoch) for x, epoch in curve.epochs]
    return LossPlot(
        training=_points([at(x, y) for x, y in training]),
        validation=tuple(at(x, y) for x, y in curve.validation),
        ticks=tuple((at(left, value)[1], f"{value:.3g}") for value in ticks),
        epochs=tuple(_thin_marks(epochs, room)),
        best=next((x for x, epoch in epochs if epoch == best), None),
        left=start,
        right=end,
    )


def _thin_marks(marks: Sequence[tuple[float, int | str]], room: float) -> Iterator[tuple[float, int | str]]:
    free = -math.inf
    for x, mark in marks:
        if x >= free:
            yield x, mark
            free = x + room


def _thin(points: Sequence[tuple[float, float]], left: float, right: float) -> list[tuple[float, float]]:
    means = smooth(points, left, right, TRAINING_COLUMNS)
    return [(left + (right - left) * column / (TRAINING_COLUMNS - 1), means[column]) for column in sorted(means)]


def _round_ticks(values: Sequence[float]) -> list[float]:
    """Return evenly spaced round values that enclose all of ``values``."""
    low, high = _limits(values)
    raw = (high - low) / NUM_TICKS
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
