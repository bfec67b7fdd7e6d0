"""Figures, classes and confusions as tables: what stands in each row, and where a reason can point to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pretune.records import Confusion, RunRecord, Score
from pretune.report.figures import (
    MAX_CLASSES,
    Confused,
    FigureTable,
    absent_classes,
    arrange_scores,
    list_confused,
    read_gates,
)
from pretune.report.page.bars import IntervalBar, choose_start, make_interval_bar
from pretune.report.words import percent

MAX_MATRIX = 20  # classes of a confusion matrix; with more, the commonest mistakes are listed instead
SHADES = 10  # of a cell of the matrix
MAX_MAP = 400  # classes of the map of many classes


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One line of the table of figures: the judged model's score, its bar, and the baselines' scores."""

    name: str
    anchor: str
    main: Score | None
    bar: IntervalBar | None
    gate: float | None
    others: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of many with its figures."""

    name: str
    anchor: str
    num_rows: int
    figures: tuple[Score | None, ...]  # F1, recall, precision


@dataclass(frozen=True, slots=True)
class FigureSection:
    """The table of figures of one split."""

    figures: FigureTable
    rows: tuple[FigureRow, ...]
    start: float  # where the scale of the bars begins
    undefined: tuple[str, ...]
    classes: tuple[ClassRow, ...]  # folded, where there are many; the worst F1 first
    is_folded: bool  # a split besides the one that is judged
    absent: str  # which classes the means leave out


@dataclass(frozen=True, slots=True)
class Cell:
    """One count of a confusion matrix."""

    count: int
    shade: int  # its share of the row, from 0 to ``SHADES``


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix: for each true class its counts; of many classes the most confused pairs and a map."""

    confusion: Confusion
    rows: tuple[tuple[str, tuple[Cell, ...], int, str], ...]
    confused: tuple[Confused, ...]
    is_folded: bool = False
    shades: tuple[tuple[int, str], ...] = ()  # of the map: a shade, and an SVG path of its cells

    @property
    def num_right(self) -> int:
        """Rows on the diagonal."""
        return sum(row[place] for place, row in enumerate(self.confusion.counts))

    @property
    def num_rows(self) -> int:
        """All rows."""
        return sum(map(sum, self.confusion.counts))


def make_figures(record: RunRecord) -> tuple[FigureSection, ...]:
    """Arrange the figures; of many classes the means alone, since the classes have a table of their own."""
    gates = read_gates(record.verdict)
    is_many = len(_labels(record.scores)) > MAX_CLASSES
    tables = arrange_scores(record.scores, positive=record.positive, max_classes=0 if is_many else None)
    return tuple(_make_section(item, record, gates, place) for place, item in enumerate(tables))


def _make_section(figures: FigureTable, record: RunRecord, gates: Mapping[str, float], place: int) -> FigureSection:
    own = [score for score in record.scores if score.split == figures.split]
    gates = gates if figures.split == "test" else {}
    start = choose_start([row.cells[0] for row in figures.rows if row.cells[0]], list(gates.values()))
    rows = []
    for number, row in enumerate(figures.rows):
        main, *others = row.cells
        gate = gates.get(main.name) if main else None
        bar = make_interval_bar(main, gate, start=start) if main else None
        rows.append(FigureRow(row.name, f"figure-{place}-{number}", main, bar, gate, tuple(others)))
    undefined = dict.fromkeys(score.method for score in figures.undefined)
    absent = absent_classes([score for score in own if score.source == figures.sources[0]])
    classes = _list_classes(own, place) if figures.num_hidden > 0 else ()
    return FigureSection(figures, tuple(rows), start, tuple(undefined), classes, place > 0, absent)


def _labels(scores: Sequence[Score]) -> list[str]:
    return [label for label in dict.fromkeys(score.label for score in scores) if label is not None and label != "macro"]


def _list_classes(scores: Sequence[Score], place: int) -> tuple[ClassRow, ...]:
    """Return the classes of the judged source, the worst F1 first; undefined figures come last."""
    found = {(score.metric, score.label): score for score in scores if score.source == scores[0].source}
    rows = []
    for number, label in enumerate(_labels(scores)):
        figures = tuple(found.get((metric, label)) for metric in ("f1", "recall", "precision"))
        recall = figures[1]
        rows.append(ClassRow(label, f"class-{place}-{number}", recall.num_examples if recall is not None else 0, figures))

    def quality(row: ClassRow) -> tuple[float, str]:
        f1 = row.figures[0]
        return (2.0 if f1 is None or f1.value is None else f1.value), row.name

    return tuple(sorted(rows, key=quality))


def make_matrices(record: RunRecord) -> tuple[Matrix, ...]:
    """Return the confusions of the judged source, the test's first and unfolded."""
    main = record.scores[0].source if record.scores else None
    own = [item for item in record.confusions if main in (None, item.source)]
    return tuple(_make_matrix(item, place > 0) for place, item in enumerate(own))


def _make_matrix(confusion: Confusion, is_further: bool) -> Matrix:
    if len(confusion.classes) > MAX_MATRIX:
        return Matrix(confusion, (), tuple(list_confused(confusion)), is_further, tuple(_map(confusion)))
    rows = []
    for index, (name, counts) in enumerate(zip(confusion.classes, confusion.counts, strict=True)):
        total = sum(counts)
        cells = tuple(Cell(count, round(SHADES * count / total) if total else 0) for count in counts)
        rows.append((name, cells, total, percent(counts[index], total) if total else "—"))
    return Matrix(confusion, tuple(rows), (), is_further)


def _map(confusion: Confusion) -> list[tuple[int, str]]:
    """Gather the cells of a large matrix by shade, one path for each: a picture of hundreds of classes stays small."""
    paths: dict[int, list[str]] = {}
    if len(confusion.classes) > MAX_MAP:
        return []
    for row, counts in enumerate(confusion.counts):
        total = sum(counts)
        for column, count in enumerate(counts):
            if count:
                shade = max(1, -(-SHADES * count // total))
                paths.setdefault(shade, []).append(f"M{column} {row}h1v1h-1z")
    return [(shade, "".join(cells)) for shade, cells in sorted(paths.items())]
