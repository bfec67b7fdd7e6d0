"""What was chosen before and between trainings: the budget, the range test with its curve, and the seeds."""

import math
from collections.abc import Iterator

from pretune.records import BudgetChoice, RangeTest, SeedSpread
from pretune.report.page.plot import Axis, Plot, Rule, Series, limits, make_plot, round_axis
from pretune.report.words import duration

# Where the curve is cut off above: beyond, a loss that breaks would press everything that tells into one line.
HEADROOM = 1.3


def make_range_plot(test: RangeTest) -> Plot | None:
    """Place the curve of a range test over a logarithmic scale of rates; ``None`` where it has fewer than two points."""
    if len(test.points) < 2:
        return None
    rates = [math.log10(point.learning_rate) for point in test.points]
    smoothed = [point.smoothed for point in test.points]
    low, high = min(smoothed), min(max(smoothed), HEADROOM * smoothed[0])
    room = 0.1 * (high - low) or 0.1
    left, right = limits(rates)
    whole = range(math.ceil(left - 1e-9), math.floor(right + 1e-9) + 1)
    x = Axis("learning rate", left, right, tuple((float(power), f"1e{power}") for power in whole), _say_rate)
    y = round_axis("nats", [low - room, high + room])
    chosen = math.log10(test.learning_rate)
    batches = tuple((rate, item.loss) for rate, item in zip(rates, test.points, strict=True) if y.low <= item.loss <= y.high)
    line = tuple((rate, loss) for rate, loss in zip(rates, smoothed, strict=True) if loss <= y.high)
    series = [
        Series("smoothed loss", "training", line),
        Series("loss of each batch", "validation", batches, is_line=False, radius=1.5),
    ]
    return make_plot(
        series,
        x,
        y,
        title="Loss over the learning rate",
        label=f"Loss over the learning rate: lowest at {test.lowest_at:.2g}; chosen {test.learning_rate:.2g}",
        rules=[Rule("kept", (chosen, y.low), (chosen, y.high))],
        notes=["dotted: the chosen rate"],
    )


def _say_rate(power: float) -> str:
    return f"{10**power:.2g}"


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
