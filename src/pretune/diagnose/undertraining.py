"""Under-training: did training stop too early, or never really begin?"""

from collections.abc import Sequence

import numpy as np

from pretune.intervals import Floats, quantile
from pretune.records import Evaluation, Evidence, Finding, History, Severity
from pretune.records.observation import observe

# Relative fall of the validation loss over the last epoch above which another epoch would likely have helped.
MAX_LAST_FALL = 0.05
# Spread over rows of how much their validation loss changes within an epoch, in nats, while it still falls. Ours; a fall has to
# exceed twice its standard error to be more than chance.
LOSS_SPREAD = 0.3
CHANCE = 2.0
# Steps from which the losses at the start and at the end can be held against each other, and the share of them at each end.
MIN_STEPS = 20
END_SHARE = 0.2
# Share of the first steps' loss by which the last steps' must at least be lower, for anything to have been learned. A fall that
# is not shown to be more than the noise of the steps is none either: few steps can never prove that it is under 2 %.
MIN_LEARNED = 0.02

LEARN_FIX = "--lr, ten times higher or lower, and --freeze none"


def check_undertraining(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how much the validation loss still fell in the last epoch."""
    check = "training.undertraining"
    history = evidence.history
    if history is None or not history.validations:
        return Finding.unknown(check, "needs the history of training")
    if len(history.validations) == 1:
        summary = "training had one epoch; whether more would help is not known"
        return Finding(check=check, severity=Severity.NOTE, summary=summary, measured=1.0, fix="--epochs 3")
    before, last = history.validations[-2].loss, history.validations[-1].loss
    fall = (before - last) / before if before > 0 else 0.0
    num_rows = len(evidence.validation) or 1
    limit = max(MAX_LAST_FALL, CHANCE * LOSS_SPREAD / num_rows**0.5 / max(before, 1e-9))
    steep = fall > limit
    return Finding(
        check=check,
        severity=Severity.WARNING if steep else Severity.OK,
        summary=f"in the last epoch the validation loss {_moved(fall)}" + (" and was not done falling" if steep else ""),
        measured=fall,
        limit=limit,
        fix=f"--epochs {2 * len(history.validations)}" if steep else "",
    )


def check_learning(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure whether training loss is lower at the end than at the start, by more than the spread of its steps."""
    check = "training.learning"
    history = evidence.history
    if history is None or not (history.validations or history.steps):
        return Finding.unknown(check, "needs the history of training")
    stuck = _is_frozen(history)
    if stuck:
        fix = "Check --freeze and --lr: nothing that was to be trained could move."
        return Finding(check=check, severity=Severity.BLOCKING, summary=stuck, measured=0.0, limit=MIN_LEARNED, fix=fix)
    if len(history.steps) >= MIN_STEPS:
        learned, low, high = _fall(_ends([step.loss for step in history.steps]))
        bounds = (low, high) if learned >= 0 else (-high, -low)
        says = f"training loss {_moved(learned)} from the first to the last fifth of the steps "
        says += f"({bounds[0]:.1%} to {bounds[1]:.1%})"
        failed = low <= 0 or high < MIN_LEARNED
    else:
        first, last = history.validations[0].loss, history.validations[-1].loss
        learned = (first - last) / first if first > 0 else 0.0
        says = f"validation loss was {first:.3f} at first, {last:.3f} at last"
        failed = observe(history.validations) in ("not learning", "diverging")
    return Finding(
        check=check,
        severity=Severity.WARNING if failed else Severity.OK,
        summary=("training did not learn: " if failed else "") + says,
        measured=learned,
        limit=MIN_LEARNED,
        fix=LEARN_FIX if failed else "",
    )


def _moved(fall: float) -> str:
    """Say by how much a loss fell or rose; a rise is not written as a fall below nothing."""
    return f"fell by {fall:.1%}" if fall > 0 else f"rose by {-fall:.1%}" if fall < 0 else "stayed the same"


def _is_frozen(history: History) -> str:
    """Say how nothing moved, or nothing."""
    if history.steps and all(step.learning_rate == 0 for step in history.steps):
        return "nothing was trained: the learning rate was 0 in every step"
    if history.steps and all(step.gradient_norm == 0 for step in history.steps):
        return "nothing was trained: the gradient was 0 in every step, so everything was frozen"
    figures = {(item.loss, item.accuracy) for item in history.validations}
    if len(history.validations) > 1 and len(figures) == 1:
        return (
            f"nothing was trained: validation loss was {history.validations[0].loss:.4f} after every epoch, to the last digit"
        )
    return ""


def _ends(losses: Sequence[float]) -> tuple[Floats, ...]:
    size = max(2, round(END_SHARE * len(losses)))
    return np.array(losses[:size], dtype=float), np.array(losses[-size:], dtype=float)


def _fall(ends: tuple[Floats, ...]) -> tuple[float, float, float]:
    """Return the fall from the first to the last losses as a share of the first, with Welch's 95 % interval."""
    first, last = ends
    fall = float(first.mean() - last.mean())
    half = quantile(0.95) * float(np.sqrt(first.var(ddof=1) / len(first) + last.var(ddof=1) / len(last)))
    base = max(float(first.mean()), 1e-9)
    return fall / base, (fall - half) / base, (fall + half) / base
