"""All settings of a run, and the named recipes."""

from dataclasses import dataclass, field
from typing import Any, Self

from pretune.configs.base import MAX_EPOCHS, MAX_SEED, Config, check, check_count, check_seed, parse_duration
from pretune.configs.data import CorpusConfig, ReadConfig, SplitConfig
from pretune.configs.finetune import AUTO, FinetuneConfig
from pretune.configs.judge import JudgeConfig
from pretune.configs.pretrain import PretrainConfig, TokenizerConfig
from pretune.configs.stages import check_epochs
from pretune.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig(Config):
    """All settings of a run; only the data is given apart.

    Args:
        model: Catalogue name, folder or hub id.
        epochs: Maximum number of epochs; ``None`` leaves it to early stopping.
        freeze: ``none``, ``all``, ``last-K``, ``gradual``, stages such as ``all:2,last-2:1@1e-6`` (see ``plan_stages``),
            or ``auto``, which trains the last two layers where bf16 is not fast and all would take too long, else all.
        seed: Seed of the initial head weights, dropout and the order of rows.
        seeds: Number of trainings, with ``seed`` and the seeds after it; the best on validation is kept.
        budget: Time limit for the whole command, such as ``90s``, ``5m`` or ``1h``. The settings that are not given (which
            layers, how many epochs, how much of each text) are chosen so that the command ends in time.
        prove: Also make the same fine-tuning from random weights and from the checkpoint before pre-training.
        general_task: A labelled table or catalogue name, on which to measure how much the language model has forgotten.
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
    validation: str | None = None  # file with the validation rows
    test: str | None = None
    budget: str | None = None
    prove: bool = False
    general_task: str | None = None

    def __post_init__(self) -> None:
        self.check_kinds()
        check_count(self.epochs, "epochs", most=MAX_EPOCHS)
        check_seed(self.seed)
        check(self.general_task is None or self.prove, "general_task", self.general_task, "--prove-pretraining with it")
        if self.freeze != "auto":
            check_epochs(self.freeze, self.epochs)
        check_count(self.seeds, "seeds", most=1_000)
        check(
            self.seed + self.seeds - 1 <= MAX_SEED,
            "seed",
            self.seed,
            f"a seed that leaves {self.seeds} seeds up to {MAX_SEED:,}",
        )
        check(self.freeze != "all" or not self.finetune.lora, "freeze", self.freeze, "none or last-K with --lora")
        if self.budget is not None:
            parse_duration(self.budget)
            is_open = self.freeze == AUTO and self.finetune.lora is not None
            check(
                not is_open, "freeze", self.freeze, "none or last-K with --lora and --budget, which may choose the head alone"
            )
        is_staged = self.freeze == "gradual" or any(sign in self.freeze for sign in ",:@")
        if is_staged and (self.budget is not None or self.finetune.learning_rate == AUTO):
            raise UsageError(
                f"stages (freeze {self.freeze!r}) with {'a budget' if self.budget is not None else '--lr auto'}",
                expected="stages alone: each sets what it trains, for how long and at which rate",
                fix="leave one of them out; a stage takes a rate as in last-2:1@1e-6",
            )

    @property
    def given(self) -> dict[str, str | None]:
        """The files with validation or test rows, where given."""
        return {"validation": self.validation, "test": self.test}

    @property
    def files(self) -> tuple[str | None, ...]:
        """Settings that may name a file or a folder, besides the data."""
        return (*self.given.values(), self.judge.policy, self.general_task)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Build the config from what ``to_json`` returned, also after a trip through JSON."""
        parts: dict[str, type[Config]] = {
            "read": ReadConfig,
            "split": SplitConfig,
            "finetune": FinetuneConfig,
            "judge": JudgeConfig,
        }
        damaged = next((name for name in parts if not isinstance(value.get(name, {}), dict)), None)
        if damaged is not None:
            raise UsageError(f"the settings of {damaged!r} are damaged", expected="a table of settings by name")
        return cls._build({name: parts[name].from_json(item) if name in parts else item for name, item in value.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainRunConfig(Config):
    """All settings of a pre-training; only the corpus is given apart.

    Args:
        model: Model to continue: catalogue name, folder, run or hub id; ``None`` starts from scratch.
        epochs: Passes over the text. If neither this nor ``tokens`` nor ``budget`` is given: 5 from scratch, else 1.
        tokens: Total tokens to train on, instead of ``epochs``.
        budget: Time limit for the whole command, instead of ``epochs``.
        seed: Seed of the initial weights, the order of windows, and the hidden tokens.
        keep_out: A table or folder of labelled texts; documents that share text with it are removed from the corpus.
        general: A corpus whose loss is measured before and after training, to measure forgetting.
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
        self.check_kinds()
        wanted = f"a number above 0 and up to {MAX_EPOCHS:,}"
        check(self.epochs is None or 0 < self.epochs <= MAX_EPOCHS, "epochs", self.epochs, wanted)
        check_count(self.tokens, "tokens", most=10**15)
        check_seed(self.seed)
        if self.budget is not None:
            parse_duration(self.budget)
        given = [name for name in ("epochs", "tokens", "budget") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} were given", expected="one of them: each sets how long the training runs")

    @property
    def files(self) -> tuple[str | None, ...]:
        """Settings that may name a file or a folder, besides the corpus."""
        return (self.corpus.validation, self.general, self.model, *self.keep_out)


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
