"""Records of what was evaluated and compared: figures of one model, of two, and of two runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from pretune.records.base import SCHEMA, Record
from pretune.records.figures import Comparison, Confusion, Score
from pretune.records.shown import Grid, Shown, Tabular, say_figure


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evaluation(Tabular, Record):
    """Figures of one model on one set of rows; unpacks to ``loss, accuracy``."""

    schema: int = SCHEMA
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...] = ()
    confusions: tuple[Confusion, ...] = ()

    def __iter__(self) -> Iterator[float]:
        yield self.value("loss")
        yield self.value("accuracy")

    def shown(self) -> Shown:
        """Show each figure with its interval, a column for each source, and what comparisons say."""
        rows = [item for item in self.scores if item.source == self.main]
        held = {(item.source, item.metric, item.label): item for item in self.scores}
        sources = tuple(dict.fromkeys(item.source for item in self.scores))
        cells = ((item.name, *(_cell(held.get((source, item.metric, item.label))) for source in sources)) for item in rows)
        pairs = (f"{item.name}: {item.metric} {item.difference:+.3f}, p = {item.p_value:.3g}" for item in self.comparisons)
        first = rows[0]
        known = {item.metric: say_figure(item.value, item.low, item.high) for item in rows if item.label is None}
        gist = f"{first.source} on {first.num_examples:,} rows of {first.split}: accuracy {known.get('accuracy', '–')}"
        title = f"Evaluation on {first.split}, {first.num_examples:,} rows, look {first.look}"
        return Shown(title, gist, tuple(pairs), (Grid(("figure", *sources), tuple(cells)),))

    def grid(self) -> Grid:
        """Return one row for each figure of each source."""
        names = ("source", "split", "metric", "label", "value", "low", "high", "confidence", "num_examples", "method")
        return Grid.of(self.scores, *names)

    @property
    def main(self) -> str:
        """The source that is judged; the others are what it is compared with."""
        return self.scores[0].source

    def find(self, metric: str, label: str | None = None) -> Score | None:
        """Return one of the main model's scores, or ``None``."""
        matches = (s for s in self.scores if s.source == self.main and s.metric == metric and s.label == label)
        return next(matches, None)

    def value(self, metric: str, label: str | None = None) -> float:
        """Return the value of one of the main model's figures; NaN where it is undefined.

        Raises:
            KeyError: There is no such figure.
        """
        score = self.find(metric, label)
        if score is None:
            raise KeyError(f"no figure {metric!r} for {label!r}; there are {sorted({s.name for s in self.scores})}")
        return float("nan") if score.value is None else score.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference(Record):
    """Which of two models to take, and why."""

    a: str
    b: str
    preferred: str | None  # a or b; None where the deciding figure is the same
    metric: str  # the figure that decides
    is_proven: bool  # whether the difference can hardly be chance
    p_value: float | None  # from the pairs; None where there are none
    summary: str
    reasons: tuple[str, ...] = ()
    num_examples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RunComparison(Tabular, Record):
    """Two runs on the rows that both scored."""

    schema: int = SCHEMA
    split: str
    num_examples: int  # rows that match, by id and text
    num_rows: tuple[int, ...]  # rows of the split in each of the two runs
    notes: tuple[str, ...] = ()
    look: int | None = None  # None where no sealed row was opened
    preference: Preference
    comparisons: tuple[Comparison, ...]
    scores: tuple[Score, ...]

    def shown(self) -> Shown:
        """Show which run to take, why, and one row for each comparison."""
        chosen = self.preference
        return Shown("Comparison", chosen.summary, (chosen.summary, *chosen.reasons, *self.notes), (self.grid(),))

    def grid(self) -> Grid:
        """Return one row for each comparison."""
        names = ("metric", "split", "a", "b", "value_a", "value_b", "difference", "low", "high", "p_value", "num_examples")
        return Grid.of(self.comparisons, *names)


def _cell(score: Score | None) -> str:
    return "" if score is None else say_figure(score.value, score.low, score.high)
