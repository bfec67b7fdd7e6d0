"""By what a model is judged, and how a table of predictions is read."""

from dataclasses import dataclass, field

from pretune.configs.base import Config, check, check_seed
from pretune.configs.data import ReadConfig

# Largest share at which the rarer of two classes is what one looks for, as spam among messages, and what a lone score is of.
MAX_POSITIVE_SHARE = 0.40


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

    def __post_init__(self) -> None:
        self.check_kinds()


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
        self.check_kinds()
        check_seed(self.seed)
        check(self.task is None or self.task in TASKS, "task", self.task, "one of " + ", ".join(TASKS))
        check(self.score_of is None or self.score_of in SCORE_OF, "score_of", self.score_of, "one of " + ", ".join(SCORE_OF))
        check(self.threshold is None or 0 < self.threshold < 1, "threshold", self.threshold, "a share between 0 and 1")
        for name in ("min_bleu", "min_chrf"):
            value = getattr(self, name)
            check(value is None or 0 < value < 100, name, value, "a number between 0 and 100, as sacrebleu counts")
