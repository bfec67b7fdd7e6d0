"""One frozen config a stage: best practice as defaults, checked when built, varied with ``dataclasses.replace``."""

import math
import re
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pretune.errors import UsageError
from pretune.stages import check_epochs


class Config:
    """A frozen dataclass that scikit-learn can search over."""

    __slots__ = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn calls it so
        """Return the fields by name, as scikit-learn expects of a nested parameter."""
        return {item.name: getattr(self, item.name) for item in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Build the config from ``get_params`` after a trip through JSON."""
        return cls(**{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfig(Config):
    """How a table is read."""

    text: tuple[str, ...] = ()  # empty: guessed, and the guess printed
    label: str | None = None
    group: str | None = None
    encoding: str | None = None  # None: UTF-8, or UTF-16 with a byte-order mark
    allow_rejects: bool = False
    require_labels: bool = True


# Share of rejected rows above which a file is more likely misread than dirty.
MAX_REJECTED_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig(Config):
    """How rows are divided. The split depends on the data and ``seed`` only."""

    validation_share: float = 0.15
    test_share: float = 0.15
    seed: int = 0
    near_duplicate_threshold: float = (
        0.8  # similarity of words and word pairs; a few edits count as well, see data/duplicates.py
    )
    keep_leaks: bool = False
    repair: bool = False  # regroup, drop conflicts: see data/repair.py

    def __post_init__(self) -> None:
        _check(0 < self.validation_share < 1, "validation_share", self.validation_share, "a share between 0 and 1")
        _check(0 < self.test_share < 1, "test_share", self.test_share, "a share between 0 and 1")
        total = self.validation_share + self.test_share
        _check(total < 1, "validation_share + test_share", total, "less than 1, so that rows are left to train on")
        threshold = self.near_duplicate_threshold
        _check(0 < threshold <= 1, "near_duplicate_threshold", threshold, "a similarity above 0 and up to 1")
        if self.keep_leaks and self.repair:
            raise UsageError(
                "repair and keep_leaks were both asked for",
                expected="one of them: repair takes leaks out, keep_leaks leaves them",
                fix="leave --keep-leaks out",
            )


AUTO = "auto"
DEFAULT_MAX_LENGTH = 128
# What may choose the best epoch; precision, recall and f1 are those of the positive class.
MONITORS = ("goal", "loss", "accuracy", "macro_f1", "precision", "recall", "f1", "balanced_accuracy", "mcc")
HEADS = ("native", "mlp")
SAMPLINGS = ("all", "balanced")
DECAYS = ("linear", "cosine", "constant")
PRECISIONS = ("auto", "bf16", "fp32")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneConfig(Config):
    """How a pre-trained model is adapted to labelled texts.

    Args:
        learning_rate: Peak rate (AdamW); ``None`` means 5e-5 when all layers are trained, 1e-4 when the last ones
            are, 1e-3 when only the head is, and 5e-4 with ``lora``; ``auto`` finds one by a short range test before training.
        head_learning_rate: Peak rate of the head, where it shall differ.
        layer_decay: Factor on the rate from each layer to the one below it; the embeddings come after the first layer.
        batch_size: Rows a batch; also the most rows that are computed at once.
        accumulate: Batches an update: their losses are summed and divided once, as those of one large batch.
        dropout: Probability in trunk and native head; with the ``mlp`` head, in that head alone. ``None`` keeps the
            checkpoint's own (0.3 in the ``mlp`` head).
        label_smoothing: Share of each target given to all classes alike.
        weight_decay: Decoupled (AdamW), on weight matrices only.
        warmup_share: Share of the planned steps in which the rate rises from 0.
        decay: How the rate falls afterwards: ``linear`` or ``cosine`` to 0 at the last planned step, or ``constant``.
        max_gradient_norm: Clipping; 0 switches it off.
        patience: Epochs without improvement after which training stops.
        min_change: Smallest change of the monitored metric that counts as improvement.
        monitor: One of ``MONITORS``; ``goal`` is macro F1 where unbalanced, else accuracy.
        positive: The class that ``precision``, ``recall`` and ``f1`` as ``monitor`` are about; ``None`` takes ``--positive``
            or chooses (see ``choose_positive``).
        class_weights: Weigh each class by the inverse of its share; ``None`` does so where the rarest class
            has less than half of an equal share.
        sampling: ``all`` (every row once an epoch) or ``balanced``: as many rows, drawn so that the classes come alike;
            classes are then weighed as well only where ``class_weights`` is ``True``.
        ema: Share that the moving average of the weights keeps in each step, such as 0.999; the average is evaluated and
            saved instead of the weights. ``None`` averages nothing.
        max_length: Tokens a text, special ones included; the rest is cut, counted and reported. ``None`` means 128, or
            what a budget chooses.
        head: ``native`` (the architecture's own) or ``mlp`` (masked mean, dense 64, ReLU, output).
        head_size: Width of the ``mlp`` head's hidden layer.
        precision: ``auto`` takes bf16 where the processor has instructions for it.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads of the process; ``None`` leaves it to torch.
        calibrate: Whether logits may be divided by a temperature where validation shows poor calibration.
        keep_trunk: Whether what a frozen trunk makes of the texts is kept in the cache folder for later runs.
        lora: Rank of low-rank adapters, which then learn in place of the layers above the freeze boundary; needs peft.
        lora_alpha: What adapters add is scaled by this over the rank; ``None`` means twice the rank.
        compile: Send the layers through ``torch.compile``: a minute before the first step, worth it on a GPU.
    """

    learning_rate: float | str | None = None
    head_learning_rate: float | None = None
    layer_decay: float = 1.0
    batch_size: int = 32
    accumulate: int = 1
    dropout: float | None = None
    label_smoothing: float = 0.0
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    decay: str = "linear"
    max_gradient_norm: float = 1.0
    patience: int = 3
    min_change: float = 0.0
    monitor: str = "goal"
    positive: str | None = None
    class_weights: bool | None = None
    sampling: str = "all"
    ema: float | None = None
    max_length: int | None = None
    head: str = "native"
    head_size: int = 64
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    calibrate: bool = True
    keep_trunk: bool = True
    lora: int | None = None
    lora_alpha: float | None = None
    compile: bool = False

    def __post_init__(self) -> None:
        rate, head_rate = self.learning_rate, self.head_learning_rate
        is_rate = rate == AUTO if isinstance(rate, str) else rate is None or 0 < rate < math.inf
        _check(is_rate, "learning_rate", rate, f"a positive rate such as 5e-5, or {AUTO}")
        _check(head_rate is None or head_rate > 0, "head_learning_rate", head_rate, "a positive rate, such as 5e-5")
        _check(0 < self.layer_decay <= 1, "layer_decay", self.layer_decay, "a factor above 0 and up to 1 (off), such as 0.9")
        if rate == AUTO and head_rate is not None:
            raise UsageError(
                f"head_learning_rate is {head_rate}, and the other rate is to be found",
                expected="a range test that moves all rates together",
                fix="leave head_learning_rate out, or give both rates",
            )
        _check(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        _check(self.ema is None or 0 < self.ema < 1, "ema", self.ema, "a share between 0 and 1, such as 0.999")
        _check(self.accumulate >= 1, "accumulate", self.accumulate, "at least 1 batch an update")
        _check(self.dropout is None or 0 <= self.dropout < 1, "dropout", self.dropout, "a share from 0 to below 1")
        _check(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, "a share from 0 to below 1")
        _check(self.weight_decay >= 0, "weight_decay", self.weight_decay, "0 or more")
        rates = (rate for rate in (self.learning_rate, self.head_learning_rate) if isinstance(rate, (int, float)))
        taken = max(rates, default=0.0) * self.weight_decay
        _check(taken < 1, "learning_rate × weight_decay", taken, "less than 1: an update takes that share of each weight away")
        _check(0 <= self.warmup_share < 1, "warmup_share", self.warmup_share, "a share from 0 to below 1")
        _check(self.max_gradient_norm >= 0, "max_gradient_norm", self.max_gradient_norm, "0 (off) or more")
        _check(self.patience >= 1, "patience", self.patience, "at least 1 epoch")
        _check(self.max_length is None or self.max_length >= 4, "max_length", self.max_length, "at least 4 tokens")
        _check(self.head_size >= 1, "head_size", self.head_size, "at least 1")
        _check(self.threads is None or self.threads >= 1, "threads", self.threads, "at least 1")
        _check(self.lora is None or self.lora >= 1, "lora", self.lora, "a rank of at least 1, such as 8")
        scale, fits = self.lora_alpha, self.lora_alpha is None or (self.lora_alpha > 0 and self.lora is not None)
        _check(fits, "lora_alpha", scale, "a positive number, beside a lora rank")
        choices = {
            "monitor": MONITORS, "head": HEADS, "decay": DECAYS, "precision": PRECISIONS, "sampling": SAMPLINGS
        }  # fmt: skip
        for name, known in choices.items():
            _check(getattr(self, name) in known, name, getattr(self, name), "one of " + ", ".join(known))

    @property
    def rows_per_update(self) -> int:
        """Rows from which one update learns."""
        return self.batch_size * self.accumulate


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfig(Config):
    """By what a model is judged.

    Args:
        positive: The class that precision and recall are about; ``None`` chooses (see ``choose_positive``).
        goal: One of the policy's goals; ``None`` takes the policy's own. The threshold is chosen for it.
        keep: What precision or recall must reach on validation meanwhile, such as ``recall=0.95``.
        cost: What mistakes cost, such as ``fn=10,fp=1``; the goal is then ``cost``.
        min_precision: Replaces the policy's gate, as ``min_recall`` and ``min_accuracy`` do.
        policy: A TOML file in place of the default policy.
        encoder_linear: Whether the untuned encoder under a logistic regression is among the baselines.
        thorough: Whether to train three more models, so that every training row is judged by one that did not see it.
    """

    positive: str | None = None
    goal: str | None = None
    keep: str | None = None
    cost: str | None = None
    min_precision: float | None = None
    min_recall: float | None = None
    min_accuracy: float | None = None
    policy: str | None = None
    encoder_linear: bool = True
    thorough: bool = False


DOCUMENTS = ("blank", "line", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig(Config):
    """How raw text becomes a corpus to pre-train on.

    Args:
        document: What ends a document of a text file: a ``blank`` line (or an article, where the file has the headings of
            WikiText), every ``line``, or the end of the ``file``.
        text: Columns of the text, in JSON lines and tables; empty: guessed, and the guess told.
        encoding: Of text files; ``None``: UTF-8, or UTF-16 with a byte-order mark.
        allow_rejects: Go on where more than ``MAX_REJECTED_SHARE`` of the documents, or any file of a folder, cannot be read.
        min_words: Documents of fewer words are dropped.
        boilerplate: Documents in which a line must stand to be dropped from all of them; ``None`` means 20, or one in 500
            where that is more; 0 keeps every line. Lines of fewer than three words, and documents of one line, stay.
        near_duplicate_threshold: Jaccard similarity from which a text is nearly one before it, and dropped; ``None`` keeps it.
        validation: A file of its own with held-out documents.
        validation_share: Share of the documents that is held out otherwise, within the bounds of ``data/corpus/hold_out.py``.
        workers: Processes; ``None`` takes one a core where there is enough to do. What comes out is the same.
    """

    document: str = "blank"
    text: tuple[str, ...] = ()
    encoding: str | None = None
    allow_rejects: bool = False
    min_words: int = 5
    boilerplate: int | None = None
    near_duplicate_threshold: float | None = 0.8
    validation: str | None = None
    validation_share: float = 0.01
    workers: int | None = None

    def __post_init__(self) -> None:
        _check(self.document in DOCUMENTS, "document", self.document, "one of " + ", ".join(DOCUMENTS))
        _check(self.min_words >= 1, "min_words", self.min_words, "at least 1 word")
        repeats, near = self.boilerplate, self.near_duplicate_threshold
        _check(repeats is None or repeats == 0 or repeats >= 2, "boilerplate", repeats, "0 (off), or 2 documents or more")
        _check(near is None or 0.5 <= near <= 1, "near_duplicate_threshold", near, "a similarity from 0.5 to 1")
        _check(0 < self.validation_share < 0.5, "validation_share", self.validation_share, "a share between 0 and 0.5")
        _check(self.workers is None or self.workers >= 1, "workers", self.workers, "at least 1 process")


TOKENIZERS = ("wordpiece", "bpe")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerConfig(Config):
    """How a vocabulary is learned from text.

    Args:
        kind: ``wordpiece`` (pieces of words; for masked models) or ``bpe`` (byte-level, so nothing is unknown; for causal).
        vocab_size: Tokens, special ones included; rounded up to a multiple of 64.
        lowercase: Fold case and accents before anything else; ``None`` does so for ``wordpiece``, as BERT uncased.
        max_bytes: Text that is learned from, at most; of more, an even sample of the documents is taken.
    """

    kind: str = "wordpiece"
    vocab_size: int = 8192
    lowercase: bool | None = None
    max_bytes: int = 32_000_000

    def __post_init__(self) -> None:
        _check(self.kind in TOKENIZERS, "kind", self.kind, "one of " + ", ".join(TOKENIZERS))
        _check_vocabulary(self.vocab_size)
        _check(self.max_bytes >= 100_000, "max_bytes", self.max_bytes, "at least 100,000 bytes of text")


def _check_vocabulary(size: int) -> None:
    _check(512 <= size <= 262_144, "vocab_size", size, "a size from 512 to 262,144")


OBJECTIVES = ("masked", "causal")
SIZES = ("tiny", "small", "base")
OPTIMIZERS = ("muon", "adamw")


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig(Config):
    """How a language model learns from raw text.

    Args:
        objective: ``masked`` (hidden words) or ``causal`` (next words); ``None`` takes the continued model's, else ``masked``.
        size: Of a model from scratch: ``tiny``, ``small`` or ``base``.
        architecture: Fields of its configuration to set besides, such as ``num_hidden_layers=8``.
        vocab_size: Tokens of a vocabulary from scratch; ``None`` takes the size's.
        window: Tokens that are read together.
        whole_documents: Read documents whole, cut at ``window`` and padded, in place of slices of the packed stream.
        mask_share: Share of the tokens that are hidden; ``None`` means 0.3 from scratch and 0.15 when continued.
        next_word_share: Share of the steps of a masked model from scratch in which it predicts next words first, looking back
            only. Every token then teaches something, and the way from a word to its neighbours is found much sooner.
        keep_some: Of those, replace a tenth by random tokens and leave a tenth (the 80/10/10 rule), in place of hiding all.
        whole_words: Hide all tokens of a word or none.
        batch_tokens: Tokens an update.
        learning_rate: Peak rate; ``None`` means 3e-3 with ``muon``, 1e-3 with ``adamw`` from scratch, and 1e-4 when continued.
        optimizer: ``muon`` for the matrices of layers, or ``adamw`` for all; ``None`` means muon from scratch, else adamw.
        weight_decay: Decoupled, on weight matrices only.
        warmup_share: Share of the steps in which the rate rises from 0.
        decay: How it falls afterwards: ``linear``, ``cosine`` or ``constant``.
        max_gradient_norm: Clipping; 0 switches it off.
        dropout: Probability; 0 as far as texts are not read many times.
        num_milestones: How often held-out text is scored, after the first time.
        validation_tokens: Held-out tokens that are scored each time, at most.
        precision: ``auto`` takes bf16 where the processor has instructions for it.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads of the process; ``None`` leaves it to torch.
        compile: Send the layers through ``torch.compile``; ``None`` does so on a GPU.
    """

    objective: str | None = None
    size: str = "small"
    architecture: tuple[str, ...] = ()
    vocab_size: int | None = None
    window: int = 128
    whole_documents: bool = False
    mask_share: float | None = None
    next_word_share: float = 0.4
    keep_some: bool = False
    whole_words: bool = False
    batch_tokens: int = 4096
    learning_rate: float | None = None
    optimizer: str | None = None
    weight_decay: float = 0.05
    warmup_share: float = 0.05
    decay: str = "linear"
    max_gradient_norm: float = 1.0
    dropout: float = 0.0
    num_milestones: int = 10
    validation_tokens: int = 65_536
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    compile: bool | None = None

    def __post_init__(self) -> None:
        _check(self.objective in (None, *OBJECTIVES), "objective", self.objective, "one of " + ", ".join(OBJECTIVES))
        _check(self.optimizer in (None, *OPTIMIZERS), "optimizer", self.optimizer, "one of " + ", ".join(OPTIMIZERS))
        for name, known in {"size": SIZES, "decay": DECAYS, "precision": PRECISIONS}.items():
            _check(getattr(self, name) in known, name, getattr(self, name), "one of " + ", ".join(known))
        for item in self.architecture:
            _check(item.count("=") == 1, "architecture", item, "FIELD=VALUE, such as num_hidden_layers=8")
        _check_vocabulary(self.vocab_size or 512)
        _check(8 <= self.window <= 8192, "window", self.window, "8 to 8,192 tokens")
        share, rate = self.mask_share, self.learning_rate
        _check(share is None or 0.01 <= share <= 0.9, "mask_share", share, "a share from 0.01 to 0.9; 0.15 to 0.40 is usual")
        _check(rate is None or 0 < rate < 1, "learning_rate", rate, "a positive rate below 1, such as 1e-3")
        _check(0 <= self.next_word_share < 1, "next_word_share", self.next_word_share, "a share from 0 to below 1")
        _check(self.batch_tokens >= self.window, "batch_tokens", self.batch_tokens, f"at least one window of {self.window}")
        _check(0 <= self.weight_decay < 10, "weight_decay", self.weight_decay, "0 or more")
        _check(0 <= self.warmup_share < 1, "warmup_share", self.warmup_share, "a share from 0 to below 1")
        _check(self.max_gradient_norm >= 0, "max_gradient_norm", self.max_gradient_norm, "0 (off) or more")
        _check(0 <= self.dropout < 1, "dropout", self.dropout, "a share from 0 to below 1")
        _check(self.num_milestones >= 1, "num_milestones", self.num_milestones, "at least 1")
        _check(self.validation_tokens >= 1, "validation_tokens", self.validation_tokens, "at least 1")
        _check(self.threads is None or self.threads >= 1, "threads", self.threads, "at least 1")

    @property
    def windows_per_update(self) -> int:
        """Windows from which one update learns."""
        return max(1, self.batch_tokens // self.window)


SCORE_OF = ("predicted", "positive")
TASKS = ("classify", "generate")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig(Config):
    """How a table of predictions is read and judged. Columns that are not named are guessed, and the guess printed.

    Args:
        task: ``classify`` or ``generate``; ``None`` tells by the columns.
        id: Column that names the rows; their numbers in the file otherwise.
        predicted: Column with the predicted class.
        score: Column with one probability a row.
        score_of: Whose probability that is: of the ``predicted`` class, or of the ``positive`` one.
        threshold: Score from which the positive class is predicted, where no column says what was; ``None`` is 0.5.
        logits: The numbers in the columns of classes are logits; their softmax is taken.
        reference: Column with the wanted text.
        hypothesis: Column with the generated text.
        min_bleu: What corpus BLEU (0 to 100) must reach with its whole interval.
        min_chrf: The same of chrF.
        seed: Of the linear baseline's hold-out; that of a run gives the run's baseline.
        read: Names of the columns of text and label, encoding, rejects.
        judge: Positive class, goal, gates, policy.
    """

    task: str | None = None
    id: str | None = None
    predicted: str | None = None
    score: str | None = None
    score_of: str | None = None
    threshold: float | None = None
    logits: bool = False
    reference: str | None = None
    hypothesis: str | None = None
    min_bleu: float | None = None
    min_chrf: float | None = None
    seed: int = 0
    read: ReadConfig = field(default_factory=ReadConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)

    def __post_init__(self) -> None:
        _check(self.task is None or self.task in TASKS, "task", self.task, "one of " + ", ".join(TASKS))
        _check(self.score_of is None or self.score_of in SCORE_OF, "score_of", self.score_of, "one of " + ", ".join(SCORE_OF))
        _check(self.threshold is None or 0 < self.threshold < 1, "threshold", self.threshold, "a share between 0 and 1")
        for name in ("min_bleu", "min_chrf"):
            value = getattr(self, name)
            _check(value is None or 0 < value < 100, name, value, "a number between 0 and 100, as sacrebleu counts")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig(Config):
    """Everything that a run is made from besides its data.

    Args:
        model: Catalogue name, folder or hub id.
        epochs: At most this many; ``None`` leaves it to early stopping.
        freeze: ``none``, ``all``, ``last-K``, ``gradual``, stages such as ``all:2,last-2:1@1e-6`` (see ``plan_stages``),
            or ``auto``: all layers are trained where the processor has bf16 instructions, the last two elsewhere.
        seed: Of initial head weights, dropout and the order of rows.
        seeds: Trainings, with this seed and those that follow it; the best on validation is kept.
        budget: Time for the whole command, such as ``90s``, ``5m`` or ``1h``: what is trained, how long and how much of each
            text is then chosen so that it ends in time, as far as it was not given.
        prove: Whether the same fine-tuning is made from random weights and from the checkpoint before pre-training as well.
        general_task: A labelled table or catalogue name: how much of it the language model has forgotten is measured.
    """

    model: str = "minilm"
    epochs: int | None = None
    freeze: str = "auto"
    seed: int = 0
    seeds: int = 1
    read: ReadConfig = field(default_factory=ReadConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    finetune: FinetuneConfig = field(default_factory=FinetuneConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)
    validation: str | None = None  # file with rows of their own
    test: str | None = None
    budget: str | None = None
    prove: bool = False
    general_task: str | None = None

    def __post_init__(self) -> None:
        _check(self.epochs is None or self.epochs >= 1, "epochs", self.epochs, "at least 1")
        _check(self.general_task is None or self.prove, "general_task", self.general_task, "--prove-pretraining beside it")
        if self.freeze != "auto":
            check_epochs(self.freeze, self.epochs)
        _check(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        _check(self.freeze != "all" or not self.finetune.lora, "freeze", self.freeze, "none or last-K beside --lora")
        if self.budget is not None:
            parse_duration(self.budget)
            is_open = self.freeze == AUTO and self.finetune.lora is not None
            _check(
                not is_open, "freeze", self.freeze, "none or last-K beside --lora and --budget, which may choose the head alone"
            )
        is_staged = self.freeze == "gradual" or any(sign in self.freeze for sign in ",:@")
        if is_staged and (self.budget is not None or self.finetune.learning_rate == AUTO):
            raise UsageError(
                f"freeze is {self.freeze!r}, which are stages, with "
                + ("a budget" if self.budget is not None else "--lr auto"),
                expected="stages alone, which say themselves what is trained, how long and at which rate",
                fix="leave one of them out; a stage takes its rate as in last-2:1@1e-6",
            )

    @property
    def given(self) -> dict[str, str | None]:
        """Files with validation or test rows of their own."""
        return {"validation": self.validation, "test": self.test}

    def to_json(self) -> dict[str, Any]:
        """Return nested dicts, for ``run.json``."""
        return {name: value.get_params() if isinstance(value, Config) else value for name, value in self.get_params().items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Build the config from what ``to_json`` returned, also after a trip through JSON."""
        parts: dict[str, type[Config]] = {
            "read": ReadConfig, "split": SplitConfig, "finetune": FinetuneConfig, "judge": JudgeConfig
        }  # fmt: skip
        values: dict[str, Any] = {name: parts[name].from_json(item) if name in parts else item for name, item in value.items()}
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainRunConfig(Config):
    """Everything that a pre-training is made from besides its corpus.

    Args:
        model: What is continued: catalogue name, folder, run or hub id; ``None`` starts from nothing.
        epochs: Times that the text is read; where neither this nor one of the next two is given, 5 from scratch, else 1.
        tokens: Tokens to read in all, instead.
        budget: Time for the whole command, instead.
        seed: Of the first weights, the order of windows and of what is hidden.
        keep_out: A table or folder of labelled texts: documents that share text with it are taken out of the corpus.
        general: A corpus whose loss is measured before and after, to see what is forgotten.
        watch: Prompts whose guesses are shown at every milestone.
    """

    model: str | None = None
    epochs: float | None = None
    tokens: int | None = None
    budget: str | None = None
    seed: int = 0
    keep_out: tuple[str, ...] = ()
    general: str | None = None
    watch: tuple[str, ...] = ()
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)

    def __post_init__(self) -> None:
        _check(self.epochs is None or 0 < self.epochs <= 10_000, "epochs", self.epochs, "a number above 0")
        _check(self.tokens is None or self.tokens >= 1, "tokens", self.tokens, "at least 1")
        if self.budget is not None:
            parse_duration(self.budget)
        given = [name for name in ("epochs", "tokens", "budget") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(
                f"{' and '.join(given)} were given", expected="one of them: each says how long", fix="leave the others out"
            )

    def to_json(self) -> dict[str, Any]:
        """Return nested dicts, for ``run.json``."""
        return {name: value.get_params() if isinstance(value, Config) else value for name, value in self.get_params().items()}


# Named ways to train: changes to the default RunConfig, sections as in a --config file.
RECIPES: dict[str, dict[str, Any]] = {
    # The published movie-review recipe: trunk frozen, pooled head, Adam at 1e-5, early stopping on validation loss.
    "frozen": {
        "freeze": "all",
        "epochs": 20,
        "finetune": {
            "head": "mlp", "head_size": 64, "dropout": 0.3, "learning_rate": 1e-5, "weight_decay": 0.0, "batch_size": 32,
            "warmup_share": 0.0, "decay": "constant", "monitor": "loss", "patience": 3, "class_weights": False,
        },
    },
}  # fmt: skip


_DURATION = re.compile(r"(?=.)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def parse_duration(text: str) -> float:
    """Return the seconds that ``90s``, ``5m``, ``1h`` or ``1h30m`` are.

    Raises:
        UsageError: It is none of these, or no time at all.

    Example:
        >>> parse_duration("1h30m")
        5400.0
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = sum(float(part or 0) * size for part, size in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
    _check(seconds > 0, "budget", text, "a time with its unit, such as 90s, 5m, 1h or 1h30m")
    return seconds


def _check(holds: bool, name: str, got: Any, expected: str) -> None:
    if not holds:
        raise UsageError(f"{name} is {got!r}", expected=expected, fix=f"pass a {name} in that range")
