"""One frozen config a stage: best practice as defaults, checked when built, varied with ``dataclasses.replace``."""

from dataclasses import dataclass, fields
from typing import Any, Self

from pretune.errors import UsageError


class Config:
    """A frozen dataclass that scikit-learn can search over."""

    __slots__ = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
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
    near_duplicate_threshold: float = 0.8  # Jaccard similarity of word shingles, see docs/decisions/0003
    keep_leaks: bool = False

    def __post_init__(self) -> None:
        _check(0 < self.validation_share < 1, "validation_share", self.validation_share, "a share between 0 and 1")
        _check(0 < self.test_share < 1, "test_share", self.test_share, "a share between 0 and 1")
        total = self.validation_share + self.test_share
        _check(total < 1, "validation_share + test_share", total, "less than 1, so that rows are left to train on")
        threshold = self.near_duplicate_threshold
        _check(0 < threshold <= 1, "near_duplicate_threshold", threshold, "a similarity above 0 and up to 1")


MONITORS = ("goal", "loss", "accuracy", "macro_f1")
HEADS = ("native", "mlp")
DECAYS = ("linear", "cosine", "constant")
PRECISIONS = ("auto", "bf16", "fp32")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneConfig(Config):
    """How a pre-trained model is adapted to labelled texts.

    Args:
        learning_rate: Peak rate of the trunk's layers (AdamW).
        head_learning_rate: Peak rate of the head; ``None`` means ``learning_rate`` when layers are trained,
            and 1e-3 when only the head is.
        batch_size: Rows an update.
        dropout: Probability inside the trunk and before the head; ``None`` keeps the checkpoint's own.
        label_smoothing: Share of each target given to all classes alike.
        weight_decay: Decoupled (AdamW), on weight matrices only.
        warmup_share: Share of the planned steps in which the rate rises from 0.
        decay: How the rate falls afterwards: ``linear`` or ``cosine`` to 0 over ``decay_epochs``, or ``constant``.
        max_gradient_norm: Clipping; 0 switches it off.
        patience: Epochs without improvement after which training stops.
        min_change: Smallest change of the monitored metric that counts as improvement.
        monitor: ``goal`` (macro F1 where unbalanced, else accuracy), ``loss``, ``accuracy`` or ``macro_f1``.
        class_weights: Weigh each class by the inverse of its share; ``None`` does so where the rarest class
            has less than half of an equal share.
        max_length: Tokens a text, special ones included; the rest is cut, counted and reported.
        freeze: ``none``, ``all`` or ``last-K`` (train the head and the last K layers).
        head: ``native`` (the architecture's own) or ``mlp`` (masked mean, dense 64, ReLU, output).
        head_size: Width of the ``mlp`` head's hidden layer.
        precision: ``auto`` takes bf16 where the processor has instructions for it.
    """

    learning_rate: float = 5e-5
    head_learning_rate: float | None = None
    batch_size: int = 32
    dropout: float | None = None
    label_smoothing: float = 0.0
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    decay: str = "linear"
    max_gradient_norm: float = 1.0
    patience: int = 3
    min_change: float = 0.0
    monitor: str = "goal"
    class_weights: bool | None = None
    max_length: int = 128
    freeze: str = "none"
    head: str = "native"
    head_size: int = 64
    precision: str = "auto"

    def __post_init__(self) -> None:
        _check(self.learning_rate > 0, "learning_rate", self.learning_rate, "a positive rate, such as 5e-5")
        rate = self.head_learning_rate
        _check(rate is None or rate > 0, "head_learning_rate", rate, "a positive rate, such as 1e-3")
        _check(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        _check(self.dropout is None or 0 <= self.dropout < 1, "dropout", self.dropout, "a share from 0 to below 1")
        _check(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, "a share from 0 to below 1")
        _check(self.weight_decay >= 0, "weight_decay", self.weight_decay, "0 or more")
        _check(0 <= self.warmup_share < 1, "warmup_share", self.warmup_share, "a share from 0 to below 1")
        _check(self.max_gradient_norm >= 0, "max_gradient_norm", self.max_gradient_norm, "0 (off) or more")
        _check(self.patience >= 1, "patience", self.patience, "at least 1 epoch")
        _check(self.max_length >= 4, "max_length", self.max_length, "at least 4 tokens")
        _check(self.head_size >= 1, "head_size", self.head_size, "at least 1")
        for name, known in (("monitor", MONITORS), ("head", HEADS), ("decay", DECAYS), ("precision", PRECISIONS)):
            _check(getattr(self, name) in known, name, getattr(self, name), "one of " + ", ".join(known))
        _check(_is_freeze(self.freeze), "freeze", self.freeze, "none, all or last-K with K ≥ 1, such as last-2")


def _is_freeze(value: str) -> bool:
    kind, _, count = str(value).partition("-")
    return value in ("none", "all") or (kind == "last" and count.isdigit() and int(count) >= 1)


def _check(holds: bool, name: str, got: Any, expected: str) -> None:
    if not holds:
        raise UsageError(f"{name} is {got!r}", expected=expected, fix=f"pass a {name} in that range")
