"""Overfitting: does the model do much better on its training rows than on rows it has not seen?"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pretune.diagnose.measures import difference_interval, judged_source, right_answers
from pretune.records import Evaluation, Evidence, Finding, Severity, Validation
from pretune.records.observation import NOTHING

# Gap in accuracy between training and validation above which we speak of overfitting. Ours: film reviews fine-tuned well
# show 7 points after one epoch and 11 after three, by when validation has stopped improving.
MAX_GAP = 0.10
# Rise of the validation loss over its lowest epoch, as a share of it, above which the probabilities of the kept epoch are
# overconfident, though its answers may not be worse.
MAX_LOSS_RISE = 0.10
# Spread over rows of how much their loss changes from one epoch to another, in nats: what a rise must exceed to be more
# than chance. Ours, an upper bound: sentence classifiers change by 0.3 to 0.6 a row over an epoch once they fit training.
LOSS_SPREAD = 0.6
CHANCE = 2.0

FIX = "--dropout 0.2 --set finetune.label_smoothing=0.1 --set finetune.weight_decay=0.1 --freeze last-2, or label more rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    training: float
    validation: float
    low: float
    high: float
    basis: str

    @property
    def size(self) -> float:
        return self.training - self.validation


def check_overfitting(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the gap between training and validation accuracy of the model that was kept.

    Predictions on both splits are best, since dropout is off in them; else the figures of the kept epoch are taken, whose
    training accuracy was measured as the epoch went and so is, if anything, too low.
    """
    check = "training.overfitting"
    gap = _from_predictions(evidence, judged_source(evaluation)) or _from_history(evidence)
    if gap is None:
        return Finding.unknown(check, "needs accuracy on training and on validation")
    beyond = gap.low > MAX_GAP
    severity = Severity.WARNING if beyond else Severity.NOTE if gap.size > MAX_GAP else Severity.OK
    interval = f" (95 % interval {gap.low:.3f} to {gap.high:.3f})"
    return Finding(
        check=check,
        severity=severity,
        summary=f"accuracy {gap.training:.3f} in training, {gap.validation:.3f} on validation: a gap of {gap.size:.3f}"
        f"{interval}{gap.basis}",
        measured=gap.size,
        limit=MAX_GAP,
        fix=FIX if severity is not Severity.OK else "",
    )


def check_rising_loss(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Find the epoch since which validation loss rises while training loss falls, and whether it was kept."""
    check = "training.rising_loss"
    epochs = evidence.history.validations if evidence.history is not None else ()
    if not epochs:
        return Finding.unknown(check, "needs the history of training")
    if len(epochs) == 1:
        return Finding.not_applicable(check, "training had one epoch")
    best = min(epochs, key=lambda item: item.loss)
    kept = next((item for item in epochs if item.epoch == _kept(evidence)), best)
    limit = max(MAX_LOSS_RISE, _noise(evidence, best))
    worst = max(epochs[epochs.index(best) :], key=lambda item: item.loss)
    rise = {item.epoch: (item.loss - best.loss) / max(best.loss, 1e-9) for item in (kept, worst)}
    if rise[worst.epoch] <= limit or not _training_falls(epochs[epochs.index(best) :]):
        says = f"validation loss was lowest, {best.loss:.3f}, in epoch {best.epoch} and {_after(rise[worst.epoch], limit)}"
        return Finding(check=check, severity=Severity.OK, summary=says, measured=rise[worst.epoch], limit=limit)
    since = next(item.epoch for item in epochs[epochs.index(best) + 1 :])
    is_kept = kept.epoch > best.epoch and rise[kept.epoch] > limit
    says = (
        f"since epoch {since} validation loss rises ({best.loss:.3f} to {worst.loss:.3f}) while training loss falls "
        f"({best.training_loss:.3f} to {epochs[-1].training_loss:.3f})"
    )
    after = f"; the epoch that was kept, {kept.epoch}, is one of these, and its probabilities are too sure"
    return Finding(
        check=check,
        severity=Severity.WARNING if is_kept else Severity.NOTE,
        summary=says + (after if is_kept else f"; epoch {kept.epoch} was kept, {_where(kept, best)}"),
        measured=rise[kept.epoch] if is_kept else rise[worst.epoch],
        limit=limit,
        fix=f"--epochs {best.epoch}, or --monitor loss, or {FIX}" if is_kept else "",
    )


def _after(rise: float, limit: float) -> str:
    """Say what the loss did after its lowest epoch, where that is no finding."""
    if rise <= 0:
        return "did not rise after it"
    return f"rose by {rise:.1%} after it, which is within the {limit:.0%} that chance and taste explain"


def _where(kept: Validation, best: Validation) -> str:
    if kept.epoch == best.epoch:
        return "where it was lowest"
    return "before it rose" if kept.epoch < best.epoch else "where it had hardly risen"


def _from_predictions(evidence: Evidence, source: str) -> _Gap | None:
    train, validation = evidence.find("train", source), evidence.find("validation", source)
    if train is None or validation is None or not train.ids or not validation.ids:
        return None
    known, unseen = int(right_answers(train).sum()), int(right_answers(validation).sum())
    return _gap((known, len(train.ids)), (unseen, len(validation.ids)), "")


def _from_history(evidence: Evidence) -> _Gap | None:
    history = evidence.history
    if history is None or not history.validations:
        return None
    last = history.validations[-1]
    kept = next((item for item in history.validations if item.epoch == history.best_epoch), last)
    sizes = [_num_rows(evidence, name) for name in ("train", "validation")]
    if kept.training_accuracy is None or not all(sizes):
        return None
    hits = [round(share * size) for share, size in zip((kept.training_accuracy, kept.accuracy), sizes, strict=True)]
    return _gap((hits[0], sizes[0]), (hits[1], sizes[1]), f" after epoch {kept.epoch}, which was kept")


def _gap(known: tuple[int, int], unseen: tuple[int, int], basis: str) -> _Gap:
    low, high = difference_interval(*known, *unseen)
    return _Gap(training=known[0] / known[1], validation=unseen[0] / unseen[1], low=low, high=high, basis=basis)


def _num_rows(evidence: Evidence, split: str) -> int:
    splits = evidence.receipt.splits if evidence.receipt is not None else ()
    counted = next((item.num_rows for item in splits if item.name == split), 0)
    return len(getattr(evidence, split)) or counted


def _kept(evidence: Evidence) -> int | None:
    return evidence.history.best_epoch if evidence.history is not None else None


def _noise(evidence: Evidence, best: Validation) -> float:
    """Return the rise, as a share of the lowest loss, that chance alone may show on so many validation rows."""
    num_rows = max(_num_rows(evidence, "validation"), 1)
    return CHANCE * LOSS_SPREAD / float(np.sqrt(num_rows)) / max(best.loss, 1e-9)


def _training_falls(epochs: tuple[Validation, ...]) -> bool:
    return all(later.training_loss <= max(earlier.training_loss * 1.02, NOTHING) for earlier, later in pairwise(epochs))
