"""Settings: how a vocabulary is learned and a language model is pre-trained."""

from dataclasses import dataclass

from pretune.configs.base import MAX_COUNT, MAX_THREADS, Config, check, check_count
from pretune.configs.finetune import DECAYS, PRECISIONS, check_shard

TOKENIZERS = ("wordpiece", "bpe")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerConfig(Config):
    """How a vocabulary is learned from text.

    Args:
        kind: ``wordpiece`` (pieces of words; for masked models) or ``bpe`` (byte-level, so nothing is unknown; for causal).
        vocab_size: Number of tokens, including special ones; rounded up to a multiple of 64.
        lowercase: Fold case and accents first; ``None`` does so for ``wordpiece``, like BERT uncased.
        max_bytes: Maximum bytes of text to learn from; a larger corpus is sampled evenly.
    """

    kind: str = "wordpiece"
    vocab_size: int = 8192
    lowercase: bool | None = None
    max_bytes: int = 32_000_000

    def __post_init__(self) -> None:
        self.check_kinds()
        check(self.kind in TOKENIZERS, "kind", self.kind, "one of " + ", ".join(TOKENIZERS))
        _check_vocabulary(self.vocab_size)
        check_count(self.max_bytes, "max_bytes", least=100_000, most=MAX_COUNT**2, of="bytes of text")


def _check_vocabulary(size: int) -> None:
    check(512 <= size <= 262_144, "vocab_size", size, "a size from 512 to 262,144")


OBJECTIVES = ("masked", "causal")


SIZES = ("tiny", "small", "base")


OPTIMIZERS = ("muon", "adamw")


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig(Config):
    """How a language model learns from raw text.

    Args:
        objective: ``masked`` (hidden words) or ``causal`` (next words); ``None`` takes the continued model's, else ``masked``.
        size: Size of a model trained from scratch: ``tiny``, ``small`` or ``base``.
        architecture: Further fields of its configuration, such as ``num_hidden_layers=8``.
        vocab_size: Size of a new vocabulary; ``None`` takes the default of ``size``.
        window: Tokens per training window.
        whole_documents: Read whole documents, truncated at ``window`` and padded, instead of slices of the packed stream.
        mask_share: Share of the tokens to hide; ``None`` means 0.3 from scratch and 0.15 for a continued model.
        next_word_share: Share of the steps of a masked model from scratch in which it predicts next words first, looking back
            only. Every token then gives a target, and the model learns to relate words to their neighbours much sooner.
        head_share: Share of the steps in which a new head for words is trained alone, above frozen layers. Its first large
            updates then do not harm the layers, and what they could do before is measured.
        keep_some: Replace a tenth of the hidden tokens by random ones and keep a tenth (the 80/10/10 rule); else hide all.
        whole_words: Hide all tokens of a word or none.
        batch_tokens: Tokens per update.
        learning_rate: Peak learning rate; ``None`` means 3e-3 with ``muon``, 1e-3 with ``adamw`` from scratch, and 1e-4 for a
            continued model.
        optimizer: ``muon`` for the matrices of layers, or ``adamw`` for all; ``None`` means muon from scratch, else adamw.
        weight_decay: Decoupled weight decay, on weight matrices only.
        warmup_share: Share of the steps in which the rate rises from 0.
        decay: How the rate falls afterwards: ``linear``, ``cosine`` or ``constant``.
        max_gradient_norm: Maximum gradient norm; 0 switches clipping off.
        dropout: Dropout probability; 0 suits texts that are not read many times.
        num_milestones: How often held-out text is scored after the first time.
        validation_tokens: Maximum held-out tokens scored each time.
        precision: ``auto`` takes bf16 if the processor has instructions for it.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads of the process; ``None`` leaves the number to torch.
        shard: With several processes, let each hold a part of the weights, their gradients and their moments. A number
            shares the parts among that many processes, and the next ones hold the same parts again.
        compile: Compile the layers with ``torch.compile``; ``None`` does so on a GPU, unless ``shard`` is on.
    """

    objective: str | None = None
    size: str = "small"
    architecture: tuple[str, ...] = ()
    vocab_size: int | None = None
    window: int = 128
    whole_documents: bool = False
    mask_share: float | None = None
    next_word_share: float = 0.4
    head_share: float = 0.05
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
    shard: bool | int = False
    compile: bool | None = None

    def __post_init__(self) -> None:
        self.check_kinds()
        check(self.objective in (None, *OBJECTIVES), "objective", self.objective, "one of " + ", ".join(OBJECTIVES))
        check(self.optimizer in (None, *OPTIMIZERS), "optimizer", self.optimizer, "one of " + ", ".join(OPTIMIZERS))
        for name, known in {"size": SIZES, "decay": DECAYS, "precision": PRECISIONS}.items():
            check(getattr(self, name) in known, name, getattr(self, name), "one of " + ", ".join(known))
        for item in self.architecture:
            check(item.count("=") == 1, "architecture", item, "FIELD=VALUE, such as num_hidden_layers=8")
        _check_vocabulary(self.vocab_size or 512)
        check(8 <= self.window <= 8192, "window", self.window, "8 to 8,192 tokens")
        share, rate = self.mask_share, self.learning_rate
        check(share is None or 0.01 <= share <= 0.9, "mask_share", share, "a share from 0.01 to 0.9; 0.15 to 0.40 is usual")
        check(rate is None or 0 < rate < 1, "learning_rate", rate, "a positive rate below 1, such as 1e-3")
        check(0 <= self.next_word_share < 1, "next_word_share", self.next_word_share, "a share from 0 to below 1")
        check(0 <= self.head_share < 1, "head_share", self.head_share, "a share from 0 (all learn from the start) to below 1")
        wanted = f"one window of {self.window} or more, up to {MAX_COUNT:,}"
        check(self.window <= self.batch_tokens <= MAX_COUNT, "batch_tokens", self.batch_tokens, wanted)
        check(0 <= self.weight_decay < 10, "weight_decay", self.weight_decay, "0 or more")
        check(0 <= self.warmup_share < 1, "warmup_share", self.warmup_share, "a share from 0 to below 1")
        check(self.max_gradient_norm >= 0, "max_gradient_norm", self.max_gradient_norm, "0 (off) or more")
        check(0 <= self.dropout < 1, "dropout", self.dropout, "a share from 0 to below 1")
        check_count(self.num_milestones, "num_milestones", most=100_000)
        check_count(self.validation_tokens, "validation_tokens")
        check_count(self.threads, "threads", most=MAX_THREADS)
        check_shard(self.shard, self.compile)

    def is_compiled_on(self, device: str) -> bool:
        """Whether layers go through ``torch.compile``."""
        return device == "cuda" and not self.shard if self.compile is None else self.compile

    @property
    def windows_per_update(self) -> int:
        """Windows from which one update learns."""
        return max(1, self.batch_tokens // self.window)
