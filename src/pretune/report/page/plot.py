"""Plots: where the marks of a chart go, and what each one says. ``plot.svg.jinja`` draws them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Point = tuple[float, float]

NUM_TICKS = 4
TICK_ROOM = 44.0  # units that a mark below the plot needs, such as "12.5M"


def say_number(value: float) -> str:
    """Write a value as a reader of a chart wants it.

    Example:
        >>> say_number(0.35214), say_number(1234.0), say_number(2e-5)
        ('0.3521', '1,234', '2e-05')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class Frame:
    """A drawing and the plot inside it, in SVG units."""

    width: float = 420
    height: float = 236
    left: float = 46
    right: float = 20
    top: float = 12
    bottom: float = 40


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a plot."""

    name: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    say: Callable[[float], str] = say_number  # how a value is told


@dataclass(frozen=True, slots=True)
class Series:
    """What belongs together in a plot, in the units of the data."""

    name: str
    style: str  # a class of the style sheet
    points: tuple[Point, ...]
    is_line: bool = True
    radius: float = 0.0  # of a dot at each point; 0 draws none
    spans: tuple[Point | None, ...] = ()  # the interval of each point


@dataclass(frozen=True, slots=True)
class DrawnSeries:
    """A series in SVG units, and what its points say."""

    name: str
    style: str
    line: str  # points of a polyline; empty where there is none
    dots: tuple[Point, ...]
    radius: float
    spans: tuple[tuple[float, float, float], ...]  # (x, lower end, upper end)
    at: str  # what every place begins with, such as "step "
    said_x: str  # one text a point, parted by "|"
    said_y: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart, ready to be drawn."""

    title: str
    label: str  # what it shows, in words: the text alternative
    frame: Frame
    x_name: str
    y_name: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    series: tuple[DrawnSeries, ...]
    rules: tuple[tuple[str, float, float, float, float], ...] = ()  # (style, x, y, x, y) of straight lines
    notes: tuple[str, ...] = ()  # what the legend adds


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line between two places, such as a limit, in the units of the data."""

    style: str
    start: Point
    end: Point


def make_plot(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    title: str,
    label: str,
    rules: Sequence[Rule] = (),
    notes: Sequence[str] = (),
) -> Plot:
    """Place series in a drawing; points beyond an axis are held at its end."""
    frame = Frame()

    def at(point: Point) -> Point:
        across = _share(point[0], x) * (frame.width - frame.left - frame.right)
        down = (1 - _share(point[1], y)) * (frame.height - frame.top - frame.bottom)
        return round(frame.left + across, 1), round(frame.top + down, 1)

    return Plot(
        title=title,
        label=label,
        frame=frame,
        x_name=x.name,
        y_name=y.name,
        x_ticks=tuple(_apart([(at((value, y.low))[0], text) for value, text in x.ticks])),
        y_ticks=tuple((at((x.low, value))[1], text) for value, text in y.ticks),
        series=tuple(_draw(item, at, x, y) for item in series if item.points),
        rules=tuple((rule.style, *at(rule.start), *at(rule.end)) for rule in rules),
        notes=tuple(notes),
    )


def _draw(item: Series, at: Callable[[Point], Point], x: Axis, y: Axis) -> DrawnSeries:
    placed = tuple(map(at, item.points))
    said = [x.say(point[0]) for point in item.points]
    first = said[0][: said[0].rfind(" ") + 1]
    before = first if all(text.startswith(first) for text in said) else ""
    spans = [(point[0], span) for point, span in zip(item.points, item.spans, strict=False) if span is not None]
    return DrawnSeries(
        name=item.name,
        style=item.style,
        line=" ".join(f"{across:g},{down:g}" for across, down in placed) if item.is_line and len(placed) > 1 else "",
        dots=placed if item.radius or len(placed) == 1 else (),
        radius=item.radius or 3.5,
        spans=tuple((*at((place, low)), at((place, high))[1]) for place, (low, high) in spans),
        at=before,
        said_x="|".join(text.removeprefix(before) for text in said),
        said_y="|".join(y.say(point[1]) for point in item.points),
    )


def _share(value: float, axis: Axis) -> float:
    return min(1.0, max(0.0, (value - axis.low) / (axis.high - axis.low)))


def _apart(marks: Sequence[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """Leave out marks that would touch the one before."""
    free = -math.inf
    for place, mark in marks:
        if place >= free:
            yield place, mark
            free = place + TICK_ROOM


def round_axis(name: str, values: Sequence[float], say: Callable[[float], str] = say_number) -> Axis:
    """Return an axis whose round ticks enclose all of ``values``."""
    ticks = round_ticks(values)
    return Axis(name, ticks[0], ticks[-1], tuple((tick, f"{tick:.3g}".replace("e-0", "e-")) for tick in ticks), say)


def share_axis(name: str, start: float = 0.0) -> Axis:
    """Return an axis of shares, from a round ``start`` to 1."""
    step = 0.1 if start >= 0.5 else 0.2
    ticks = [round(1 - step * index, 1) for index in range(int((1 - start) / step + 1e-9), -1, -1)]
    return Axis(name, start, 1.0, tuple((tick, f"{tick:.1f}") for tick in ticks), "{:.3f}".format)


def round_ticks(values: Sequence[float]) -> list[float]:
    """Return evenly spaced round values that enclose all of ``values``.

    Example:
        >>> round_ticks([0.31, 0.72])
        [0.2, 0.4, 0.6000000000000001, 0.8]
    """
    low, high = limits(values)
    raw = (high - low) / NUM_TICKS
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and the greatest value, or room around the only one."""
    low, high = min(values), max(values)
    if high > low:
        return low, high
    room = 0.5 if low == 0 else abs(low) / 2
    return low - room, high + room
