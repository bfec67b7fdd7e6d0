"""The probabilities of a model, drawn: precision, recall, false alarms, calibration, and a threshold to move."""

from collections.abc import Sequence
from dataclasses import dataclass

from pretune.records import ProbabilityView, RunRecord, ThresholdChoice, TradeoffPoint
from pretune.report.page.plot import Axis, Plot, Point, Rule, Series, make_plot, say_number, share_axis
from pretune.report.words import number

MAX_START = 0.8  # where an axis begins at most
DOT = 5.0


@dataclass(frozen=True, slots=True)
class Rung:
    """What deciding from one threshold on does, as shares."""

    threshold: float
    precision: float
    recall: float
    alarms: float  # of the rows of other classes, those that are called: the false-positive rate


@dataclass(frozen=True, slots=True)
class Explorer:
    """What the script needs to move the threshold; numbers, parted by blanks, from the highest threshold to the lowest."""

    thresholds: str
    precision: str
    recall: str
    alarms: str
    chosen: int  # position of the threshold that decides
    share: float  # of positives: in production where it is known, else on these rows
    num_examples: int
    missed: float  # cost of a missed row and of a false alarm, in the user's unit
    false_alarm: float
    split: str
    label: str


@dataclass(frozen=True, slots=True)
class Probabilities:
    """All that is drawn of probabilities."""

    tradeoff: Plot | None  # precision over recall
    receiver: Plot | None  # recall over false alarms
    calibration: Plot | None
    explorer: Explorer | None


def draw_probabilities(record: RunRecord, view: ProbabilityView | None) -> Probabilities:
    """Draw what is known: from the threshold's own curve where there is one, else from the predictions on validation."""
    choice, label = record.threshold, view.label if view is not None else None
    curve = view.curve if view is not None else ()
    split, size, positives = (view.split, view.num_examples, view.num_positives) if view is not None else ("", 0, 0)
    if choice is not None and len(choice.curve) > 1:
        curve, label, split, size, positives = (
            choice.curve,
            choice.positive,
            choice.split,
            choice.num_examples,
            choice.num_positives,
        )
    rungs = _rungs(curve, size, positives)
    calibration = plot_calibration(view) if view is not None and len(view.bins) > 1 else None
    if len(rungs) < 2 or label is None:
        return Probabilities(None, None, calibration, None)
    place = _place(rungs, choice)
    return Probabilities(
        tradeoff=_plot_tradeoff(rungs, place, record, label),
        receiver=_plot_receiver(rungs, place, record, label),
        calibration=calibration,
        explorer=_explorer(rungs, place, choice, (split, size, positives), label),
    )


def _rungs(curve: Sequence[TradeoffPoint], num_rows: int, num_positives: int) -> list[Rung]:
    """Add false alarms to each point; precision may be weighed for production, so they are counted from the rows called."""
    others = num_rows - num_positives
    if others <= 0 or num_positives <= 0:
        return []
    alarms = [min(1.0, max(0.0, (point.num_called - point.recall * num_positives) / others)) for point in curve]
    return [Rung(point.threshold, point.precision, point.recall, share) for point, share in zip(curve, alarms, strict=True)]


def _place(rungs: Sequence[Rung], choice: ThresholdChoice | None) -> int:
    """Return the position of what decides; of two classes, the larger one decides from one half on."""
    threshold = 0.5 if choice is None or choice.threshold is None else choice.threshold
    return min(range(len(rungs)), key=lambda place: abs(rungs[place].threshold - threshold))


def _plot_tradeoff(rungs: Sequence[Rung], place: int, record: RunRecord, label: str) -> Plot:
    choice, tested = record.threshold, _tested(record, label)
    largest = _largest(choice) or ([] if _is_chosen(choice) or len(record.classes) != 2 else [_up(rungs[place])])
    chosen = [_up(rungs[place])] if _is_chosen(choice) else []
    marked = [*chosen, *largest, *([tested[:2]] if tested else [])]
    x, y = (share_axis(name, _start([point[at] for point in marked])) for at, name in enumerate(("recall", "precision")))
    series = [
        Series("every threshold", "curve", tuple(map(_up, rungs))),
        *_band([(rung.threshold, _up(rung)) for rung in rungs], choice),
        *_dots("largest class decides", "largest", largest),
        *_dots("decides", "chosen", chosen),
        *_dots("on the test rows", "tested", [tested[:2]] if tested else []),
    ]
    title = "Precision and recall"
    said = [f"precision {number(up)} at recall {number(across)}" for across, up in (chosen or largest)[:1]]
    label = f"{title} of {label} at every threshold{': ' if said else ''}{''.join(said)}{' where it decides' if said else ''}"
    return make_plot(series, x, y, title=title, label=label)


def _plot_receiver(rungs: Sequence[Rung], place: int, record: RunRecord, label: str) -> Plot:
    choice, tested = record.threshold, _tested(record, label)
    here = [(rungs[place].alarms, rungs[place].recall)]
    x, y = share_axis("false-positive rate"), share_axis("recall")
    series = [
        Series("every threshold", "curve", ((0.0, 0.0), *((rung.alarms, rung.recall) for rung in rungs), (1.0, 1.0))),
        *_band([(rung.threshold, (rung.alarms, rung.recall)) for rung in rungs], choice),
        *_dots("decides", "chosen", here if _is_chosen(choice) else []),
        *_dots("largest class decides", "largest", here if not _is_chosen(choice) and len(record.classes) == 2 else []),
        *_dots("on the test rows", "tested", [(tested[2], tested[0])] if tested and tested[2] is not None else []),
    ]
    title = "ROC curve"
    said = f"recall {number(here[0][1])} at {number(here[0][0])} false positives, threshold {rungs[place].threshold:g}"
    label = f"{title} (receiver operating characteristic) of {label}: {said}"
    return make_plot(series, x, y, title=title, label=label, rules=[_diagonal()], notes=["dotted: guessing"])


def _up(rung: Rung) -> Point:
    return rung.recall, rung.precision


def _is_chosen(choice: ThresholdChoice | None) -> bool:
    return choice is not None and choice.threshold is not None


def _dots(name: str, style: str, points: Sequence[Point]) -> list[Series]:
    return [Series(name, style, (point,), is_line=False, radius=DOT) for point in points]


def plot_calibration(view: ProbabilityView) -> Plot:
    """Draw how often the model was right against the probability that it gave, bin by bin."""
    points = tuple((item.claimed, item.came_true) for item in view.bins)
    spans = tuple((item.low, item.high) for item in view.bins)
    what = f"probability of {view.claimed}" if view.claimed is not None else "probability of the answer"
    series = [Series("bins", "validation", points, radius=3.5, spans=spans, is_line=False)]
    widest = max(view.bins, key=lambda item: abs(item.claimed - item.came_true))
    said = f"largest gap: claimed {widest.claimed:.3f}, came true {widest.came_true:.3f} in {widest.num_examples:,} rows"
    start = 0.0 if view.claimed is not None else _start([value for point in points for value in point])
    return make_plot(
        series,
        share_axis(what if len(what) < 40 else "probability", start),
        share_axis("came true", start),
        title="Calibration",
        label=f"Calibration on {view.num_examples:,} {view.split} rows, {len(points)} bins; {said}",
        rules=[_diagonal(start)],
        notes=["dotted: perfect", "bars: 95 % of each bin"],
    )


def _explorer(
    rungs: Sequence[Rung], place: int, choice: ThresholdChoice | None, rows: tuple[str, int, int], label: str
) -> Explorer:
    split, size, positives = rows
    costs = choice.costs if choice is not None else {}
    known = choice.prevalence if choice is not None else None
    return Explorer(
        thresholds=" ".join(f"{rung.threshold:.6g}" for rung in rungs),
        precision=" ".join(f"{rung.precision:.4f}" for rung in rungs),
        recall=" ".join(f"{rung.recall:.4f}" for rung in rungs),
        alarms=" ".join(f"{rung.alarms:.4f}" for rung in rungs),
        chosen=place,
        share=positives / size if known is None else known,
        num_examples=size,
        missed=costs.get("fn", 1.0),
        false_alarm=costs.get("fp", 1.0),
        split=split,
        label=label,
    )


def _band(points: Sequence[tuple[float, Point]], choice: ThresholdChoice | None) -> list[Series]:
    """Return the piece of a curve whose thresholds the resamples choose."""
    if choice is None or choice.low is None or choice.high is None or choice.threshold is None:
        return []
    low, high = choice.low, choice.high
    inside = tuple(point for threshold, point in points if low <= threshold <= high)
    return [Series("5–95 % of resamples", "band", inside)] if len(inside) > 1 else []


def _largest(choice: ThresholdChoice | None) -> list[Point]:
    found = {item.metric: item.before for item in choice.reached} if choice is not None else {}
    recall, precision = found.get("recall"), found.get("precision")
    return [] if recall is None or precision is None else [(recall, precision)]


def _tested(record: RunRecord, label: str) -> tuple[float, float, float | None] | None:
    """Return recall, precision and the share of false alarms on the test rows; ``None`` before they were judged."""
    main = record.scores[0].source if record.scores else ""
    found = {s.metric: s.value for s in record.scores if (s.split, s.source, s.label) == ("test", main, label)}
    recall, precision = found.get("recall"), found.get("precision")
    if recall is None or precision is None:
        return None
    matrix = next((item for item in record.confusions if (item.split, item.source) == ("test", main)), None)
    if matrix is None or label not in matrix.classes:
        return recall, precision, None
    column = matrix.classes.index(label)
    others = [row for place, row in enumerate(matrix.counts) if place != column]
    return recall, precision, sum(row[column] for row in others) / max(1, sum(map(sum, others)))


def _diagonal(start: float = 0.0) -> Rule:
    return Rule("guess", (start, start), (1.0, 1.0))


def _start(values: Sequence[float]) -> float:
    """Return where an axis that ends at 1 begins: a good deal below the marked points, since the trade-off is around them."""
    return max(0.0, min(MAX_START, int((min([*values, 1.0]) - 0.25) * 10) / 10))


def plot_lengths(record: RunRecord) -> Plot | None:
    """Draw accuracy over the length of the texts; ``None`` where fewer than two lengths were told apart."""
    found = [(ends, item) for item in record.slices if item.column == "length" and (ends := _ends(item.value)) is not None]
    if len(found) < 2:
        return None
    found.sort(key=lambda pair: pair[0])
    points = tuple((float(place), item.accuracy) for place, (_, item) in enumerate(found))
    spans = tuple((item.low, item.high) if item.low is not None and item.high is not None else None for _, item in found)
    lows = [value for (_, y), span in zip(points, spans, strict=True) for value in ((span or (y,))[0],)]
    names = [f"{say_number(low)}–{say_number(high)}" for (low, high), _ in found]
    x = Axis("characters", -0.5, len(found) - 0.5, tuple(enumerate(names)), lambda place: f"{names[round(place)]} characters")
    said = "; ".join(f"{name} characters {y:.3f}" for name, (_, y) in zip(names, points, strict=True))
    y = share_axis("accuracy", max(0.0, min(MAX_START, int((min(lows) - 0.02) * 10) / 10)))
    series = [Series("accuracy", "validation", points, radius=4.0, spans=spans)]
    return make_plot(series, x, y, title="Accuracy by length of the text", label=f"Accuracy by length: {said}")


def _ends(value: str) -> tuple[float, float] | None:
    """Read the two ends of a range such as ``1,220 to 5,112 characters``."""
    low, parted, high = value.removesuffix(" characters").partition(" to ")
    try:
        ends = float(low.replace(",", "")), float(high.replace(",", ""))
    except ValueError:
        return None
    return ends if parted else None
