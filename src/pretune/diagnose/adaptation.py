"""Adaptation: did pre-training on the domain help the task, and what did it make the model forget?

This reads from the evidence, as far as it is there: predictions of the source ``before`` (the same fine-tuning from the
unadapted checkpoint) on the test; and for the language model itself, as sources ``before`` and ``pretrained``, predictions on
the split ``general`` (a general task) and losses (``loss``, ``perplexity``, ``bits_per_byte``) on ``domain`` and ``general``.
"""

from collections.abc import Sequence

from pretune.data.alike.units import with_units
from pretune.diagnose.measures import judged_source
from pretune.evaluate import compare
from pretune.evaluate.paired import compare_named, pair as paired_rows
from pretune.records import Comparison, Evaluation, Evidence, Example, Finding, Predictions, Severity, Terms

LOSSES = ("bits_per_byte", "loss", "perplexity")
AFTER = "pretrained"  # the language model itself, after
# Relative fall of the domain loss that counts as improved, and relative rise of the general loss that counts as forgetting.
# Ours: continued pre-training that helps lowers the loss by 5 to 30 %.
MIN_LOSS_FALL = 0.01
MAX_LOSS_RISE = 0.05
# Points of accuracy on a general task that may be lost.
MAX_GENERAL_LOSS = 0.02
CONFIDENCE = 0.95


def check_yardstick(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Where pre-training lowered its own loss: ask whether the task improved, too, on the same rows."""
    check, source = "adaptation.wrong_yardstick", judged_source(evaluation)
    losses, pair = _losses(evidence, "domain"), _pair(evidence, "test", source)
    if pair is None or losses is None:
        return Finding.not_applicable(check, "no domain loss and task figures of both the adapted and the unadapted model")
    fall = (losses[0] - losses[1]) / max(losses[0], 1e-9)
    gain, low, high = _gain(evidence, pair, evidence.test)
    interval = f"{gain:+.3f} (95 % interval {low:+.3f} to {high:+.3f})"
    fooled = fall > MIN_LOSS_FALL and low <= 0
    says = f"adaptation changed the loss on the domain by {-fall:+.1%} and accuracy on the task by {interval}"
    return Finding(
        check=check,
        severity=Severity.WARNING if fooled else Severity.OK,
        summary=says + (": the yardstick improved, the task is not shown to have" if fooled else ""),
        measured=gain,
        limit=0.0,
        fix="Judge adaptation by the task, not by its loss; ship the unadapted model, or adapt on texts nearer to the task."
        if fooled
        else "",
    )


def check_one_sided(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Ask of precision and recall of the positive class whether both improved over ``before``, or one at the other's cost.

    Both are compared on the same rows: recall by McNemar's test, precision by exchanging the two answers of a row.
    """
    check, source = "adaptation.one_sided", judged_source(evaluation)
    pair = _pair(evidence, "test", source)
    if pair is None:
        return Finding.not_applicable(check, "there is no unadapted model to compare with")
    label = evidence.positive
    if label is None:
        return Finding.not_applicable(check, "there is no positive class; figures are averages over the classes")
    if label not in pair[0].labels:
        return Finding.not_applicable(check, f"no test row is {label}")
    rows = paired_rows(pair[1], pair[0], _terms(evidence, evidence.test))
    both = compare_named(rows, [f"precision[{label}]", f"recall[{label}]"])
    sure = [item for item in both if item.p_value <= 1 - CONFIDENCE]
    rose = [_name(item) for item in sure if item.difference > 0]
    fell = [_name(item) for item in sure if item.difference < 0]
    shown = ", ".join(f"{_name(item)} {item.difference:+.3f} to {item.value_a:.3f} (p = {item.p_value:.2g})" for item in both)
    one_sided = bool(rose) and bool(fell)
    words = f": {rose[0]} was bought with {fell[0]}" if one_sided else ""
    return Finding(
        check=check,
        severity=Severity.WARNING if one_sided else Severity.OK,
        summary=f"against the unadapted model, {label} has {shown}{words}",
        measured=min(item.difference for item in both),
        limit=0.0,
        fix="A threshold does the same without adaptation: choose one by --goal, for both models, and compare again."
        if one_sided
        else "",
    )


def check_forgetting(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how much the loss on general text rose, and accuracy on a general task fell."""
    check = "adaptation.forgetting"
    losses, pair = _losses(evidence, "general"), _pair(evidence, "general", AFTER)
    if losses is None and pair is None:
        return Finding.not_applicable(
            check, "no general text (`pretune pretrain --general`) or task (`--general-task`) was scored before and after"
        )
    parts, measured, limit, beyond = [], 0.0, MAX_LOSS_RISE, False
    if losses is not None:
        measured = (losses[1] - losses[0]) / max(losses[0], 1e-9)
        beyond = measured > MAX_LOSS_RISE
        parts.append(f"loss on general text changed by {measured:+.1%} ({losses[0]:.3f} to {losses[1]:.3f})")
    if pair is not None:
        gain, low, high = _gain(evidence, pair)
        parts.append(f"accuracy on a general task by {gain:+.3f} (95 % interval {low:+.3f} to {high:+.3f})")
        if high < -MAX_GENERAL_LOSS or losses is None:
            measured, limit = -gain, MAX_GENERAL_LOSS
        beyond = beyond or high < -MAX_GENERAL_LOSS
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary="; ".join(parts),
        measured=measured,
        limit=limit,
        fix="Mix general text into the corpus, lower --lr, or stop earlier." if beyond else "",
    )


def _losses(evidence: Evidence, split: str) -> tuple[float, float] | None:
    """Return the loss before and after, of the first metric that both have."""
    known = [item for item in evidence.language if item.split == split and item.value is not None]
    values = {(item.metric, item.source): item.value for item in known}
    pairs = ((values.get((metric, "before")), values.get((metric, AFTER))) for metric in LOSSES)
    return next(((before, after) for before, after in pairs if before is not None and after is not None), None)


def _pair(evidence: Evidence, split: str, source: str) -> tuple[Predictions, Predictions] | None:
    """Return what the unadapted model and this source said about the same rows."""
    before, after = evidence.find(split, "before"), evidence.find(split, source)
    if before is None or after is None or before.ids != after.ids or len(before.ids) < 2:
        return None
    return before, after


def _terms(evidence: Evidence, rows: Sequence[Example] = ()) -> Terms:
    return with_units(Terms(confidence=CONFIDENCE, rules=evidence.rules), rows, evidence.copies)


def _gain(
    evidence: Evidence, pair: tuple[Predictions, Predictions], rows: Sequence[Example] = ()
) -> tuple[float, float, float]:
    """Return what accuracy gained on the same rows, with its interval: all there is where groups are too few for one."""
    gained = compare(pair[1], pair[0], _terms(evidence, rows))
    low, high = (-1.0, 1.0) if gained.low is None or gained.high is None else (gained.low, gained.high)
    return gained.difference, low, high


def _name(comparison: Comparison) -> str:
    return comparison.metric.partition("[")[0]
