"""Changed inputs: was this training resumed after something it depends on had changed?"""

from pretune.records import Evaluation, Evidence, Finding, Severity

# After a change of these the rows may have been divided again, and rows that are test rows now may have been trained on.
ROWS = ("data", "tokenizer")


def check_changed_inputs(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Tell of every change under which training was resumed (``--continue-changed``); one of the rows is blocking."""
    check, changes = "training.changed", evidence.changes
    if evidence.history is None:
        return Finding.not_applicable(check, "no training is known")
    if not changes:
        return Finding(check=check, severity=Severity.OK, summary="training ended with the inputs it was begun with")
    told = "; ".join(f"{item.what} after step {item.step:,} ({item.then} then, {item.now} now)" for item in changes)
    touches_rows = any(item.what in ROWS for item in changes)
    risk = ": rows that are test rows now may have been trained on" if touches_rows else ", so nobody can repeat it"
    return Finding(
        check=check,
        severity=Severity.BLOCKING if touches_rows else Severity.WARNING,
        summary=f"training was resumed after a change{risk}: {told}",
        measured=float(len(changes)),
        limit=0.0,
        fix="Train again from the start (--overwrite) with what there is now.",
    )
