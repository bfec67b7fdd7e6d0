"""Simulated predictions whose truth is known: what the verdict is tested with as a measuring instrument."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pretune.evaluate import evaluate_sources
from pretune.evaluate.compare import difference_interval, mcnemar_p_value
from pretune.records import Comparison, Confusion, Evaluation, Finding, Outcome, Predictions, Severity, Terms, Verdict
from pretune.verdict import Policy, decide
from pretune.verdict.gate_bounds import gate_bounds

Counts = npt.NDArray[np.int64]
Truth = npt.NDArray[np.bool_]
CLASSES = ("neg", "pos")
SHIP, OPEN, REFUSE = 1, 0, -1
CODES = {Outcome.SHIP: SHIP, Outcome.NOT_ENOUGH_EVIDENCE: OPEN, Outcome.DO_NOT_SHIP: REFUSE}


@dataclass(frozen=True, kw_only=True)
class World:
    """Two classes, a model and a linear baseline, each with its true recall and specificity.

    Args:
        prevalence: Share of positive rows.
        recall: Of the model.
        specificity: Likewise.
        behind: How far the baseline's recall and specificity lie below the model's.
        correlation: Between the two being right on a row, within a class.
    """

    prevalence: float
    recall: float
    specificity: float
    behind: float = 0.06
    correlation: float = 0.4

    @property
    def accuracy(self) -> float:
        """True accuracy."""
        return self.prevalence * self.recall + (1 - self.prevalence) * self.specificity

    @property
    def precision(self) -> float:
        """True precision."""
        found, called = self.prevalence * self.recall, (1 - self.prevalence) * (1 - self.specificity)
        return found / (found + called)

    def shares(self) -> npt.NDArray[np.float64]:
        """Probability of each cell, shape (2 classes, model wrong or right, baseline wrong or right)."""
        cells = []
        for share, own in ((1 - self.prevalence, self.specificity), (self.prevalence, self.recall)):
            other = own - self.behind
            tie = self.correlation * (own * (1 - own) * other * (1 - other)) ** 0.5
            both = min(own * other + tie, other)
            cells.append(share * np.array([[1 - own - other + both, other - both], [own - both, both]]))
        return np.array(cells)

    def draw(self, num_rows: int, num_sets: int, generator: np.random.Generator) -> Counts:
        """Return counts of simulated test sets, shape (num_sets, 2, 2, 2), cells as in ``shares``."""
        return generator.multinomial(num_rows, self.shares().ravel(), size=num_sets).reshape(num_sets, 2, 2, 2)


def with_precision(precision: float, recall: float, prevalence: float, **others: float) -> World:
    """Return the world in which the model has this precision and recall."""
    wrong = prevalence * recall * (1 / precision - 1) / (1 - prevalence)
    return World(prevalence=prevalence, recall=recall, specificity=1 - wrong, **others)


def tables_of(counts: Counts) -> npt.NDArray[np.float64]:
    """Return confusion matrices, shape (num_sets, 2 true, 2 answered)."""
    own = counts.sum(axis=3)  # (sets, class, wrong or right)
    negative, positive = own[:, 0, ::-1], own[:, 1]
    return np.stack([negative, positive], axis=1).astype(float)


def judge_sets(counts: Counts, policy: Policy, *, look: int = 1, positive: str | None = "pos") -> Counts:
    """Return ``SHIP``, ``OPEN`` or ``REFUSE`` for each simulated test set; every check of data is taken as passed.

    The arithmetic is that of ``decide``, for all sets at once; ``check_agreement`` shows on a sample that it is the same.
    Policies that name baselines are judged on accuracy, so on balanced rows only.
    """
    tables, confidence = tables_of(counts), policy.confidence_at(look)
    sizes = tables.sum(axis=2)
    balanced = sizes.max(axis=1) <= policy.max_balanced_share * sizes.sum(axis=1)
    passed, failed = np.ones(len(counts), bool), np.zeros(len(counts), bool)
    for gate in policy.gates:
        place = None if positive is None else CLASSES.index(positive)
        low, high, usable = gate_bounds(gate, tables, place, confidence, policy.min_positives)
        asked = balanced | (not gate.only_balanced)
        passed &= ~asked | (usable & (low >= gate.minimum))
        failed |= asked & usable & (high < gate.minimum)
    for source in policy.better_than:
        is_better, is_pointless = _compare(counts, source, policy, confidence)
        passed &= is_better & ~is_pointless
        failed |= is_pointless
    return np.where(failed, REFUSE, np.where(passed, SHIP, OPEN))


def discordant(counts: Counts, source: str) -> tuple[Counts, Counts]:
    """Return the rows that only the model, and that only the other source gets right, each of shape (num_sets,)."""
    if source == "majority":  # always says "neg"
        return counts[:, 1, 1].sum(axis=1), counts[:, 0, 0].sum(axis=1)
    return counts[:, :, 1, 0].sum(axis=1), counts[:, :, 0, 1].sum(axis=1)


def comparisons_of(counts: Counts, policy: Policy, confidence: float) -> list[tuple[Comparison, float]]:
    """Return the comparisons of one simulated test set (2, 2, 2), each with the least gain that must be possible."""
    found = []
    for source in policy.better_than:
        only_a, only_b = (int(item[0]) for item in discordant(counts[None], source))
        total = int(counts.sum())
        low, high = difference_interval(only_a, only_b, total, confidence)
        item = Comparison(
            metric="accuracy", split="test", a="finetuned", b=source, value_a=0.0, value_b=0.0,
            difference=(only_a - only_b) / total, low=low, high=high, confidence=confidence,
            p_value=mcnemar_p_value(only_a, only_b), method="", num_examples=total,
        )  # fmt: skip
        found.append((item, policy.min_gain if source == policy.simple_baseline else 0.0))
    return found


def confusion_of(counts: Counts) -> Confusion:
    """Return the confusion matrix of one simulated test set."""
    rows = tuple(tuple(int(cell) for cell in row) for row in tables_of(counts[None])[0])
    return Confusion(split="test", source="finetuned", classes=CLASSES, counts=rows)


def predictions_of(counts: Counts) -> tuple[Predictions, Predictions, Predictions]:
    """Return model, majority class and linear baseline as predictions of one simulated test set, shape (2, 2, 2)."""
    labels, own, other = (part.repeat(counts.ravel()) for part in np.indices((2, 2, 2)).reshape(3, -1))
    names = np.array(CLASSES, object)
    given = names[labels].tolist()

    def make(source: str, is_right: Counts) -> Predictions:
        said = names[np.where(is_right == 1, labels, 1 - labels)].tolist()
        ids = tuple(f"row {number}" for number in range(len(given)))
        return Predictions(source=source, split="test", classes=CLASSES, ids=ids, labels=tuple(given), predicted=tuple(said))

    return make("finetuned", own), make("majority", 1 - labels), make("linear", other)


def decide_one(counts: Counts, policy: Policy, *, look: int = 1, positive: str | None = "pos") -> Verdict:
    """Return the verdict of pretune itself on one simulated test set."""
    findings = [Finding(check=check, severity=Severity.OK, summary="fine") for check in policy.required_checks]
    confidence = policy.confidence_at(look)
    evaluation: Evaluation = evaluate_sources(
        predictions_of(counts), Terms(positive=positive, look=look, confidence=confidence), main="finetuned"
    )
    return decide(evaluation, findings, policy, Terms(positive=positive, look=look))


def check_agreement(counts: Counts, codes: Counts, policy: Policy, *, num: int, positive: str | None = "pos") -> list[int]:
    """Return how many of the first sets ``decide`` judges likewise, and how many were asked."""
    some = range(min(num, len(counts)))
    return [int(sum(CODES[decide_one(counts[n], policy, positive=positive).outcome] == codes[n] for n in some)), len(some)]


def _compare(counts: Counts, source: str, policy: Policy, confidence: float) -> tuple[Truth, Truth]:
    only_a, only_b = discordant(counts, source)
    totals = counts.sum(axis=(1, 2, 3))
    least = policy.min_gain if source == policy.simple_baseline else 0.0
    rows = list(zip(only_a.tolist(), only_b.tolist(), totals.tolist(), strict=True))
    is_sure = [mcnemar_p_value(a, b) <= 1 - confidence + 1e-12 and a > b for a, b, _ in rows]
    is_pointless = [difference_interval(a, b, total, confidence)[1] < least for a, b, total in rows]
    return np.array(is_sure), np.array(is_pointless)
