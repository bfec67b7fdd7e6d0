"""Records of fine-tuning: steps, epochs, rates, seeds, budgets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pretune.records.base import SCHEMA, Record
from pretune.records.plots import plot_history
from pretune.records.shown import Grid, Shown, Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Record):
    """One optimizer update."""

    index: int
    loss: float  # nats per target
    num_targets: int
    gradient_norm: float
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation(Record):
    """One row of the training trace: the figures after an epoch, and what they mean in words."""

    epoch: int
    step: int
    training_loss: float  # mean of the epoch's steps, nats; measured while training, with dropout on
    training_accuracy: float | None  # share, measured as the epoch went
    loss: float  # nats, on validation
    accuracy: float
    metric: str  # what chooses the best epoch
    metric_value: float
    learning_rate: float
    seconds: float
    observation: str = ""
    stage: str = ""  # what was trained, as ``--freeze`` names it, in a training of several stages


@dataclass(frozen=True, slots=True, kw_only=True)
class RangePoint(Record):
    """One step of a learning-rate range test."""

    learning_rate: float
    loss: float  # nats per target, of one batch
    smoothed: float  # running mean of the losses so far


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest(Record):
    """What ``--lr auto`` tried before training, and the rate that it chose."""

    schema: int = SCHEMA
    learning_rate: float  # chosen
    lowest_at: float  # rate at which the smoothed loss was lowest
    rule: str  # one sentence
    points: tuple[RangePoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class History(Tabular, Record):
    """How training went."""

    schema: int = SCHEMA
    steps: tuple[Step, ...] = ()
    validations: tuple[Validation, ...] = ()
    monitor: str = "accuracy"
    best_epoch: int | None = None
    best_step: int | None = None
    stopped_because: str = ""
    range_test: RangeTest | None = None  # where the rate was left to ``--lr auto``
    num_weights: int | None = None  # of the model, without adapters
    num_trained_weights: int | None = None  # adapters included

    def shown(self) -> Shown:
        """Show one row for each epoch."""
        kept = next((item for item in self.validations if item.epoch == self.best_epoch), None)
        gist = f"{len(self.validations)} epochs, {len(self.steps):,} steps"
        if kept is not None:
            how = "the last" if self.monitor == "last" else f"best by {self.monitor.replace('_', ' ')}"
            gist += f"; kept epoch {kept.epoch}, {how}: loss {kept.loss:.3f}, accuracy {kept.accuracy:.3f}"
        fields = ("epoch", "training_loss", "training_accuracy", "loss", "accuracy", "learning_rate", "seconds", "observation")
        lines = (gist, *filter(None, [self.stopped_because]))
        return Shown("Training", gist, lines, (Grid.of(self.validations, *fields),))

    def plot(self, axes: Any = None) -> Any:
        """Draw losses and accuracy; return matplotlib's axes. Needs matplotlib."""
        return plot_history(self, axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Record):
    """What was another one when a training that was cut off was resumed all the same."""

    what: str  # "data", "torch", "learning_rate", ...
    then: str
    now: str
    step: int = 0  # updates that were made with what was there then


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult(Record):
    """What one seed's training came to on validation; the largest class decides."""

    seed: int
    accuracy: float
    balanced_accuracy: float  # mean recall of the classes; one constant answer has 1 / classes
    metric_value: float  # of the metric that chooses, at the kept epoch
    loss: float  # nats, at the kept epoch
    best_epoch: int
    has_collapsed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Record):
    """How far seeds lie apart in one metric."""

    metric: str
    mean: float
    low: float  # the least
    high: float  # the most
    deviation: float  # standard deviation, n - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSpread(Record):
    """Several seeds in one command: how they came out on validation, and which was kept."""

    schema: int = SCHEMA
    metric: str  # that chose
    results: tuple[SeedResult, ...]
    spreads: tuple[Spread, ...]
    kept: int  # the seed whose model it is
    rule: str  # how it was chosen
    collapse_rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetOption(Record):
    """One way to train within a budget."""

    freeze: str
    epochs: int
    max_length: int
    has_encoder_linear: bool  # whether that baseline is fitted
    seconds: float  # of the whole command, as estimated
    cost: float  # points of accuracy (0.01 each) that it is expected to give up, roughly; the order is what counts
    share_cut: float  # of the texts

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the record; earlier versions wrote ``has_untuned``."""
        if isinstance(value, Mapping) and "has_untuned" in value:
            value = {**value, "has_encoder_linear": value["has_untuned"]}
        return super(BudgetOption, cls).from_json(value)  # ``super()`` alone is of the class before it got slots


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTiming(Record):
    """How long training steps took when the budget was laid out."""

    freeze: str
    num_tokens: int  # of a text
    seconds: float  # a step


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetChoice(Record):
    """What ``--budget`` chose, from what it measured, and what it gave up."""

    schema: int = SCHEMA
    seconds: float  # asked for
    covers: str  # "run" (up to the verdict) or "finetune"
    margin: float  # share of it that was kept back
    given: tuple[str, ...]  # settings that the user had named
    chosen: BudgetOption
    best: BudgetOption  # with time without end
    gave_up: tuple[str, ...]
    timings: tuple[StepTiming, ...]
    seconds_taken: float | None = None  # by the whole command
    was_resumed: bool = False  # then ``seconds_taken`` is that of the last attempt
