"""Bad values: are the figures near chance or below one half, and are there enough rows to say so?"""

from pretune.diagnose.accuracy_paradox import MIN_ROWS
from pretune.records import Evaluation, Evidence, Finding, Score, Severity

# Precision or recall under this: more wrong than right.
MIN_FIGURE = 0.50
# Accuracy within this of guessing among the classes counts as near chance.
NEAR_CHANCE = 0.05
# Half-width of an interval from which two neighbouring verdicts both fit. Ours: the distance between good and the gate.
MAX_HALF_WIDTH = 0.05


def check_bad_values(evidence: Evidence, evaluation: Evaluation | None) -> Finding:
    """Hold accuracy against guessing, and precision and recall against one half."""
    check = "results.bad_values"
    if evaluation is None:
        return Finding.not_applicable(check, "nothing was evaluated")
    chance = 1 / max(len(evidence.classes) or _num_classes(evaluation), 2)
    limits = {"accuracy": chance + NEAR_CHANCE, "precision": MIN_FIGURE, "recall": MIN_FIGURE}
    scores = [score for score in _headline(evidence, evaluation) if score.value is not None]
    if evidence.positive is not None and _num_positives(evidence.positive, evaluation) < MIN_ROWS:
        scores = [score for score in scores if score.label is None]
    bad = [score for score in scores if (score.value or 0.0) < limits[score.metric]]
    if not bad:
        shown = ", ".join(f"{score.name} {score.value:.3f}" for score in scores)
        return Finding(check=check, severity=Severity.OK, summary=f"no figure is near chance or under one half: {shown}")
    worst = max(bad, key=lambda score: score.is_short_of(limits[score.metric]))
    what = f"near the {chance:.2f} of guessing" if worst.metric == "accuracy" else "under one half"
    sure = worst.is_short_of(limits[worst.metric])
    return Finding(
        check=check,
        severity=Severity.BLOCKING if sure else Severity.WARNING,
        summary=f"{worst.name} is {worst.value:.3f}, {what}" + ("" if sure else ", though its interval reaches higher"),
        measured=worst.value,
        limit=limits[worst.metric],
        fix="Look at the training trace and the labels first; then try more epochs, a higher --lr or --freeze none.",
    )


def check_size(evidence: Evidence, evaluation: Evaluation | None) -> Finding:
    """Measure the widest interval of the headline figures."""
    check = "results.size"
    if evaluation is None:
        return Finding.not_applicable(check, "nothing was evaluated")
    scores = [score for score in _headline(evidence, evaluation) if score.value is not None]
    unknown = [score for score in scores if score.low is None or score.high is None]
    if unknown or not scores:
        why = f"{unknown[0].name}: {unknown[0].method}" if unknown else "no figure is defined"
        return Finding(check=check, severity=Severity.WARNING, summary=why, limit=MAX_HALF_WIDTH, fix="Label more test rows.")
    widest = max(scores, key=_half_width)
    half = _half_width(widest)
    return Finding(
        check=check,
        severity=Severity.WARNING if half > MAX_HALF_WIDTH else Severity.OK,
        summary=f"{widest.name} is known to ± {half:.3f}, from {widest.num_examples:,} rows",
        measured=half,
        limit=MAX_HALF_WIDTH,
        fix="Label more test rows; the width shrinks with the root of their number." if half > MAX_HALF_WIDTH else "",
    )


def _headline(evidence: Evidence, evaluation: Evaluation) -> list[Score]:
    label = evidence.positive if evidence.positive is not None else "macro"
    wanted = (("accuracy", None), ("precision", label), ("recall", label))
    scores = (evaluation.find(metric, name) for metric, name in wanted)
    return [score for score in scores if score is not None]


def _num_positives(positive: str, evaluation: Evaluation) -> int:
    recall = evaluation.find("recall", positive)
    return recall.num_examples if recall is not None else 0


def _half_width(score: Score) -> float:
    return ((score.high or 0.0) - (score.low or 0.0)) / 2


def _num_classes(evaluation: Evaluation) -> int:
    return len(evaluation.confusions[0].classes) if evaluation.confusions else 2
