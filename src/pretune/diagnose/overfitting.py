"""Overfitting: does the model know its training rows much better than rows it has not seen?"""

from pretune.intervals import proportion_interval
from pretune.observation import observe
from pretune.records import Evaluation, Evidence, Finding, Predictions, Severity

# Gap in accuracy between training and validation above which we speak of overfitting. Ours: film reviews fine-tuned well
# show 7 points after one epoch and 11 after three, by when validation has stopped improving.
MAX_GAP = 0.10

FIX = "--dropout 0.3 --set finetune.label_smoothing=0.1 --set finetune.weight_decay=0.1 --freeze last-2, or label more rows"


def check_overfitting(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the gap between training and validation accuracy of the model that was kept.

    Predictions on both splits are best, since dropout is off in them; else the figures of the kept epoch are taken, whose
    training accuracy was measured as the epoch went and so is, if anything, too low.
    """
    check = "training.overfitting"
    measured = _from_predictions(evidence) or _from_history(evidence)
    if measured is None:
        return Finding.unknown(check, "needs accuracy on training and on validation")
    training, validation, basis = measured
    gap, rising = training - validation, _rising_since(evidence)
    return Finding(
        check=check,
        severity=Severity.WARNING if gap > MAX_GAP else Severity.NOTE if rising else Severity.OK,
        summary=f"accuracy {training:.3f} in training, {validation:.3f} on validation: a gap of {gap:.3f}{basis}{rising}",
        measured=gap,
        limit=MAX_GAP,
        fix=FIX if gap > MAX_GAP else "",
    )


def _from_predictions(evidence: Evidence) -> tuple[float, float, str] | None:
    train, validation = evidence.find("train", "finetuned"), evidence.find("validation", "finetuned")
    if train is None or validation is None or not train.ids or not validation.ids:
        return None
    known, unseen = _num_hits(train), _num_hits(validation)
    low, high = _gap_interval(known, len(train.ids), unseen, len(validation.ids))
    return known / len(train.ids), unseen / len(validation.ids), f" (95 % interval {low:.3f} to {high:.3f})"


def _num_hits(predictions: Predictions) -> int:
    return sum(label == said for label, said in zip(predictions.labels, predictions.predicted, strict=True))


def _gap_interval(hits: int, total: int, other_hits: int, other_total: int) -> tuple[float, float]:
    """Newcombe's interval for the difference of independent proportions (1998, method 10)."""
    first, second = hits / total, other_hits / other_total
    low_first, high_first = proportion_interval(hits, total)
    low_second, high_second = proportion_interval(other_hits, other_total)
    low = first - second - ((first - low_first) ** 2 + (high_second - second) ** 2) ** 0.5
    high = first - second + ((high_first - first) ** 2 + (second - low_second) ** 2) ** 0.5
    return low, high


def _from_history(evidence: Evidence) -> tuple[float, float, str] | None:
    history = evidence.history
    if history is None or not history.validations:
        return None
    last = history.validations[-1]
    kept = next((item for item in history.validations if item.epoch == history.best_epoch), last)
    if kept.training_accuracy is None:
        return None
    return kept.training_accuracy, kept.accuracy, f" after epoch {kept.epoch}, which was kept"


def _rising_since(evidence: Evidence) -> str:
    words = observe(evidence.history.validations) if evidence.history is not None else ""
    return f"; validation loss says: {words}" if words.startswith("overfitting") else ""
