"""The loss plot, in characters: a line for training, one mark per epoch for validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pretune.records import Step, Validation

HEIGHT = 10  # rows of the plot; a terminal has 24, and the table below it must stay in sight
AXIS_WIDTH = 8  # characters left of the plot: the value and its tick
TRAINING_EPOCH, VALIDATION = "○", "●"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points to be drawn, x in steps, y in nats."""

    training: tuple[tuple[float, float], ...]
    validation: tuple[tuple[float, float], ...]
    epochs: tuple[tuple[float, int | str], ...]  # where each epoch ends, and its number (or other mark)
    by_step: bool  # whether ``training`` is one point per step rather than per epoch
    axis: str = "epoch"  # what the marks are


def make_curve(steps: Sequence[Step], validations: Sequence[Validation]) -> Curve:
    """Collect what can be drawn; without steps, training is drawn by its epoch means."""
    epochs = [(float(item.step), item) for item in validations]
    by_step = tuple((float(step.index), step.loss) for step in steps if _is_finite(step.loss))
    by_epoch = tuple((x, item.training_loss) for x, item in epochs if _is_finite(item.training_loss))
    return Curve(
        training=by_step if len(by_step) > 1 else by_epoch,
        validation=tuple((x, item.loss) for x, item in epochs if _is_finite(item.loss)),
        epochs=tuple((x, item.epoch) for x, item in epochs),
        by_step=len(by_step) > 1,
    )


def plot_losses(curve: Curve, *, width: int) -> list[str]:
    """Draw the losses in ``width`` characters; an empty list where nothing was measured."""
    if not curve.training and not curve.validation:
        return []
    columns = max(16, width - AXIS_WIDTH)
    left, right = _limits([x for x, _ in (*curve.training, *curve.validation)])
    training = smooth(curve.training, left, right, columns) if curve.by_step else {}
    low, high = _limits(
        [*training.values(), *(y for _, y in curve.validation), *([] if training else _heights(curve.training))]
    )
    grid = [[" "] * columns for _ in range(HEIGHT)]

    def place(x: float, y: float, mark: str) -> None:
        grid[_level(y, low, high)][_column(x, left, right, columns)] = mark

    _draw_line(grid, {column: _level(y, low, high) for column, y in training.items()})
    for x, y in () if curve.by_step else curve.training:
        place(x, y, TRAINING_EPOCH)
    for x, y in curve.validation:
        place(x, y, VALIDATION)
    ends = [(_column(x, left, right, columns), epoch) for x, epoch in curve.epochs]
    return [*_with_axis(grid, low, high), *_epoch_axis(ends, columns, curve.axis)]


def smooth(points: Sequence[tuple[float, float]], left: float, right: float, columns: int) -> dict[int, float]:
    """Average the losses of each column of the plot, over enough steps for the line to be read.

    A single batch says little: 32 rows move the loss by tens of percent. Each column takes the mean of its own steps
    and of its neighbours', about 4 % of the plot in all.
    """
    reach = max(1, columns // 50)
    buckets: dict[int, list[float]] = {}
    for x, y in points:
        buckets.setdefault(_column(x, left, right, columns), []).append(y)
    means = {}
    for column in buckets:
        near = [y for other in range(column - reach, column + reach + 1) for y in buckets.get(other, ())]
        means[column] = sum(near) / len(near)
    return means


def _draw_line(grid: list[list[str]], levels: dict[int, int]) -> None:
    """Join the levels of neighbouring columns with line characters."""
    if not levels:
        return
    places = sorted(levels)
    before = levels[places[0]]
    for column, until in zip(places, [*places[1:], len(grid[0])], strict=True):
        now = levels[column]
        for row in range(min(before, now), max(before, now) + 1):
            grid[row][column] = "│"
        if now == before:
            grid[now][column] = "─"
        else:
            grid[before][column], grid[now][column] = ("╮", "╰") if now > before else ("╯", "╭")
        if until < len(grid[0]):
            grid[now][column + 1 : until] = "─" * (until - column - 1)
        before = now


def _with_axis(grid: list[list[str]], low: float, high: float) -> list[str]:
    lines = []
    for index, row in enumerate(grid):
        value = high - (high - low) * index / (HEIGHT - 1)
        tick = f"{value:6.3f} ┤" if index % 3 == 0 else "       │"
        lines.append(f"{tick:>{AXIS_WIDTH}}{''.join(row).rstrip()}")
    return lines


def _epoch_axis(ends: Sequence[tuple[int, int | str]], columns: int, axis: str) -> list[str]:
    """Draw the lower edge with a tick where an epoch ends; numbers that would touch are left out."""
    edge, names = ["─"] * columns, [" "] * (columns + 4)
    free = 0
    for column, epoch in ends:
        edge[column] = "┴"
        start = max(column - len(str(epoch)) + 1, 0)
        if start >= free:
            names[start : start + len(str(epoch))] = str(epoch)
            free = start + len(str(epoch)) + 1
    return [f"{'└':>{AXIS_WIDTH}}{''.join(edge)}", f"{axis:>{AXIS_WIDTH - 1}} {''.join(names).rstrip()}"]


def _column(x: float, left: float, right: float, columns: int) -> int:
    return min(columns - 1, int((x - left) / (right - left) * (columns - 1) + 0.5))


def _level(y: float, low: float, high: float) -> int:
    return round((high - y) / (high - low) * (HEIGHT - 1))


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _heights(points: Sequence[tuple[float, float]]) -> list[float]:
    return [y for _, y in points]


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
