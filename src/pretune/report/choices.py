"""What was chosen before and between trainings: the budget, the range test with its curve, and the seeds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pretune.records import BudgetChoice, RangeTest, SeedSpread
from pretune.report.page.charts import BOTTOM, LEFT, PLOT_HEIGHT, PLOT_WIDTH, RIGHT, TOP
from pretune.report.words import duration

# Where the curve is cut off above: beyond, a loss that breaks would press everything that tells into one line.
HEADROOM = 1.3


@dataclass(frozen=True, slots=True)
class RangePlot:
    """The smoothed loss over the rate, on a logarithmic scale; positions in SVG units."""

    smoothed: str  # points of a polyline
    losses: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, str], ...]  # (y, value)
    decades: tuple[tuple[float, str], ...]  # (x, rate)
    chosen: float
    lowest: float


def make_range_plot(test: RangeTest) -> RangePlot | None:
    """Place the curve of a range test; ``None`` where it has fewer than two points."""
    if len(test.points) < 2:
        return None
    rates = [math.log10(point.learning_rate) for point in test.points]
    smoothed = [point.smoothed for point in test.points]
    start = smoothed[0]
    low, high = min(smoothed), min(max(smoothed), HEADROOM * start)
    room = 0.1 * (high - low) or 0.1
    low, high, left, right = low - room, high + room, min(rates), max(rates)

    def at(rate: float, loss: float) -> tuple[float, float]:
        across = LEFT + (rate - left) / ((right - left) or 1.0) * (PLOT_WIDTH - LEFT - RIGHT)
        down = TOP + (high - min(max(loss, low), high)) / (high - low) * (PLOT_HEIGHT - TOP - BOTTOM)
        return round(across, 1), round(down, 1)

    shown = [(rate, loss) for rate, loss in zip(rates, smoothed, strict=True) if loss <= high]
    whole = range(math.ceil(left - 1e-9), math.floor(right + 1e-9) + 1)
    heights = [low + (high - low) * part / 4 for part in range(5)]
    return RangePlot(
        smoothed=" ".join(f"{x:g},{y:g}" for x, y in (at(*point) for point in shown)),
        losses=tuple(at(rate, item.loss) for rate, item in zip(rates, test.points, strict=True) if low <= item.loss <= high),
        ticks=tuple((at(left, value)[1], f"{value:.2f}") for value in heights),
        decades=tuple((at(power, low)[0], f"1e{power}") for power in whole),
        chosen=at(math.log10(test.learning_rate), low)[0],
        lowest=at(math.log10(test.lowest_at), low)[0],
    )


def describe_budget(choice: BudgetChoice) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a budget, as names and words."""
    chosen = choice.chosen
    covers = "up to the verdict" if choice.covers == "run" else "up to the trained model"
    yield "asked for", f"{duration(choice.seconds)}, {covers}; {choice.margin:.0%} of it kept back"
    epochs = "1 epoch" if chosen.epochs == 1 else f"{chosen.epochs} epochs"
    yield "chosen", f"freeze {chosen.freeze}, {epochs}, {chosen.max_length} tokens; estimated {duration(chosen.seconds)}"
    yield "given up", "; ".join(choice.gave_up) or "nothing"
    if choice.given:
        yield "kept as given", ", ".join(choice.given)
    steps = "; ".join(f"{item.freeze}: {1000 * item.seconds:,.0f} ms at {item.num_tokens} tokens" for item in choice.timings)
    yield "steps measured", steps or "none"
    if choice.seconds_taken is not None:
        over = choice.seconds_taken - choice.seconds
        attempt = ", since the run was resumed" if choice.was_resumed else ""
        said = f", {duration(over)} over the budget" if over > 0 else ""
        yield "taken", f"{duration(choice.seconds_taken)}{said}{attempt}"


def say_optimism(spread: SeedSpread) -> str:
    """Return the caution that belongs to a model that was the best of several."""
    return (
        f"Seed {spread.kept} was kept as the best of {len(spread.results)} on validation, so its validation figures are "
        "somewhat too good; the test was opened for it alone. Expect the mean from another training."
    )
