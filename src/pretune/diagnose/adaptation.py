"""Adaptation: did pre-training on the domain help the task, and what was forgotten on the way?

Read from the evidence, where there is any: predictions of the source ``before`` (the same fine-tuning from the unadapted
checkpoint) on the test; predictions of both on the split ``general`` (a general task); and, among the figures, losses of
language modelling (``loss``, ``perplexity``, ``bits_per_byte``) of both on the splits ``domain`` and ``general``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm

from pretune.diagnose.measures import judged_source, right_answers
from pretune.intervals import quantile
from pretune.records import Evaluation, Evidence, Finding, Predictions, Score, Severity

LOSSES = ("bits_per_byte", "loss", "perplexity")
# Relative fall of the domain loss that counts as improved, and relative rise of the general loss that counts as forgetting.
# Ours: continued pre-training that helps lowers the loss by 5 to 30 %.
MIN_LOSS_FALL = 0.01
MAX_LOSS_RISE = 0.05
# Points of accuracy on a general task that may be lost.
MAX_GENERAL_LOSS = 0.02
MAX_P_VALUE = 0.05


def check_yardstick(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Where pre-training lowered its own loss: ask whether the task improved, too, on the same rows."""
    check, source = "adaptation.wrong_yardstick", judged_source(evaluation)
    losses = _losses(evaluation, "domain", source)
    pair = _pair(evidence, "test", source)
    if pair is None or losses is None:
        return Finding.not_applicable(check, "no domain loss and task figures of both the adapted and the unadapted model")
    fall = (losses[0] - losses[1]) / max(losses[0], 1e-9)
    gain, low, high = _gain(*(right_answers(item) for item in pair))
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
        if fooled else "",
    )  # fmt: skip


def check_one_sided(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Ask of precision and recall of the positive class whether both improved over ``before``, or one at the other's cost."""
    check, source = "adaptation.one_sided", judged_source(evaluation)
    pair = _pair(evidence, "test", source)
    if pair is None:
        return Finding.not_applicable(check, "there is no unadapted model to compare with")
    label = evidence.positive
    if label is None:
        return Finding.not_applicable(check, "there is no positive class; figures are averages over the classes")
    changes = {"precision": _change(pair, label, by="predicted"), "recall": _change(pair, label, by="label")}
    rose = [name for name, (_, change, p) in changes.items() if change > 0 and p < MAX_P_VALUE]
    fell = [name for name, (_, change, p) in changes.items() if change < 0 and p < MAX_P_VALUE]
    shown = ", ".join(f"{name} {change:+.3f} to {value:.3f} (p = {p:.2g})" for name, (value, change, p) in changes.items())
    one_sided = bool(rose) and bool(fell)
    words = f": {rose[0]} was bought with {fell[0]}" if one_sided else ""
    return Finding(
        check=check,
        severity=Severity.WARNING if one_sided else Severity.OK,
        summary=f"against the unadapted model, {label} has {shown}{words}",
        measured=min(change for _, change, _ in changes.values()),
        limit=0.0,
        fix="A threshold does the same without adaptation: choose one by --goal, for both models, and compare again."
        if one_sided else "",
    )  # fmt: skip


def check_forgetting(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure how much the loss on general text rose, and accuracy on a general task fell."""
    check, source = "adaptation.forgetting", judged_source(evaluation)
    losses, pair = _losses(evaluation, "general", source), _pair(evidence, "general", source)
    if losses is None and pair is None:
        return Finding.not_applicable(check, "no general text or task was scored before and after")
    parts, measured, limit, beyond = [], 0.0, MAX_LOSS_RISE, False
    if losses is not None:
        measured = (losses[1] - losses[0]) / max(losses[0], 1e-9)
        beyond = measured > MAX_LOSS_RISE
        parts.append(f"loss on general text changed by {measured:+.1%} ({losses[0]:.3f} to {losses[1]:.3f})")
    if pair is not None:
        gain, low, high = _gain(*(right_answers(item) for item in pair))
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


def _losses(evaluation: Evaluation | None, split: str, source: str) -> tuple[float, float] | None:
    """Return the loss before and after, of the first metric that both have."""
    scores: Sequence[Score] = evaluation.scores if evaluation is not None else ()
    values = {(item.metric, item.source): item.value for item in scores if item.split == split and item.value is not None}
    pairs = ((values.get((metric, "before")), values.get((metric, source))) for metric in LOSSES)
    return next(((before, after) for before, after in pairs if before is not None and after is not None), None)


def _pair(evidence: Evidence, split: str, source: str) -> tuple[Predictions, Predictions] | None:
    """Return what the unadapted and the judged model said about the same rows."""
    before, after = evidence.find(split, "before"), evidence.find(split, source)
    if before is None or after is None or before.ids != after.ids or len(before.ids) < 2:
        return None
    return before, after


def _gain(before: npt.NDArray[np.bool_], after: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    gains = after.astype(float) - before.astype(float)
    half = quantile(0.95) * max(float(gains.std(ddof=1)), 1 / len(gains)) / len(gains) ** 0.5
    return float(gains.mean()), float(gains.mean()) - half, float(gains.mean()) + half


def _change(pair: tuple[Predictions, Predictions], label: str, *, by: str) -> tuple[float, float, float]:
    """Return recall (``by`` label) or precision (``by`` predicted) after adaptation, its change, and a p-value.

    Recall is paired on the rows of the class (exact McNemar). Precision rests on different rows before and after, so the
    shares of hits among the calls are compared by their standard error, as of independent proportions.
    """
    before, after = ((np.array(item.labels) == label, np.array(item.predicted) == label) for item in pair)
    if by == "label":
        rows = after[0]
        old, new = before[1][rows], after[1][rows]
        won, lost = int((new & ~old).sum()), int((old & ~new).sum())
        p_value = float(binomtest(won, won + lost, 0.5).pvalue) if won + lost else 1.0
        return _share(new), _share(new) - _share(old), p_value
    old, new = before[0][before[1]], after[0][after[1]]
    if not len(old) or not len(new):
        return _share(new), 0.0, 1.0
    pooled = (old.sum() + new.sum()) / (len(old) + len(new))
    error = float(np.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / len(old) + 1 / len(new))))
    p_value = 2 * float(norm.sf(abs(_share(new) - _share(old)) / error))
    return _share(new), _share(new) - _share(old), p_value


def _share(hits: npt.NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else 0.0
