"""The frozen records that stages hand to each other: JSON out, JSON in, and nothing else shared."""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Self, Union

SCHEMA = 1

LOWER_IS_BETTER = ("loss", "brier", "calibration_error", "cost")  # metrics of which less is better; none is a share to be gated


class Record:
    """A frozen dataclass that survives a round trip through JSON."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and numbers."""
        return {item.name: _encode(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the record from what ``to_json`` returned; unknown keys are ignored."""
        hints = typing.get_type_hints(cls)
        known = [item.name for item in fields(cls) if item.name in value]  # type: ignore[arg-type]
        return cls(**{name: _decode(hints[name], value[name]) for name in known})


class Severity(StrEnum):
    """How much a finding weighs."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    BLOCKING = "blocking"
    UNKNOWN = "unknown"  # should have run and could not
    NOT_APPLICABLE = "not_applicable"  # the question does not arise


class Outcome(StrEnum):
    """What a verdict says."""

    SHIP = "ship"
    DO_NOT_SHIP = "do_not_ship"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Record):
    """One row of the user's table."""

    id: str  # "reviews.csv:17", the row as a spreadsheet numbers it
    text: str
    label: str | None = None
    group: str | None = None  # rows of one group must not be separated
    extra: dict[str, str] = field(default_factory=dict)  # the other columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Record):
    """One row that was not used, and why."""

    file: str
    row: int | None  # as a spreadsheet numbers it: the header of a CSV is row 1; None where the whole file is meant
    column: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceipt(Record):
    """What became of every row of one file: ``num_rows == num_used + len(rejected)``."""

    file: str
    role: str  # "data", "train", "validation" or "test"
    format: str
    encoding: str | None
    sha256: str | None
    num_rows: int
    num_used: int
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns(Record):
    """Which columns were read, and whether that was a guess."""

    text: tuple[str, ...]
    label: str | None
    group: str | None = None
    guessed: tuple[str, ...] = ()  # subset of ("text", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict(Record):
    """One text (after folding) under more than one label."""

    text: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared(Record):
    """What two given splits have in common."""

    first: str  # name of a split
    second: str
    num_exact: int  # distinct folded texts on both sides
    num_exact_rows: int  # rows of ``first`` whose folded text is in ``second``
    num_near_rows: int  # further rows of ``first`` nearly the same as a row of ``second``, or tied to one through others
    num_group_rows: int = 0  # further rows of ``first`` whose group is in ``second``
    removed: tuple[str, ...] = ()  # ids taken out of ``first``


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReceipt(Record):
    """One split: how many rows, of which classes, and the digest of its rows."""

    name: str
    num_rows: int
    labels: dict[str, int]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair(Record):
    """What ``--repair`` did to the rows."""

    what: str  # "leaks dropped", "regrouped" or "conflicts dropped"
    summary: str
    ids: tuple[str, ...]  # rows dropped, or that changed sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Record):
    """What became of every row, from the files to the splits."""

    schema: int = SCHEMA
    source: str
    files: tuple[FileReceipt, ...]
    columns: Columns
    licence: str | None = None
    num_rows: int  # in all files
    num_used: int  # rows == used + rejected
    num_rejected: int
    num_removed: int = 0  # used rows then taken out of training or validation: a later split has them, or --repair
    num_cleaned: dict[str, int] = field(default_factory=dict)  # texts changed, by what was done
    num_exact_duplicates: int = 0  # rows whose folded text is that of an earlier row
    num_near_duplicates: int = 0  # further rows nearly the same as an earlier row
    near_duplicate_threshold: float | None = None
    conflicts: tuple[Conflict, ...] = ()
    shared: tuple[Shared, ...] = ()
    splits: tuple[SplitReceipt, ...] = ()
    split_seed: int | None = None  # None where the splits were given
    repairs: tuple[Repair, ...] = ()
    repair_scores: "tuple[Score, ...]" = ()  # a linear model fitted and scored on validation before and after the repairs
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions(Record):
    """What one model said about one split."""

    schema: int = SCHEMA
    task: str = "classify"
    source: str  # "finetuned", "majority", "linear", ...
    split: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    predicted: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...] | None = None  # (num_examples, num_classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView(Record):
    """What one layer made of a text, and what the head would decide if it read that layer."""

    name: str  # "embeddings", "layer 1", ...
    shape: tuple[int, ...]  # (texts, tokens, width)
    norm: float  # length of a token's vector, mean over the tokens
    probabilities: tuple[float, ...]  # (num_classes,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionTrace(Record):
    """One text followed from characters to decision."""

    schema: int = SCHEMA
    text: str  # as the model read it
    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    layers: tuple[LayerView, ...]
    logits: tuple[float, ...]  # (num_classes,)
    probabilities: tuple[float, ...]  # softmax of the logits
    classes: tuple[str, ...]
    decision: str
    threshold: float | None = None  # stored with the model: probability of ``positive`` from which it is decided
    positive: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class History(Record):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFit(Record):
    """How a vocabulary takes one kind of text."""

    name: str  # "domain", "general", ...
    num_texts: int
    num_bytes: int  # UTF-8
    num_tokens: int  # special tokens aside
    num_unknown: int  # tokens that stand for what the vocabulary does not have
    num_words: int  # as the tokenizer itself parts words
    num_split_words: int  # in four pieces or more
    bytes_per_token: float
    tokens_per_word: float
    unknown_share: float  # of the tokens
    split_share: float  # of the words
    examples: tuple[str, ...] = ()  # the commonest of the split words, piece by piece


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerQuality(Record):
    """How well a vocabulary fits the texts, and a plain warning where it does not."""

    schema: int = SCHEMA
    kind: str  # "wordpiece", "bpe", "unigram", ...
    vocab_size: int
    fits: tuple[TokenizerFit, ...]
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess(Record):
    """One token that a model would put in a place."""

    token: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptGuesses(Record):
    """What a language model would put into one place of a prompt, the likeliest first."""

    prompt: str  # with its [MASK]; a causal model goes on after its end
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerGuesses(Record):
    """What a language model would guess if its head read this layer."""

    name: str  # "embeddings", "layer 1", ...
    guesses: tuple[Guess, ...]  # the likeliest first
    final_probability: float  # that this layer gives to the guess of the last one


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPlace(Record):
    """One word to be guessed, followed through the layers."""

    place: int  # among the tokens: the hidden one, or the last one, after which the guess stands
    layers: tuple[LayerGuesses, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTrace(Record):
    """The words that a language model guesses, from the embeddings to the last layer."""

    schema: int = SCHEMA
    model: str = ""  # as the user named it
    prompt: str
    objective: str  # "masked" or "causal"
    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    places: tuple[WordPlace, ...]
    note: str = ""  # what the user should know of the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone(Record):
    """One row of a pre-training's timeline: the figures after so many tokens, and what they mean in words."""

    step: int
    num_tokens: int  # seen so far, in all epochs
    training_loss: float  # nats a target, mean of the steps since the milestone before
    loss: float  # nats a target, on held-out text
    accuracy: float  # share of masked (or next) tokens guessed right, on held-out text
    perplexity: float  # exp(loss)
    bits_per_byte: float | None = None  # None where it is not defined: masked models predict a share of the text only
    learning_rate: float
    seconds: float  # since training began
    tokens_per_second: float  # since the milestone before
    observation: str = ""
    guesses: tuple[PromptGuesses, ...] = ()
    task: str = ""  # "next words" where a masked model predicts these first: its losses are of these then


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainHistory(Record):
    """How pre-training went."""

    schema: int = SCHEMA
    objective: str  # "masked" or "causal"
    milestones: tuple[Milestone, ...] = ()
    num_tokens: int = 0  # seen, in all epochs
    num_first_steps: int = 0  # of a masked model: updates that predicted next words, before those of hidden words
    num_targets: int | None = None  # that the loss counted
    num_weights: int | None = None
    started_from: str = ""  # the checkpoint that was continued; empty from scratch
    has_fresh_head: bool = False  # it had no head for words: what its losses were at first is that head's doing
    stopped_because: str = ""

    @property
    def first_fair(self) -> Milestone | None:
        """The milestone from which a fall of the loss says something of the layers: after the first ones of a fresh head."""
        return next(iter(self.milestones[1 if self.has_fresh_head else 0 :]), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts(Record):
    """How the texts of one split became tokens, special tokens included."""

    split: str
    num_texts: int
    num_tokens: int  # kept
    num_cut_texts: int  # texts longer than ``max_length``
    num_cut_tokens: int  # tokens lost to the cut
    num_unknown: int  # tokens the vocabulary does not have
    max_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSketch(Record):
    """What a model was pre-trained on, as hashes of its word windows (``data/sketch.py``)."""

    name: str
    num_texts: int
    hashes: tuple[int, ...]  # all of them, or those that the test texts have too
    is_known: bool = True  # False: there is a corpus, and its sketch is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFile(Record):
    """What was found in one file of a corpus: ``num_documents`` are those read and those rejected."""

    file: str
    role: str  # "train" or "validation"
    format: str  # "text", "json lines", ...
    encoding: str | None
    sha256: str | None
    num_documents: int
    num_rejected: int = 0  # could not be read
    rejected: tuple[Rejection, ...] = ()  # the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusReceipt(Record):
    """What became of every document of a corpus: ``num_documents == num_kept + sum(dropped.values())``."""

    schema: int = SCHEMA
    name: str
    licence: str | None = None
    files: tuple[CorpusFile, ...]
    num_documents: int
    num_characters: int  # of the documents that were kept, as they are kept
    num_words: int  # the same
    num_kept: int  # for training and validation together
    num_validation: int  # held out of training
    dropped: dict[str, int] = field(default_factory=dict)  # documents, by the first reason that applied
    changed: dict[str, int] = field(default_factory=dict)  # documents changed by cleaning, by what was done
    near_duplicates: dict[str, int] = field(
        default_factory=dict
    )  # "compared", "near": pairs; "largest": documents of a cluster
    near_duplicate_threshold: float | None = None
    validation_from: str = ""  # "hash of the text", or the file that has it
    digest: str = ""  # of the kept texts, in their order
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Record):
    """What was another one when a training that was cut off was gone on with all the same."""

    what: str  # "data", "torch", "learning_rate", ...
    then: str
    now: str
    step: int = 0  # updates that were made with what was there then


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
class Evidence(Record):
    """All that judges may read. Each part may be absent."""

    schema: int = SCHEMA
    task: str = "classify"
    classes: tuple[str, ...] = ()
    positive: str | None = None  # None: figures are macro averages
    train: tuple[Example, ...] = ()
    validation: tuple[Example, ...] = ()
    test: tuple[Example, ...] = ()
    predictions: tuple[Predictions, ...] = ()
    history: History | None = None
    receipt: Receipt | None = None
    token_counts: tuple[TokenCounts, ...] = ()
    corpus: CorpusSketch | None = None
    language: tuple[Score, ...] = ()  # of the language model on text, before and after pre-training: splits domain, general
    changes: tuple[Change, ...] = ()

    def find(self, split: str, source: str) -> Predictions | None:
        """Return the predictions of ``source`` on ``split``, or ``None``."""
        matches = (p for p in self.predictions if p.split == split and p.source == source)
        return next(matches, None)

    def has_texts(self, *splits: str) -> bool:
        """Whether all of these splits came with texts."""
        return all(any(example.text for example in getattr(self, split)) for split in splits)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChoice(Record):
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
    is_asked: bool | None = None  # whether the user asked for goal, constraint or costs; None: made before this was kept
    reached: tuple[Reached, ...] = ()
    num_examples: int = 0
    num_positives: int = 0
    num_resamples: int = 0
    note: str = ""
    table: tuple[TradeoffPoint, ...] = ()  # about ten, the chosen one among them
    curve: tuple[TradeoffPoint, ...] = ()  # falling thresholds, so rising recall


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Record):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion(Record):
    """Rows are the true classes, columns the predicted ones, both in the order of ``classes``."""

    split: str
    source: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Record):
    """What one check measured."""

    check: str  # "leakage.seen_texts"
    severity: Severity
    summary: str
    measured: float | None = None
    limit: float | None = None
    examples: tuple[str, ...] = ()  # ids of rows that show it
    fix: str = ""

    @classmethod
    def unknown(cls, check: str, why: str) -> "Finding":
        """The check should have run and could not; this is never a pass."""
        return cls(check=check, severity=Severity.UNKNOWN, summary=why)

    @classmethod
    def not_applicable(cls, check: str, why: str) -> "Finding":
        """The question does not arise."""
        return cls(check=check, severity=Severity.NOT_APPLICABLE, summary=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Record):
    """One sentence of a verdict and the record it rests on."""

    kind: str  # "score", "comparison" or "finding"
    name: str  # the name of that record
    holds: bool | None  # True: passed, False: failed, None: open
    text: str
    metric: str | None = None  # of a comparison: which of those between the two sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Record):
    """The decision, why, and what would settle it."""

    outcome: Outcome
    summary: str  # one sentence for a manager
    reasons: tuple[Reason, ...]
    rows_needed: int | None = None  # further rows; None where none are needed or no number helps
    positives_needed: int | None = None  # about so many of them of the positive class; None where there is no such class
    rows_needed_note: str = ""
    plain_reading: str = ""  # "good", "bad" or "between", with why
    look: int = 1
    policy: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Record):
    """Figures of one model on one set of rows; unpacks to ``loss, accuracy``."""

    schema: int = SCHEMA
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...] = ()
    confusions: tuple[Confusion, ...] = ()

    def __iter__(self) -> Iterator[float]:
        yield self.value("loss")
        yield self.value("accuracy")

    def __str__(self) -> str:
        lines = [f"{s.source:<10} {s.name:<24} {_figure(s.value)}  [{_figure(s.low)}, {_figure(s.high)}]" for s in self.scores]
        pairs = [f"{c.name}: {c.metric} {c.difference:+.3f}, p = {c.p_value:.3g}" for c in self.comparisons]
        return "\n".join([*lines, *pairs])

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison(Record):
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
    has_untuned: bool  # whether the untuned encoder is among the baselines
    seconds: float  # of the whole command, as estimated
    cost: float  # points of accuracy (0.01 each) that it is expected to give up, roughly; the order is what counts
    share_cut: float  # of the texts


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofArm(Record):
    """One fine-tuning of the proof: from which weights, on how many labels, from which seed."""

    source: str  # "pretrained", "random" or "before"
    num_labels: int
    seed: int
    validation_accuracy: float
    test_accuracy: float | None = None  # None until the seal was opened
    best_epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingProof(Record):
    """Whether pre-training paid: the same fine-tuning from other weights, paired on the test rows."""

    schema: int = SCHEMA
    arms: tuple[ProofArm, ...]
    comparisons: tuple[Comparison, ...] = ()  # "pretrained@1000" against "random@1000", ...
    loss_before: float | None = None  # of language modelling, on held-out text of the corpus
    loss_after: float | None = None
    statement: str = ""  # in a sentence or two


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(Record):
    """``run.json``: all that is known of one run; the report is drawn from it and ``trace.jsonl`` alone."""

    schema: int = SCHEMA
    run: str  # name of the folder
    status: str  # "started", "diverged", "trained", "judged"
    task: str = "classify"
    command: str = ""
    identity: str = ""  # digest of the inputs: what "the same command" means
    inputs: dict[str, str] = field(default_factory=dict)  # command, data, contents of its files and every setting, as text
    failure: str = ""  # why there is no model, where training diverged
    created: str = ""  # ISO 8601, UTC
    data_source: str = ""
    model_source: str = ""
    model_licence: str | None = None
    device: str = ""  # "cpu, 2 threads, bf16"
    configs: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    positive: str | None = None
    receipt: Receipt | None = None
    pretraining: PretrainHistory | None = None  # of the model that was fine-tuned; of this run in ``pretrain``
    tokenizer: TokenizerQuality | None = None
    corpus: CorpusReceipt | None = None  # what it was pre-trained on
    language: tuple[Score, ...] = ()  # where a checkpoint was continued: its figures on text before and after
    history: History | None = None
    changes: tuple[Change, ...] = ()  # where training was gone on with after a change (--continue-changed)
    token_counts: tuple[TokenCounts, ...] = ()
    scores: tuple[Score, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    slices: tuple[Slice, ...] = ()  # the worst first
    mistakes: tuple[Mistake, ...] = ()  # the most confident first
    findings: tuple[Finding, ...] = ()
    verdict: Verdict | None = None
    calibration: Calibration | None = None
    threshold: ThresholdChoice | None = None
    budget: BudgetChoice | None = None
    seeds: SeedSpread | None = None  # where several were trained
    proof: PretrainingProof | None = None  # --prove-pretraining
    look: int | None = None
    ledger_head: str | None = None  # hash of the ledger entry of this run's last opening
    first_known_look: bool | None = None  # True where no ledger could say whether the rows were opened before
    digests: dict[str, str] = field(default_factory=dict)  # SHA-256 of the files that the verdict was reached from
    seconds: dict[str, float] = field(default_factory=dict)  # by stage


def _figure(value: float | None) -> str:
    return "    –" if value is None else f"{value:.3f}"


def _encode(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None  # NaN and infinity are null
    return value


def _decode(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None or hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _decode(next(item for item in arguments if item is not type(None)), value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is dict:
        return {key: _decode(arguments[1], item) for key, item in value.items()}
    if is_dataclass(hint) and issubclass(typing.cast(type, hint), Record):
        return typing.cast(type[Record], hint).from_json(value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, (StrEnum, float)) else value
