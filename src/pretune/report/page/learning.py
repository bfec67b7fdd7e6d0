"""Learning, drawn: loss, accuracy, learning rate and gradient norm over the steps of either phase."""

import math
from collections.abc import Sequence

from pretune.records import History, PretrainHistory, Step
from pretune.report.page.plot import Axis, Plot, Point, Rule, Series, limits, make_plot, round_axis, say_number
from pretune.report.terminal.plot import Curve, smooth
from pretune.report.timeline import PRETRAINING, pretraining_curve, short_count, thin, timeline_curves

COLUMNS = 120  # points of a line by step: steps beyond that are averaged
MANY_DOTS = 16  # from so many measurements on, dots are small


def learning_plots(history: History) -> tuple[Plot, ...]:
    """Draw a fine-tuning: loss and accuracy, then what its steps were like."""
    curves = timeline_curves(None, history)
    if not curves:
        return ()
    ((_, curve, best),) = curves
    held = [(float(item.step), item) for item in history.validations]
    axis = _axis_of_steps([x for x, _ in held] + [float(step.index) for step in history.steps], _marks(curve), "epoch")
    training = tuple((x, item.training_accuracy) for x, item in held if item.training_accuracy is not None)
    accuracy = tuple((x, item.accuracy) for x, item in held if _is_number(item.accuracy))
    plots = (
        plot_losses(curve, title="Loss", best=best),
        _plot_shares("Accuracy", training, accuracy, "validation accuracy", axis, _place_of(curve, best)),
        *step_plots(history.steps, axis),
    )
    return tuple(plot for plot in plots if plot is not None)


def timeline_plots(
    pretraining: PretrainHistory | None, history: History | None, steps: Sequence[Step] = ()
) -> tuple[Plot, ...]:
    """Draw both phases on one page. Each plot has its own scale: nats over a vocabulary are not nats over two classes."""
    plots: list[Plot | None] = [
        plot_losses(curve, title=f"{name[:1].upper()}{name[1:]}", best=best, held="held-out loss")
        for name, curve, best in timeline_curves(pretraining, history, steps)
    ]
    places = [float(item.step) for item in pretraining.milestones] if pretraining is not None else []
    if pretraining is not None and places:
        axis = _axis_of_steps(places + [float(step.index) for step in steps], _marks(pretraining_curve(pretraining)), "tokens")
        found = [(float(item.step), item.accuracy) for item in pretraining.milestones if not item.task]
        shown = tuple((x, y) for x, y in found if y is not None and math.isfinite(y))
        title = f"{PRETRAINING.capitalize()}: guessed right"
        plots += [_plot_shares(title, (), shown, "share of held-out words guessed", axis, None), *step_plots(steps, axis)]
    return tuple(plot for plot in plots if plot is not None)


def plot_losses(curve: Curve, *, title: str, best: int | None = None, held: str = "validation loss") -> Plot | None:
    """Draw training and validation loss over the steps; ``None`` where nothing was measured.

    Args:
        curve: What to draw.
        title: What the losses are of.
        best: The epoch that was kept.
        held: What the second line is.
    """
    everything = (*curve.training, *curve.validation)
    if not everything:
        return None
    x = _axis_of_steps([place for place, _ in everything], _marks(curve), curve.axis)
    training = _thin(curve.training, x) if curve.by_step else curve.training
    y = round_axis("nats", [value for _, value in (*training, *curve.validation)])
    lines = [_line("training loss", "training", training, 0.0)]
    lines += [_line(held, "validation", curve.validation, _radius(curve.validation))]
    kept = _place_of(curve, best)
    rules = [] if kept is None else [Rule("kept", (kept, y.low), (kept, y.high))]
    notes = [] if kept is None else ["dotted: the kept epoch"]
    return make_plot(lines, x, y, title=title, label=_say(title, lines), rules=rules, notes=notes)


def step_plots(steps: Sequence[Step], axis: Axis) -> tuple[Plot, ...]:
    """Draw the learning rate and the length of the gradient of every step."""
    rates = tuple((float(step.index), step.learning_rate) for step in thin(steps, COLUMNS) if _is_number(step.learning_rate))
    norms = tuple((float(step.index), step.gradient_norm) for step in steps if _is_number(step.gradient_norm))
    if len(rates) < 2 or len(norms) < 2:
        return ()
    norms = _thin(norms, axis)
    shown = [("Learning rate", "rate", rates), ("Gradient norm", "norm", norms)]
    plots = []
    for title, style, points in shown:
        line = [_line(title.lower(), style, points, 0.0)]
        y = round_axis("", [0.0, *(value for _, value in points)])
        plots.append(make_plot(line, axis, y, title=title, label=_say(title, line)))
    return tuple(plots)


def _plot_shares(
    title: str, training: tuple[Point, ...], held: tuple[Point, ...], name: str, axis: Axis, kept: float | None
) -> Plot | None:
    if not held:
        return None
    lines = [
        _line("training accuracy", "training", training, _radius(training)),
        _line(name, "validation", held, _radius(held)),
    ]
    y = round_axis("", [value for _, value in (*training, *held)], "{:.3f}".format)
    rules = [] if kept is None else [Rule("kept", (kept, y.low), (kept, y.high))]
    return make_plot([line for line in lines if line.points], axis, y, title=title, label=_say(title, lines), rules=rules)


def _say(title: str, lines: Sequence[Series]) -> str:
    """Say what a chart shows: where each line begins and ends."""
    parts = []
    for line in lines:
        values = [value for _, value in line.points]
        if len(values) == 1:
            parts.append(f"{line.name} {say_number(values[0])}")
        elif values:
            ends = f"{line.name} from {say_number(values[0])} to {say_number(values[-1])}"
            parts.append(f"{ends} (lowest {say_number(min(values))}, highest {say_number(max(values))})")
    return f"{title}: {'; '.join(parts)}"


def _line(name: str, style: str, points: Sequence[Point], radius: float) -> Series:
    return Series(name, style, tuple(points), radius=radius)


def _radius(points: Sequence[Point]) -> float:
    return 3.5 if len(points) < MANY_DOTS else 1.5


def _marks(curve: Curve) -> tuple[tuple[float, str], ...]:
    return tuple((x, str(mark)) for x, mark in curve.epochs)


def _place_of(curve: Curve, epoch: int | None) -> float | None:
    return next((x for x, mark in curve.epochs if mark == epoch), None) if epoch is not None else None


def _axis_of_steps(places: Sequence[float], marks: tuple[tuple[float, str], ...], name: str) -> Axis:
    """Return an axis of steps, marked by what ends at them; without any mark, by steps."""
    low, high = limits(places)
    if not marks:
        return Axis("step", low, high, tuple((tick, short_count(tick)) for tick in (low, (low + high) / 2, high)), _say_step)
    return Axis(name, low, high, marks, _say_step)


def _say_step(place: float) -> str:
    return f"step {place:,.0f}"


def _thin(points: Sequence[Point], axis: Axis) -> tuple[Point, ...]:
    if len(points) < 2:
        return tuple(points)
    means = smooth(points, axis.low, axis.high, COLUMNS)
    return tuple((axis.low + (axis.high - axis.low) * column / (COLUMNS - 1), means[column]) for column in sorted(means))


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
