"""Under-training: was training stopped before it was done, or did it never begin?"""

from pretune.observation import observe
from pretune.records import Evaluation, Evidence, Finding, History, Severity

# Relative fall of the validation loss over the last epoch above which another epoch would likely have helped.
MAX_LAST_FALL = 0.05


def check_undertraining(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how much the validation loss still fell in the last epoch."""
    check = "training.undertraining"
    history = evidence.history
    if history is None or not history.validations:
        return Finding.unknown(check, "needs the history of training")
    if len(history.validations) == 1:
        summary = "training had one epoch; whether more would help is not known"
        return Finding(check=check, severity=Severity.NOTE, summary=summary, measured=1.0, fix="--epochs 3")
    fall = _last_fall(history)
    if observe(history.validations) in ("not learning", "diverging"):
        first, last = history.validations[0].loss, history.validations[-1].loss
        summary = f"training did not learn: validation loss {first:.3f} at first, {last:.3f} at last"
        fix = "--lr, higher or lower, and --freeze none"
        return Finding(check=check, severity=Severity.WARNING, summary=summary, measured=fall, limit=MAX_LAST_FALL, fix=fix)
    steep = fall > MAX_LAST_FALL
    return Finding(
        check=check,
        severity=Severity.WARNING if steep else Severity.OK,
        summary=f"in the last epoch the validation loss fell by {fall:.1%}" + (" and was not done falling" if steep else ""),
        measured=fall,
        limit=MAX_LAST_FALL,
        fix=f"--epochs {2 * len(history.validations)}" if steep else "",
    )


def _last_fall(history: History) -> float:
    before, last = history.validations[-2].loss, history.validations[-1].loss
    return (before - last) / before if before > 0 else 0.0
