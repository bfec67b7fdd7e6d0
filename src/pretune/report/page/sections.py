"""The contents of each section of the report, as plain values; ``report.html.jinja`` lays them out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pretune.records import Confusion, Finding, Receipt, Rejection, RunRecord, Score, Step
from pretune.report.figures import (
    MAX_CLASSES,
    Confused,
    FigureTable,
    absent_classes,
    arrange_scores,
    events_of,
    list_confused,
    read_gates,
)
from pretune.report.page.charts import IntervalBar, LossPlot, choose_start, make_interval_bar, make_loss_plot
from pretune.report.receipts import describe_receipt
from pretune.report.threshold import TradeoffPlot, describe_decision, make_tradeoff_plot
from pretune.report.timeline import Timeline, make_timeline
from pretune.report.words import percent, sort_findings

MAX_MATRIX = 20  # classes of a confusion matrix; with more, the commonest mistakes are listed instead
MAX_REJECTIONS = 50


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One line of the table of figures: the judged model's score, its bar, and the baselines' scores."""

    name: str
    main: Score | None
    bar: IntervalBar | None
    gate: float | None
    others: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of many: its figures, and its place by each of them, the worst first."""

    name: str
    num_rows: int
    figures: tuple[Score | None, ...]  # F1, recall, precision
    places: tuple[int, ...]  # by F1, recall, precision, rows, name


@dataclass(frozen=True, slots=True)
class FigureSection:
    """The table of figures of one split."""

    figures: FigureTable
    rows: tuple[FigureRow, ...]
    start: float  # where the scale of the bars begins
    undefined: tuple[str, ...]
    classes: tuple[ClassRow, ...]  # folded, where there are many; the worst F1 first
    is_folded: bool  # a split besides the test, where there are many classes
    absent: str  # which classes the means leave out


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix: for each true class its counts, each with its share of the row."""

    confusion: Confusion
    rows: tuple[tuple[str, tuple[tuple[int, float], ...], int, str], ...]
    confused: tuple[Confused, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Sections:
    """All that the report shows beside the record itself."""

    figures: tuple[FigureSection, ...]
    matrices: tuple[Matrix, ...]
    plot: LossPlot | None
    decision: tuple[tuple[str, str], ...]
    tradeoff: TradeoffPlot | None
    stages: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    checked: tuple[Finding, ...]
    not_checked: tuple[Finding, ...]
    receipt: tuple[tuple[str, list[str]], ...]
    rejections: tuple[Rejection, ...]
    num_more_rejections: int
    configs: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    timeline: Timeline | None


def build_sections(record: RunRecord, events: Sequence[Mapping[str, Any]]) -> Sections:
    """Collect what the report shows from the record and the lines of ``trace.jsonl``."""
    gates = read_gates(record.verdict)
    checked, not_checked = sort_findings(record.findings)
    rejections = _list_rejections(record.receipt)
    return Sections(
        figures=tuple(_make_figures(item, record, gates) for item in _arrange(record)),
        matrices=tuple(_make_matrix(item, place > 0) for place, item in enumerate(_main_confusions(record))),
        plot=make_loss_plot(record.history) if record.history else None,
        decision=tuple(describe_decision(record.threshold, record.calibration)),
        tradeoff=make_tradeoff_plot(record),
        stages=tuple(events_of(events, "stage")),
        notes=tuple(dict.fromkeys(str(event["text"]) for event in events_of(events, "note"))),
        checked=checked,
        not_checked=not_checked,
        receipt=tuple(item for item in describe_receipt(record.receipt) if item[0] != "rejected") if record.receipt else (),
        rejections=rejections[:MAX_REJECTIONS],
        num_more_rejections=max(0, len(rejections) - MAX_REJECTIONS),
        configs=tuple((stage, _flatten(config)) for stage, config in record.configs.items()),
        timeline=make_timeline(record.pretraining, record.history, _steps_of(record, events)),
    )


def _steps_of(record: RunRecord, events: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return every update of a pre-training from its own trace; that of a fine-tuned model is in another run's."""
    if record.pretraining is None or record.history is not None:
        return ()
    steps = (Step.from_json(event) for event in events_of(events, "step") if event.get("loss") is not None)
    return tuple({step.index: step for step in steps}.values())


def _arrange(record: RunRecord) -> tuple[FigureTable, ...]:
    """Arrange the figures; of many classes the means alone, since the classes have a table of their own."""
    is_many = len(_labels(record.scores)) > MAX_CLASSES
    return arrange_scores(record.scores, positive=record.positive, max_classes=0 if is_many else None)


def _labels(scores: Sequence[Score]) -> list[str]:
    return [label for label in dict.fromkeys(score.label for score in scores) if label not in (None, "macro")]


def _list_classes(scores: Sequence[Score]) -> tuple[ClassRow, ...]:
    """Return the classes of the judged source with their places, the worst F1 first; undefined figures come last."""
    found = {(score.metric, score.label): score for score in scores if score.source == scores[0].source}
    labels = _labels(scores)
    rows = [
        (label, tuple(found.get((metric, label)) for metric in ("f1", "recall", "precision")), found.get(("recall", label)))
        for label in labels
    ]
    sizes = {label: recall.num_examples if recall is not None else 0 for label, _, recall in rows}

    def place(key: Callable[[str], tuple[float, str]]) -> dict[str, int]:
        return {label: number for number, label in enumerate(sorted(labels, key=key))}

    def by_figure(at: int) -> dict[str, int]:
        values = {label: getattr(figures[at], "value", None) for label, figures, _ in rows}
        return place(lambda label: (2.0 if values[label] is None else float(values[label] or 0.0), label))

    orders = [
        by_figure(0),
        by_figure(1),
        by_figure(2),
        place(lambda label: (sizes[label], label)),
        place(lambda label: (0, label)),
    ]
    listed = [ClassRow(label, sizes[label], figures, tuple(order[label] for order in orders)) for label, figures, _ in rows]
    return tuple(sorted(listed, key=lambda row: row.places[0]))


def _make_figures(figures: FigureTable, record: RunRecord, gates: Mapping[str, float]) -> FigureSection:
    own = [score for score in record.scores if score.split == figures.split]
    gates = gates if figures.split == "test" else {}
    start = choose_start([row.cells[0] for row in figures.rows if row.cells[0]], list(gates.values()))
    rows = []
    for row in figures.rows:
        main, *others = row.cells
        gate = gates.get(main.name) if main else None
        bar = make_interval_bar(main, gate, start=start) if main else None
        rows.append(FigureRow(row.name, main, bar, gate, tuple(others)))
    undefined = dict.fromkeys(score.method for score in figures.undefined)
    is_many = figures.num_hidden > 0
    is_folded = is_many and figures.split != record.scores[0].split
    absent = absent_classes([score for score in own if score.source == figures.sources[0]])
    classes = _list_classes(own) if is_many else ()
    return FigureSection(figures, tuple(rows), start, tuple(undefined), classes, is_folded, absent)


def _main_confusions(record: RunRecord) -> list[Confusion]:
    main = record.scores[0].source if record.scores else None
    return [item for item in record.confusions if main in (None, item.source)]


def _make_matrix(confusion: Confusion, is_further: bool) -> Matrix:
    if len(confusion.classes) > MAX_MATRIX:
        return Matrix(confusion, (), tuple(list_confused(confusion)), is_further)
    rows = []
    for index, (name, counts) in enumerate(zip(confusion.classes, confusion.counts, strict=True)):
        total = sum(counts)
        shares = tuple((count, count / total if total else 0.0) for count in counts)
        rows.append((name, shares, total, percent(counts[index], total) if total else "—"))
    return Matrix(confusion, tuple(rows), ())


def _list_rejections(receipt: Receipt | None) -> tuple[Rejection, ...]:
    return tuple(item for file in receipt.files for item in file.rejected) if receipt else ()


def _flatten(config: Any) -> tuple[tuple[str, str], ...]:
    """Write a config as names and values; anything but a mapping is one nameless value."""
    items = config.items() if isinstance(config, Mapping) else [("", config)]
    return tuple((str(name), value if isinstance(value, str) else json.dumps(value, default=str)) for name, value in items)
