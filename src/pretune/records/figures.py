"""Records of figures with their uncertainty: scores, comparisons, thresholds, slices, mistakes."""

from dataclasses import dataclass, field
from typing import Any

from pretune.records.base import SCHEMA, Record
from pretune.records.plots import plot_calibration, plot_threshold
from pretune.records.shown import Grid, Showable, Shown, Tabular

LOWER_IS_BETTER = (
    "loss",
    "brier",
    "calibration_error",
    "cost",
    "absolute_error",
    "alerts",
    "bits_per_byte",
    "loops",
    "copied",
    "empty",
    "forgetting",
)  # metrics of which less is better; none is a share to be gated from below


@dataclass(frozen=True, slots=True, kw_only=True)
class Units(Record):
    """What the rows of a share are worth where some belong together (``intervals.worth_of``)."""

    num: int  # copies of a text, or groups, that have a row
    even: float  # how many of one size would weigh as evenly
    effect: float  # rows per independent row, but for the correction for few units
    freedom: float  # degrees of freedom of the variance between units


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Record):
    """One metric on one split, with what is needed to doubt it."""

    metric: str  # "accuracy", "precision", "recall", "f1", "loss", ...
    label: str | None  # the class, or "macro"; None where the metric has no class
    split: str
    source: str  # whose predictions: "finetuned", "linear", ...
    value: float | None  # None where the figure is undefined; the reason is in ``method``
    low: float | None  # bounds of the interval, in the metric's unit
    high: float | None
    confidence: float  # 0.95 at the first look
    method: str  # "wilson", "percentile bootstrap, 2,000 resamples", ...
    num_examples: int  # rows the figure rests on: for recall the rows of the class
    num_hits: int | None = None  # numerator of a proportion
    look: int = 1
    units: Units | None = None  # of a proportion, where rows belong together

    @property
    def name(self) -> str:
        """How reasons refer to it, such as ``recall[spam]``."""
        return f"{self.metric}[{self.label}]" if self.label is not None else self.metric

    def is_clear_of(self, gate: float) -> bool:
        """Whether the whole interval lies at or above the gate."""
        return self.low is not None and self.low >= gate

    def is_short_of(self, gate: float) -> bool:
        """Whether the whole interval lies below the gate."""
        return self.high is not None and self.high < gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Record):
    """Two sources on the same rows."""

    metric: str
    split: str
    a: str
    b: str
    value_a: float
    value_b: float
    difference: float  # a - b
    low: float | None
    high: float | None
    confidence: float
    p_value: float
    method: str
    num_examples: int

    @property
    def name(self) -> str:
        """How reasons refer to it, such as ``finetuned-linear``."""
        return f"{self.a}-{self.b}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached(Record):
    """What a threshold reaches in one figure, on the rows that it was chosen on."""

    metric: str  # "precision", "recall", "f1", "accuracy", or "cost" (mean a row, in the user's unit)
    value: float | None  # with the chosen threshold; None where it is undefined
    before: float | None  # with the largest class
    expected: float | None  # value less the optimism of choosing and measuring on the same rows
    low: float | None = None  # 5 % and 95 % of what thresholds chosen on resamples reach on these rows
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeoffPoint(Record):
    """Precision and recall of the positive class at one threshold."""

    threshold: float
    precision: float
    recall: float
    num_called: int  # rows that would be decided for the positive class


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ThresholdChoice(Tabular, Record):
    """Which threshold decides, by what rule it was chosen, how sure that is, and what others would have given."""

    schema: int = SCHEMA
    source: str
    split: str  # never "test"
    goal: str
    rule: str  # one sentence
    positive: str | None = None
    threshold: float | None = None  # None: the largest class decides, and ``note`` says why
    low: float | None = None  # 5 % and 95 % of the thresholds that resamples of the rows choose
    high: float | None = None
    keep: dict[str, float] = field(default_factory=dict)  # the least value of a figure, as asked for
    kept_share: float | None = None  # of the resamples' thresholds, those that hold every constraint on all rows
    costs: dict[str, float] = field(default_factory=dict)  # "fn" and "fp"
    gates: dict[str, float] = field(default_factory=dict)  # what the verdict will ask for, by the lower end
    at: dict[str, float] = field(default_factory=dict)  # what recall is asked under: least "precision", or most "alerts"
    prevalence: float | None = None  # of the positive class in production, by which figures were weighed
    is_asked: bool | None = None  # whether the user asked for goal, constraint or costs; None: made before this was kept
    reached: tuple[Reached, ...] = ()
    num_examples: int = 0
    num_positives: int = 0
    num_resamples: int = 0
    note: str = ""
    table: tuple[TradeoffPoint, ...] = ()  # about ten, the chosen one among them
    curve: tuple[TradeoffPoint, ...] = ()  # falling thresholds, so rising recall

    def shown(self) -> Shown:
        """Show the rule, the threshold, and what others would have given."""
        decides = "the largest class decides" if self.threshold is None else f"{self.positive} from {self.threshold:.3f}"
        lines = tuple(filter(None, (self.rule, self.note)))
        gist = f"{decides}, chosen on {self.num_examples:,} rows of {self.split}"
        return Shown("Threshold", gist, (decides, *lines), (self.grid(),))

    def grid(self) -> Grid:
        """Return about ten thresholds, the chosen one among them."""
        return Grid.of(self.table, "threshold", "precision", "recall", "num_called")

    def plot(self, axes: Any = None) -> Any:
        """Draw precision and recall over thresholds; return matplotlib's axes. Needs matplotlib."""
        return plot_threshold(self, axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChoice(Record):
    """Which of a run's models validation chose before the seal was opened (``--choose best``)."""

    source: str  # "finetuned", "linear" or "encoder_linear", which is also its folder in the run
    metric: str  # of validation, by which it was chosen
    values: dict[str, float]  # of each candidate
    num_examples: int
    rule: str  # one sentence


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Calibration(Showable, Record):
    """How far probabilities are from shares, and the temperature that was put to it."""

    split: str
    error: float  # root mean square, debiased, of confidence less accuracy; 0 where chance explains all of it
    limit: float  # above which it is poor
    temperature: float = 1.0  # that minimizes the log loss; logits are divided by it where ``is_scaled``
    is_scaled: bool = False
    error_after: float | None = None
    loss: float  # nats, before
    loss_after: float | None = None
    num_examples: int
    why: str  # one sentence

    def shown(self) -> Shown:
        """Show how far probabilities were off, and what was done about it."""
        gist = f"error {self.error:.3f} on {self.num_examples:,} rows of {self.split}, limit {self.limit:.3f}"
        after = "" if self.error_after is None else f"after division by {self.temperature:.3f}: {self.error_after:.3f}"
        lines = tuple(filter(None, (gist, after, self.why)))
        return Shown("Calibration", gist, lines, tone="good" if self.error <= self.limit else "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin(Record):
    """Rows to which a model gave about the same probability, and how often what it spoke of came true."""

    claimed: float  # mean probability
    came_true: float  # share of the rows
    low: float  # bounds of the interval of ``came_true``
    high: float
    num_examples: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProbabilityView(Tabular, Record):
    """What the report draws of the probabilities on rows that are not sealed."""

    source: str
    split: str  # never "test"
    label: str | None  # class of ``curve``; None where there is no curve
    claimed: str | None  # class whose probability ``bins`` are of; None: that of each answer
    num_examples: int
    num_positives: int  # rows of ``label``
    curve: tuple[TradeoffPoint, ...] = ()
    bins: tuple[ReliabilityBin, ...] = ()  # rising

    def shown(self) -> Shown:
        """Show how often what the model said came true, by the probability that it gave."""
        of = "its answers" if self.claimed is None else self.claimed
        gist = f"probabilities of {of} on {self.num_examples:,} rows of {self.split}, by {self.source}"
        return Shown("Probabilities", gist, (gist,), (self.grid(),))

    def grid(self) -> Grid:
        """Return one row for each bin."""
        return Grid.of(self.bins, "claimed", "came_true", "low", "high", "num_examples")

    def plot(self, axes: Any = None) -> Any:
        """Draw how often came true what was claimed; return matplotlib's axes. Needs matplotlib."""
        return plot_calibration(self, axes)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Confusion(Tabular, Record):
    """Rows are the true classes, columns the predicted ones, both in the order of ``classes``."""

    split: str
    source: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def shown(self) -> Shown:
        """Show one row for each true class."""
        hits, rows = sum(row[place] for place, row in enumerate(self.counts)), sum(map(sum, self.counts))
        gist = f"{hits:,} of {rows:,} rows of {self.split} are right, by {self.source}"
        return Shown("Confusion", gist, (gist, "rows: the true class; columns: what was predicted"), (self.grid(),))

    def grid(self) -> Grid:
        """Return one row for each true class."""
        rows = tuple((name, *row) for name, row in zip(self.classes, self.counts, strict=True))
        return Grid(("true", *self.classes), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Record):
    """Rows that have something in common, and whether the model does worse on them than on the other rows."""

    column: str  # "label", "length", or one of the table's other columns
    value: str  # "spam", "12–85 characters", "2 to 5"
    split: str
    source: str
    num_examples: int
    num_hits: int  # rows that were right
    accuracy: float
    low: float | None  # bounds of the interval of ``accuracy``
    high: float | None
    confidence: float
    rest: float  # accuracy on all other rows
    p_value: float  # of so few hits here if mistakes fell on all rows alike; corrected for the number of slices
    is_worse: bool  # whether the corrected p value is small enough to say so
    method: str
    units: Units | None = None  # what its rows are worth, where some belong together (rules 3)
    examples: tuple[str, ...] = ()  # ids of its mistakes, the most confident first


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake(Record):
    """One wrong answer that the model was sure of."""

    id: str
    label: str
    predicted: str
    probability: float  # that the model gave to its answer
    split: str
    source: str
    text: str = ""  # empty where the predictions came without texts
