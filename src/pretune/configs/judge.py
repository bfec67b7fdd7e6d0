"""Settings: how a model is judged, and how a table of predictions is read."""

from dataclasses import dataclass, field

from pretune.configs.base import Config, check, check_seed
from pretune.configs.data import ReadConfig
from pretune.configs.shares import parse_shares

# Up to this share, the rarer of two classes is the one looked for, such as spam among messages, and a lone score is its score.
MAX_POSITIVE_SHARE = 0.40


CHOICES = ("best", "finetuned")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfig(Config):
    """How a model is judged.

    Args:
        positive: The class that precision and recall refer to; ``None`` chooses one (see ``choose_positive``).
        goal: One of the policy's goals, for which the threshold is chosen; ``None`` takes the policy's default goal.
        keep: A condition that precision or recall must also meet on validation, such as ``recall=0.95``.
        cost: The cost of each kind of mistake, such as ``fn=10,fp=1``; the goal is then ``cost``.
        min_precision: Replaces the policy's gate, as do ``min_recall`` and ``min_accuracy``.
        at_precision: The precision at which recall is asked for: the threshold is chosen to keep it, and the test judges both.
        max_alerts: Likewise, the most rows per 1,000 that may be called positive.
        prevalence: Share of the positive class in production, such as ``0.005``, or of several (``a=0.2,b=0.3``): figures
            are weighed by it.
        votes: Columns with what several annotators said of a row: one each, one with lists, or one that says who labelled it.
        human_margin: With ``votes``: the model may not agree with the majority of the annotators less often than one of them
            does with the others, by more than this.
        min_pr_area: A limit besides the gates: the least area under precision and recall, with its whole interval.
        min_class_recall: The same of the recall of every class: a floor.
        min_slice_accuracy: The same of the accuracy on every slice of the test that is large enough.
        max_cost: The same, from above, of the mean cost per row; ``cost`` says what mistakes cost.
        max_calibration_error: The same of the calibration error.
        policy: A TOML file that replaces the default policy.
        choose: ``best`` lets validation choose among the run's models before the seal is opened; the fine-tuned one is judged
            otherwise.
        encoder_linear: Whether a logistic regression on the encoder as it came is among the baselines.
        thorough: Whether to train three more models, so that each training row is judged by a model that did not see it.
    """

    positive: str | None = None
    goal: str | None = None
    keep: str | None = None
    cost: str | None = None
    min_precision: float | None = None
    min_recall: float | None = None
    min_accuracy: float | None = None
    at_precision: float | None = None
    max_alerts: float | None = None
    prevalence: str | None = None
    votes: tuple[str, ...] = ()
    human_margin: float | None = None
    min_pr_area: float | None = None
    min_class_recall: float | None = None
    min_slice_accuracy: float | None = None
    max_cost: float | None = None
    max_calibration_error: float | None = None
    policy: str | None = None
    choose: str | None = None
    encoder_linear: bool = True
    thorough: bool = False

    def __post_init__(self) -> None:
        self.check_kinds()
        parse_shares(self.prevalence)
        margin = self.human_margin
        check(margin is None or 0 < margin < 1, "human_margin", margin, "a share between 0 and 1, such as 0.02")
        check(self.choose in (None, *CHOICES), "choose", self.choose, " or ".join(CHOICES))


SCORE_OF = ("predicted", "positive")


TASKS = ("classify", "generate")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig(Config):
    """How a table of predictions is read and judged. Columns that are not named are guessed, and the guess is printed.

    Args:
        task: ``classify`` or ``generate``; ``None`` guesses from the columns.
        id: Column with the id of each row; ``None`` takes the row numbers of the file.
        predicted: Column with the predicted class.
        score: Column with one probability per row.
        score_of: Class whose probability the score is: the ``predicted`` or the ``positive`` one.
        threshold: Minimum score for the positive class, if no column has the predictions; ``None`` means 0.5.
        logits: The numbers in the class columns are logits; their softmax is taken.
        reference: Column with the reference text.
        hypothesis: Column with the generated text.
        min_bleu: Minimum corpus BLEU (0 to 100), which the whole interval must reach.
        min_chrf: Minimum chrF, likewise.
        margin: Of the model compared with: the judged one may not be worse by more than this.
        seed: Seed of the linear baseline's hold-out; the seed of a run gives that run's baseline.
        read: How the table is read: text and label columns, encoding, rejects.
        judge: How it is judged: positive class, goal, gates, policy.
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
    margin: float | None = None
    seed: int = 0
    read: ReadConfig = field(default_factory=ReadConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)

    def __post_init__(self) -> None:
        self.check_kinds()
        check_seed(self.seed)
        check(self.task is None or self.task in TASKS, "task", self.task, "one of " + ", ".join(TASKS))
        check(self.score_of is None or self.score_of in SCORE_OF, "score_of", self.score_of, "one of " + ", ".join(SCORE_OF))
        check(self.margin is None or 0 < self.margin < 1, "margin", self.margin, "a share between 0 and 1, such as 0.01")
        check(self.threshold is None or 0 < self.threshold < 1, "threshold", self.threshold, "a share between 0 and 1")
        for name in ("min_bleu", "min_chrf"):
            value = getattr(self, name)
            check(value is None or 0 < value < 100, name, value, "a number between 0 and 100, as sacrebleu counts")
