"""Predictions written by hand, for the tests of the judges."""

import random
from collections.abc import Sequence
from dataclasses import replace

from pretune.evaluate import evaluate_sources
from pretune.records import Evaluation, Finding, History, Predictions, Severity, Terms, Validation
from pretune.verdict import Policy, load_policy

CLASSES = ("neg", "pos")


def from_pairs(pairs: Sequence[tuple[str, str]], classes: tuple[str, ...] = CLASSES, source: str = "finetuned") -> Predictions:
    """Return predictions from (label, predicted) pairs."""
    ids = tuple(f"row-{number}" for number in range(len(pairs)))
    labels, predicted = (tuple(side) for side in zip(*pairs, strict=True)) if pairs else ((), ())
    return Predictions(source=source, split="test", classes=classes, ids=ids, labels=labels, predicted=predicted)


def from_counts(tp: int, fp: int, fn: int, tn: int) -> Predictions:
    """Return predictions of "pos" and "neg" with this confusion matrix."""
    return from_pairs([("pos", "pos")] * tp + [("neg", "pos")] * fp + [("pos", "neg")] * fn + [("neg", "neg")] * tn)


def constant(predictions: Predictions, label: str = "neg") -> Predictions:
    """Return the majority baseline on the same rows."""
    return replace(predictions, source="majority", predicted=(label,) * len(predictions.ids))


def noisy(predictions: Predictions, accuracy: float, *, source: str = "linear", seed: int = 0) -> Predictions:
    """Return another source on the same rows that is right with this probability, whatever the label."""
    generator = random.Random(seed)
    others = {label: next(item for item in predictions.classes if item != label) for label in predictions.classes}
    predicted = tuple(str(label) if generator.random() < accuracy else others[str(label)] for label in predictions.labels)
    return replace(predictions, source=source, predicted=predicted)


def evaluation_of(predictions: Predictions, *, positive: str | None = "pos", linear: float = 0.70, look: int = 1) -> Evaluation:
    """Evaluate beside the majority class and a linear model of this accuracy, with the confidence of the look."""
    sources = [predictions, constant(predictions), noisy(predictions, linear)]
    return evaluate_sources(sources, Terms(positive=positive, look=look, confidence=1 - 0.05 / look**2), main="finetuned")


def clean_findings(policy: Policy | None = None) -> tuple[Finding, ...]:
    """Return every required check as passed."""
    checks = (policy or load_policy()).required_checks
    return tuple(Finding(check=check, severity=Severity.OK, summary=f"{check} is fine") for check in checks)


def validation(epoch: int, training_loss: float, loss: float, *, training: float = 0.90, accuracy: float = 0.87) -> Validation:
    """Return one epoch of a history."""
    return Validation(
        epoch=epoch,
        step=100 * epoch,
        training_loss=training_loss,
        training_accuracy=training,
        loss=loss,
        accuracy=accuracy,
        metric="accuracy",
        metric_value=accuracy,
        learning_rate=1e-5,
        seconds=1.0,
    )


def history_of(*validations: Validation) -> History:
    """Return a history that kept its epoch of the lowest loss."""
    return History(validations=validations, best_epoch=min(validations, key=lambda item: item.loss).epoch)
