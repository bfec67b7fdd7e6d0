"""The decision in words, tables and one curve: which threshold, by which rule, how certain, and what others would give."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.records import Calibration, RunRecord, Score, ThresholdChoice, TradeoffPoint
from pretune.report.figures import METRIC_NAMES
from pretune.report.terminal.drawing import columns, heading, named, pairs, plain
from pretune.report.words import UNDEFINED, number, percent, span
from pretune.wording.counts import counted

PLOT_WIDTH, PLOT_HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 12, 40
MAX_START = 0.8  # where an axis begins at most
TENTHS = 10


@dataclass(frozen=True, slots=True)
class TradeoffPlot:
    """Precision over recall; positions in SVG units."""

    curve: str  # points of a polyline
    chosen: tuple[float, float] | None
    largest: tuple[float, float] | None
    tested: tuple[float, float] | None
    ticks_x: tuple[tuple[float, str], ...]
    ticks_y: tuple[tuple[float, str], ...]


def is_told(choice: ThresholdChoice | None) -> bool:
    """Whether there is something to tell: a choice was made, or would have been possible."""
    return choice is not None and choice.positive is not None


def describe_decision(choice: ThresholdChoice | None, calibration: Calibration | None) -> list[tuple[str, str]]:
    """Return names and sentences: what decides, by what rule, how sure that is, and how good the probabilities are."""
    lines: list[tuple[str, str]] = []
    if choice is not None:
        decides = "the largest class"
        if choice.threshold is not None:
            decides = f"{choice.positive} from a probability of {choice.threshold:g} on; else the largest other class"
        lines.append(("decides", decides))
        if choice.positive is not None:
            rows = f"{counted(choice.num_examples, f'{choice.split} row')}, {choice.num_positives:,} of them {choice.positive}"
            lines.append(("rule", f"{choice.rule}; the median of what resamples choose ({rows})"))
        if choice.low is not None and choice.high is not None:
            resamples = f"5 to 95 % of {counted(choice.num_resamples, 'resample')}"
            lines.append(("range", f"{choice.low:g} to {choice.high:g} ({resamples})"))
        if choice.kept_share is not None:
            lines.append(("constraint", f"held by {percent(choice.kept_share)} of the resamples' thresholds"))
        if choice.note:
            lines.append(("note", choice.note))
    if calibration is not None:
        lines.append(("temperature", calibration.why))
    return lines


def draw_threshold(record: RunRecord) -> Group | None:
    """Draw the decision of a run for the terminal; ``None`` where only the largest class could decide."""
    choice = record.threshold
    if choice is None or not is_told(choice):
        return None
    lines = pairs([(name, value) for name, value in describe_decision(choice, record.calibration)])
    parts: list[RenderableType] = [heading("Threshold", f"goal {choice.goal}, chosen on {choice.split}"), lines]
    if choice.reached:
        parts += [Text(), _reached_table(choice)]
    if choice.table:
        parts += [Text(), heading("Trade-off", f"{choice.split}; other thresholds"), _tradeoff_table(choice)]
    return Group(*parts)


def _reached_table(choice: ThresholdChoice) -> Table:
    table = columns(
        "figure", "reached", "on new rows", "largest class", "5–95 %", right=("reached", "on new rows", "largest class")
    )
    for item in choice.reached:
        figures = (number(item.value), number(item.expected), number(item.before), span(item.low, item.high) or UNDEFINED)
        table.add_row(named(METRIC_NAMES.get(item.metric, item.metric)), *figures)
    return table


def _tradeoff_table(choice: ThresholdChoice) -> Table:
    names = ("threshold", "precision", "recall", "rows called")
    table = columns(*names, "", right=names)
    for point in choice.table:
        mark = "★ chosen" if is_chosen(point, choice) else ""
        shown = (f"{point.threshold:g}", number(point.precision), number(point.recall), f"{point.num_called:,}")
        table.add_row(*shown, plain(mark))
    return table


def is_chosen(point: TradeoffPoint, choice: ThresholdChoice) -> bool:
    """Whether this row of the table is the threshold that decides."""
    return choice.threshold is not None and point.threshold == choice.threshold


def make_tradeoff_plot(record: RunRecord) -> TradeoffPlot | None:
    """Place the curve, the chosen point, the largest class and, once the seal was opened, what the test rows gave."""
    choice = record.threshold
    if choice is None or len(choice.curve) < 2:
        return None
    by_metric = {item.metric: item for item in choice.reached}
    reached = [by_metric[name] for name in ("recall", "precision") if name in by_metric]
    chosen = _pair([item.value for item in reached]) if choice.threshold is not None else None
    largest, tested = _pair([item.before for item in reached]), _test_point(record.scores, choice.positive)
    marked = [point for point in (chosen, largest, tested) if point is not None]
    start_x = _start([x for x, _ in marked])
    start_y = _start([y for _, y in marked])

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across = LEFT + (max(point[0], start_x) - start_x) / (1 - start_x) * (PLOT_WIDTH - LEFT - RIGHT)
        down = TOP + (1 - max(point[1], start_y)) / (1 - start_y) * (PLOT_HEIGHT - TOP - BOTTOM)
        return round(across, 1), round(down, 1)

    seen = [at((point.recall, point.precision)) for point in choice.curve if point.recall >= start_x]
    return TradeoffPlot(
        curve=" ".join(f"{x:g},{y:g}" for x, y in seen),
        chosen=None if chosen is None else at(chosen),
        largest=None if largest is None else at(largest),
        tested=None if tested is None else at(tested),
        ticks_x=tuple((at((tick, 1.0))[0], f"{tick:.1f}") for tick in _ticks(start_x)),
        ticks_y=tuple((at((1.0, tick))[1], f"{tick:.1f}") for tick in _ticks(start_y)),
    )


def _pair(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (known[0], known[1]) if len(known) == len(values) == 2 else None


def _test_point(scores: Sequence[Score], positive: str | None) -> tuple[float, float] | None:
    main = scores[0].source if scores else ""
    found = {s.metric: s.value for s in scores if (s.split, s.source, s.label) == ("test", main, positive)}
    return _pair([found.get("recall"), found.get("precision")])


def _start(values: Sequence[float]) -> float:
    """Return where an axis that ends at 1 begins: a good deal below the marked points, since the trade-off is around them."""
    lowest = min([*values, 1.0])
    return max(0.0, min(MAX_START, int((lowest - 0.25) * TENTHS) / TENTHS))


def _ticks(start: float) -> list[float]:
    step = 0.1 if start >= 0.5 else 0.2
    return [round(1 - step * index, 1) for index in range(int((1 - start) / step + 1e-9) + 1)]
