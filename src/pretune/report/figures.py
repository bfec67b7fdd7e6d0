"""Which figures go in which row and column: shared by the terminal, the report and the card."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pretune.records import Confusion, Score, Verdict

# With more classes than this, a table shows the worst ones and says how many it left out; run.json has them all.
MAX_CLASSES = 6

SPLIT_ORDER = ("test", "validation", "train")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of every source, in the order of the table's sources."""

    name: str
    cells: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class FigureTable:
    """The scores of one split: sources side by side, the judged one first."""

    split: str
    sources: tuple[str, ...]
    rows: tuple[FigureRow, ...]
    num_hidden: int  # classes left out of ``rows``

    @property
    def num_examples(self) -> int:
        """Rows scored: the largest base of any figure, since a recall rests on one class only."""
        return max((cell.num_examples for cell in self._cells()), default=0)

    @property
    def confidence(self) -> float | None:
        """The confidence of the judged source's intervals."""
        return next((cell.confidence for cell in self._cells() if cell.source == self.sources[0]), None)

    @property
    def look(self) -> int:
        """The look number of the figures."""
        return max((cell.look for cell in self._cells()), default=1)

    @property
    def undefined(self) -> tuple[Score, ...]:
        """Figures without a value or an interval; why is in their ``method``."""
        return tuple(cell for cell in self._cells() if cell.value is None or cell.low is None)

    def _cells(self) -> list[Score]:
        return [cell for row in self.rows for cell in row.cells if cell is not None]


def arrange_scores(
    scores: Sequence[Score], *, positive: str | None = None, max_classes: int | None = None
) -> tuple[FigureTable, ...]:
    """Arrange scores as one table a split: test first, and in it the figures that decide first.

    Args:
        scores: The judged model's scores first, then each baseline's.
        positive: Its figures come before the other classes'.
        max_classes: Show this many further classes, those with the lowest F1; ``None`` shows all.
    """
    splits = sorted({score.split for score in scores}, key=lambda name: (*SPLIT_ORDER, name).index(name))
    return tuple(_arrange([s for s in scores if s.split == split], split, positive, max_classes) for split in splits)


def _arrange(scores: list[Score], split: str, positive: str | None, max_classes: int | None) -> FigureTable:
    sources = tuple(dict.fromkeys(score.source for score in scores))
    found = {(score.metric, score.label, score.source): score for score in scores}
    is_many = positive is None and len({score.label for score in scores}) > MAX_CLASSES + 2
    leading = ("macro", None) if is_many else (None, positive, "macro")  # of many classes the means say most
    first = [label for label in leading if any(score.label == label for score in scores)]
    others = [label for label in dict.fromkeys(score.label for score in scores) if label not in first]
    shown = _worst(others, found, sources[0], max_classes)
    rows = [
        FigureRow(_row_name(metric, label), tuple(found.get((metric, label, source)) for source in sources))
        for label in dict.fromkeys([*first, *shown])
        for metric in dict.fromkeys(score.metric for score in scores if score.label == label)
    ]
    return FigureTable(split, sources, tuple(rows), len(others) - len(shown))


def _worst(labels: list[str | None], found: Mapping[Any, Score], main: str, limit: int | None) -> list[str | None]:
    if limit is None or len(labels) <= limit:
        return labels

    def quality(label: str | None) -> float:
        score = found.get(("f1", label, main))
        return 0.0 if score is None or score.value is None else score.value

    kept = set(sorted(labels, key=quality)[:limit])
    return [label for label in labels if label in kept]


METRIC_NAMES = {
    "f1": "F1",
    "loss": "loss (nats)",
    "cost": "cost (mean per row)",
    "alerts": "alerts (share of rows)",
    "mcc": "Matthews corr.",
    "roc_area": "ROC area",
    "pr_area": "PR area",
    "brier": "Brier score",
    "bleu": "BLEU (of 100)",
    "chrf": "chrF (of 100)",
    "subject": "names the subject",
}


def _row_name(metric: str, label: str | None) -> str:
    name = METRIC_NAMES.get(metric, metric.replace("_", " "))
    return name if label is None else f"{name} · {label}"


def read_gates(verdict: Verdict | None) -> dict[str, float]:
    """Return the gates that were held against scores, by the name of the score.

    A policy may hold gates that fell away on these data; the verdict's reasons name those that did not.
    """
    if verdict is None:
        return {}
    gates = verdict.policy.get("goals", {}).get(verdict.policy.get("goal"), ())
    minimums = {gate["metric"]: float(gate["minimum"]) for gate in gates}
    judged = [(reason.name, reason.name.partition("[")[0]) for reason in verdict.reasons if reason.kind == "score"]
    return {name: minimums[metric] for name, metric in judged if metric in minimums}


def list_mistakes(confusion: Confusion, limit: int = 10) -> list[tuple[int, str, str]]:
    """Return the commonest mistakes as (count, true class, predicted class)."""
    classes = confusion.classes
    mistakes = (
        (count, classes[row], classes[column])
        for row, counts in enumerate(confusion.counts)
        for column, count in enumerate(counts)
        if row != column and count
    )
    return sorted(mistakes, key=lambda mistake: -mistake[0])[:limit]


@dataclass(frozen=True, slots=True)
class Confused:
    """Two classes that are taken for each other."""

    first: str
    second: str
    there: int  # rows of the first that are called the second
    back: int
    num_rows: int  # of both


def list_confused(confusion: Confusion, limit: int = 15) -> list[Confused]:
    """Return the pairs of classes that are taken for each other most often, both ways counted; the first is mistaken more."""
    classes, counts = confusion.classes, confusion.counts
    pairs = (
        (counts[row][column], counts[column][row], row, column)
        for row in range(len(classes))
        for column in range(len(classes))
        if (row < column and counts[row][column] == counts[column][row] > 0) or counts[row][column] > counts[column][row]
    )
    found = sorted(pairs, key=lambda pair: (-pair[0] - pair[1], pair[2], pair[3]))[:limit]
    sizes = [sum(row) for row in counts]
    return [
        Confused(classes[row], classes[column], there, back, sizes[row] + sizes[column]) for there, back, row, column in found
    ]


def absent_classes(scores: Sequence[Score]) -> str:
    """Say once that means are over the classes with rows, and what scikit-learn would give; empty where all have rows."""
    told = {score.metric: score.method.partition("; over ")[2] for score in scores if score.label == "macro"}
    found = {metric: note for metric, note in told.items() if note}
    if not found:
        return ""
    whose = next(iter(found.values())).partition(", where")[0]
    others = [f"{metric} {note.rpartition(' ')[2]}" for metric, note in found.items() if "would give" in note]
    theirs = f"; scikit-learn counts them as 0 and would give {', '.join(others)}" if others else ""
    return f"Means are over {whose}{theirs}."


def events_of(events: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Return the events of one kind, such as ``stage`` or ``note``."""
    return [event for event in events if event.get("event") == kind]
