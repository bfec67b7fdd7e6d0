"""Settings: how a chat model is fine-tuned on conversations, how it replies, and by what it is judged."""

from dataclasses import dataclass, field
from typing import Any, Self

from pretune.configs.base import MAX_EPOCHS, Config, check, check_count, check_seed, parse_duration
from pretune.configs.data import ReadConfig, SplitConfig
from pretune.configs.finetune import AUTO, LAST, FinetuneConfig
from pretune.configs.stages import check_epochs
from pretune.errors import UsageError

# Settings of ``FinetuneConfig`` that a chat model has no use for.
OF_CLASSES = (
    "head_learning_rate", "label_smoothing", "positive", "class_weights", "sampling", "head", "head_size", "pooling",
    "calibrate", "keep_trunk",
)  # fmt: skip
CHAT_MONITORS = ("loss", LAST)
CHAT_PRECISIONS = ("bf16", "fp32", "int8", "int4")
DOMAINS = ("auto", "plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyConfig(FinetuneConfig):
    """How a chat model learns replies: see ``FinetuneConfig``; what is about classes cannot be set.

    Args:
        batch_size: Conversations per batch.
        max_length: Maximum tokens per conversation; a longer one is cut, counted and reported, and its cut reply teaches no
            end. ``None`` means 512, or what a budget chooses.
        monitor: ``loss`` per token of the replies of validation chooses the epoch; ``last`` keeps the last one.
    """

    batch_size: int = 8
    monitor: str = "loss"
    patience: int = 1

    def __post_init__(self) -> None:
        FinetuneConfig.__post_init__(self)
        usual = FinetuneConfig()
        for name in OF_CLASSES:
            check(
                getattr(self, name) == getattr(usual, name), name, getattr(self, name), "left out: a chat model has no classes"
            )
        check(self.monitor in CHAT_MONITORS, "monitor", self.monitor, " or ".join(CHAT_MONITORS))
        check(self.learning_rate != AUTO, "learning_rate", self.learning_rate, "a rate such as 1e-4 for a chat model")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatConfig(Config):
    """What is mixed in, how replies are made, and what is asked besides the test.

    Args:
        mix: Share of the tokens learned that are of other text, against forgetting, with ``mix_corpus``.
        mix_corpus: Raw text, or a table of conversations, that is mixed in.
        general: Texts, or tables of instructions, whose loss is measured before and after, to see what was forgotten.
        questions: About how many of the test's questions are sealed, where pretune divides the rows: each is answered by every
            source, which takes most of judging's time.
        max_reply: Maximum tokens per reply.
        temperature: 0 always takes the most probable token.
        top_p: With a temperature: the smallest set of tokens with this probability.
        repetition_penalty: By which scores of tokens that a reply already has are divided; ``None`` lets validation choose.
        no_repeat: A reply repeats no stretch of this many tokens; 0 lets it.
        precision: Of replies: ``bf16``, ``fp32``, ``int8`` or ``int4``.
        few_shot: Whether the model as it came is asked with examples in its prompt, as a rival.
        safety: A file of questions that need care, in place of pretune's own.
        domain: ``plain`` says that questions are not about health, law or money, so that no review by people is required.
    """

    mix: float = 0.0
    mix_corpus: str | None = None
    general: tuple[str, ...] = ()
    questions: int = 250
    max_reply: int = 200
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float | None = None
    no_repeat: int = 0
    precision: str = "bf16"
    few_shot: bool = True
    safety: str | None = None
    domain: str = "auto"

    def __post_init__(self) -> None:
        self.check_kinds()
        check(0 <= self.mix < 1, "mix", self.mix, "a share from 0 to below 1, such as 0.1")
        if (self.mix > 0) != (self.mix_corpus is not None):
            raise UsageError(
                f"mix is {self.mix:g} and mix_corpus is {self.mix_corpus!r}",
                expected="both, or neither",
                fix="pass --mix 0.1 --mix-corpus CORPUS",
            )
        check_count(self.questions, "questions", least=30, of="questions")
        check_count(self.max_reply, "max_reply", most=100_000, of="tokens")
        check(0 <= self.temperature <= 10, "temperature", self.temperature, "0 (always the most probable) to 10")
        check(0 < self.top_p <= 1, "top_p", self.top_p, "a share above 0 and up to 1")
        penalty = self.repetition_penalty
        check(penalty is None or 1 <= penalty <= 2, "repetition_penalty", penalty, "a number from 1 (off) to 2")
        check(self.no_repeat == 0 or self.no_repeat >= 2, "no_repeat", self.no_repeat, "0 (off), or 2 or more tokens")
        check(self.precision in CHAT_PRECISIONS, "precision", self.precision, "one of " + ", ".join(CHAT_PRECISIONS))
        check(self.domain in DOMAINS, "domain", self.domain, " or ".join(DOMAINS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverseRunConfig(Config):
    """All settings of a run on conversations; only the data is given apart.

    Args:
        model: Catalogue name, folder or hub id of a causal model.
        epochs: Maximum number of epochs; ``None`` means 3, or what a budget allows.
        freeze: ``none``, ``last-K``, or stages (see ``plan_stages``).
        seed: Seed of the order of rows and of dropout.
        budget: Time limit for the training, such as ``10m``.
        policy: A TOML file that replaces the policy for conversations.
    """

    model: str = "smollm2"
    epochs: int | None = None
    freeze: str = "none"
    seed: int = 0
    read: ReadConfig = field(default_factory=ReadConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    finetune: ReplyConfig = field(default_factory=ReplyConfig)
    chat: ChatConfig = field(default_factory=ChatConfig)
    validation: str | None = None
    test: str | None = None
    budget: str | None = None
    policy: str | None = None

    def __post_init__(self) -> None:
        self.check_kinds()
        check_count(self.epochs, "epochs", most=MAX_EPOCHS)
        check_seed(self.seed)
        check(self.freeze not in (AUTO, "all", "gradual"), "freeze", self.freeze, "none, last-K, or stages, for a chat model")
        check_epochs(self.freeze, self.epochs)
        if self.budget is not None:
            parse_duration(self.budget)

    @property
    def given(self) -> dict[str, str | None]:
        """The files with validation or test rows, where given."""
        return {"validation": self.validation, "test": self.test}

    @property
    def files(self) -> tuple[str | None, ...]:
        """Settings that may name a file or a folder, besides the data."""
        return (*self.given.values(), self.policy, self.chat.safety, *self.chat.general, self.chat.mix_corpus)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Build the config from what ``to_json`` returned, also after a trip through JSON."""
        parts: dict[str, type[Config]] = {"read": ReadConfig, "split": SplitConfig, "finetune": ReplyConfig, "chat": ChatConfig}
        damaged = next((name for name in parts if not isinstance(value.get(name, {}), dict)), None)
        if damaged is not None:
            raise UsageError(f"the settings of {damaged!r} are damaged", expected="a table of settings by name")
        return cls._build({name: parts[name].from_json(item) if name in parts else item for name, item in value.items()})
