"""Settings: how a classifier is fine-tuned."""

import math
from dataclasses import dataclass

from pretune.configs.base import MAX_BATCH, MAX_THREADS, Config, check, check_count
from pretune.errors import UsageError

AUTO = "auto"


DEFAULT_MAX_LENGTH = 128


# What may choose the best epoch; precision, recall and f1 are those of the positive class.
LAST = "last"  # no epoch is chosen: the last one is kept, and none ends the training early
MONITORS = ("goal", LAST, "loss", "accuracy", "macro_f1", "precision", "recall", "f1", "balanced_accuracy", "mcc")


HEADS = ("native", "mlp")


POOLINGS = ("auto", "own")


SAMPLINGS = ("all", "balanced")


DECAYS = ("linear", "cosine", "constant")


PRECISIONS = ("auto", "bf16", "fp32")


def check_shard(shard: bool | int, compiled: bool | None) -> None:
    """Check how weights are to lie in parts.

    Raises:
        UsageError: On too few processes, or together with compiled layers.
    """
    check(isinstance(shard, bool) or shard >= 2, "shard", shard, "true, or how many processes hold the parts: 2 or more")
    if shard and compiled:
        raise UsageError("shard is on together with compile true", expected="one of them", fix="leave one of them out")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneConfig(Config):
    """How a pre-trained model is adapted to labelled texts.

    Args:
        learning_rate: Peak learning rate (AdamW); ``None`` means 5e-5 when training all layers, 1e-4 the last ones, 1e-3
            only the head, and 5e-4 with ``lora``; all layers under a head that begins as a regression (``pooling``) have
            1e-4, and that head 1e-3; ``auto`` finds one with a short range test before training.
        head_learning_rate: Peak learning rate of the head, if it should differ.
        layer_decay: Factor on the rate from each layer to the one below it; the embeddings come below the first layer.
        batch_size: Rows per batch, which is also the most rows computed at once.
        accumulate: Batches per update; their losses are summed and divided once, like those of one large batch.
        dropout: Dropout probability in trunk and native head; with the ``mlp`` head, in that head alone. ``None`` keeps the
            checkpoint's own (0.3 in the ``mlp`` head).
        label_smoothing: Share of each target given to all classes alike.
        weight_decay: Decoupled weight decay (AdamW), on weight matrices only.
        warmup_share: Share of the planned steps in which the rate rises from 0.
        decay: How the rate falls afterwards: ``linear`` or ``cosine`` to 0 at the last planned step, or ``constant``.
        max_gradient_norm: Maximum gradient norm; 0 switches clipping off.
        patience: Epochs without improvement after which training stops.
        min_change: Smallest change of the monitored metric that counts as improvement.
        monitor: One of ``MONITORS``; ``goal`` is macro F1 if the classes are unbalanced, else accuracy, and ``last`` with fewer
            than 200 validation rows; ``last`` keeps the last epoch and never stops early.
        positive: The class that ``precision``, ``recall`` and ``f1`` refer to as ``monitor``; ``None`` takes ``--positive``
            or chooses one (see ``choose_positive``).
        class_weights: Weight each class by the inverse of its share; ``None`` does so if the rarest class has less than
            half of an equal share.
        sampling: ``all`` (every row once per epoch) or ``balanced`` (as many rows, drawn so that all classes are equally
            frequent; classes are then weighted only if ``class_weights`` is ``True``).
        ema: Share that the moving average of the weights keeps in each step, such as 0.999; the average is evaluated and
            saved instead of the weights. ``None`` turns averaging off.
        max_length: Maximum tokens per text, including special ones; longer texts are truncated, counted and reported.
            ``None`` means 128, or the length that a budget chooses; a run that leaves ``freeze`` and ``epochs`` open reads up
            to 512 where over 5 % of the texts are longer and the table is small (``tasks/classify/boundary.py``).
        head: ``native`` (the architecture's own) or ``mlp`` (masked mean, dense 64, ReLU, output).
        head_size: Width of the ``mlp`` head's hidden layer.
        pooling: What a native head reads: ``auto``, the mean where the checkpoint was made for it (the head then begins as a
            regression over such means), or ``own``, what its architecture has it read.
        precision: ``auto`` takes bf16 if the processor has instructions for it.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads of the process; ``None`` leaves the number to torch.
        calibrate: Whether logits may be divided by a temperature if validation shows poor calibration.
        keep_trunk: Whether to keep the frozen trunk's output for the texts in the cache folder, for later runs.
        lora: Rank of low-rank adapters, which are trained instead of the layers above the freeze boundary; needs peft.
        lora_alpha: The adapters' output is scaled by ``lora_alpha / lora``; ``None`` means twice the rank.
        shard: With several processes, let each hold a part of the trained weights, their gradients and their moments. A
            number shares the parts among that many processes, and the next ones hold the same parts again.
        compile: Compile the layers with ``torch.compile``: costs a minute before the first step, and pays off on a GPU.
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
    pooling: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    calibrate: bool = True
    keep_trunk: bool = True
    lora: int | None = None
    lora_alpha: float | None = None
    shard: bool | int = False
    compile: bool = False

    def __post_init__(self) -> None:
        self.check_kinds()
        rate, head_rate = self.learning_rate, self.head_learning_rate
        is_rate = rate == AUTO if isinstance(rate, str) else rate is None or 0 < rate < math.inf
        check(is_rate, "learning_rate", rate, f"a positive rate such as 5e-5, or {AUTO}")
        check(head_rate is None or head_rate > 0, "head_learning_rate", head_rate, "a positive rate, such as 5e-5")
        check(0 < self.layer_decay <= 1, "layer_decay", self.layer_decay, "a factor above 0 and up to 1 (off), such as 0.9")
        if rate == AUTO and head_rate is not None:
            raise UsageError(
                f"head_learning_rate is {head_rate}, but learning_rate is {AUTO}",
                expected="a range test, which scales all rates together",
                fix="leave head_learning_rate out, or give both rates",
            )
        check_count(self.batch_size, "batch_size", most=MAX_BATCH)
        check(self.ema is None or 0 < self.ema < 1, "ema", self.ema, "a share between 0 and 1, such as 0.999")
        check_count(self.accumulate, "accumulate", most=MAX_BATCH, of="batches per update")
        check(self.dropout is None or 0 <= self.dropout < 1, "dropout", self.dropout, "a share from 0 to below 1")
        check(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, "a share from 0 to below 1")
        check(self.weight_decay >= 0, "weight_decay", self.weight_decay, "0 or more")
        rates = (rate for rate in (self.learning_rate, self.head_learning_rate) if isinstance(rate, (int, float)))
        taken = max(rates, default=0.0) * self.weight_decay
        check(taken < 1, "learning_rate × weight_decay", taken, "less than 1: an update takes that share of each weight away")
        check(0 <= self.warmup_share < 1, "warmup_share", self.warmup_share, "a share from 0 to below 1")
        check(self.max_gradient_norm >= 0, "max_gradient_norm", self.max_gradient_norm, "0 (off) or more")
        check(self.min_change >= 0, "min_change", self.min_change, "0 or more")
        check_count(self.patience, "patience", of="epochs")
        check_count(self.max_length, "max_length", least=4, most=1_000_000, of="tokens")
        check_count(self.head_size, "head_size", most=65_536)
        check_count(self.threads, "threads", most=MAX_THREADS)
        check_count(self.lora, "lora", most=4_096, of="(a rank such as 8)")
        scale, fits = self.lora_alpha, self.lora_alpha is None or (self.lora_alpha > 0 and self.lora is not None)
        check(fits, "lora_alpha", scale, "a positive number, with a LoRA rank (lora)")
        check_shard(self.shard, self.compile)
        choices = {
            "monitor": MONITORS,
            "head": HEADS,
            "pooling": POOLINGS,
            "decay": DECAYS,
            "precision": PRECISIONS,
            "sampling": SAMPLINGS,
        }
        for name, known in choices.items():
            check(getattr(self, name) in known, name, getattr(self, name), "one of " + ", ".join(known))

    @property
    def rows_per_update(self) -> int:
        """Rows from which one update learns."""
        return self.batch_size * self.accumulate
