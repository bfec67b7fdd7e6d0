"""How to write figures and foreign text, on the terminal and in the report."""

import math
from collections.abc import Sequence

from pretune.configs import LAST
from pretune.records import Change, Finding, History, Outcome, Severity, Validation
from pretune.wording.lines import one_line as one_line

OUTCOMES = {
    Outcome.SHIP: "SHIP",
    Outcome.DO_NOT_SHIP: "DO NOT SHIP",
    Outcome.NOT_ENOUGH_EVIDENCE: "NOT ENOUGH EVIDENCE",
}

MARKS: dict[bool | None, str] = {True: "✓", False: "✗", None: "?"}
MARK_WORDS: dict[bool | None, str] = {True: "holds", False: "fails", None: "open"}

SEVERITY_MARKS = {
    Severity.BLOCKING: "✗",
    Severity.WARNING: "!",
    Severity.NOTE: "·",
    Severity.OK: "✓",
    Severity.UNKNOWN: "?",
    Severity.NOT_APPLICABLE: "–",
}

UNDEFINED = "—"

# Why the first look may not have been the first: the ledger itself is there, with this look in it.
FIRST_KNOWN = "the first known look: it is in the ledger, which cannot vouch for the time before it began"


def describe_epoch(history: History, item: Validation) -> str:
    """Say what training did in an epoch; one that overfits by its loss and was kept all the same says why it was.

    Example:
        >>> epoch = Validation(epoch=3, step=9, training_loss=0.1, training_accuracy=None, loss=0.4, accuracy=0.9,
        ...     metric="accuracy", metric_value=0.9, learning_rate=0.0, seconds=1.0, observation="overfitting since epoch 2")
        >>> describe_epoch(History(monitor="macro_f1", best_epoch=3), epoch)
        'overfitting since epoch 2 by its loss, yet best by macro f1'
    """
    if item.epoch != history.best_epoch or not item.observation.startswith("overfitting"):
        return item.observation
    why = "kept as the last" if history.monitor == LAST else f"best by {history.monitor.replace('_', ' ')}"
    return f"{item.observation} by its loss, yet {why}"


def number(value: float | None, digits: int = 3) -> str:
    """Write a figure with a fixed number of digits; what is undefined is a dash.

    Example:
        >>> number(0.85714), number(None), number(1234.5, digits=1)
        ('0.857', '—', '1,234.5')
    """
    return UNDEFINED if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def chance(p_value: float) -> str:
    """Write a p value; a small one is never rounded to nothing.

    Example:
        >>> chance(0.0321), chance(0.00002)
        ('0.032', '< 0.001')
    """
    return "< 0.001" if p_value < 0.001 else number(p_value)


def span(low: float | None, high: float | None, *, signed: bool = False, digits: int = 3) -> str:
    """Write an interval, or nothing where there is none.

    Example:
        >>> span(0.8321, 0.8812), span(-0.01, 0.02, signed=True), span(None, None)
        ('0.832–0.881', '-0.010 to +0.020', '')
    """
    if low is None or high is None:
        return ""
    return f"{low:+.{digits}f} to {high:+.{digits}f}" if signed else f"{low:.{digits}f}–{high:.{digits}f}"


def percent(part: float, whole: float = 1.0) -> str:
    """Write a share as a percentage; a small share is never rounded to nothing.

    Example:
        >>> percent(1, 8), percent(1, 100_000), percent(0, 5)
        ('12.5 %', '< 0.1 %', '0 %')
    """
    share = 0.0 if whole == 0 else 100 * part / whole
    return "< 0.1 %" if 0 < share < 0.1 else f"{share:.3g} %"


def duration(seconds: float) -> str:
    """Write a time with the units a person would use.

    Example:
        >>> duration(0.314), duration(75), duration(3720)
        ('0.31 s', '1 min 15 s', '1 h 02 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def sort_findings(findings: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part what was checked, worst first, from what was not checked."""
    order = list(SEVERITY_MARKS)
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    skipped = (Severity.UNKNOWN, Severity.NOT_APPLICABLE)
    checked = tuple(finding for finding in ranked if finding.severity not in skipped)
    return checked, tuple(finding for finding in ranked if finding.severity in skipped)


def describe_changes(changes: Sequence[Change]) -> str:
    """Say after which changes a training was resumed.

    Example:
        >>> describe_changes([Change(what="torch", then="2.12", now="2.13", step=40)])
        'torch: 2.12 until step 40, then 2.13'
    """
    return "; ".join(f"{item.what}: {item.then} until step {item.step:,}, then {item.now}" for item in changes)
