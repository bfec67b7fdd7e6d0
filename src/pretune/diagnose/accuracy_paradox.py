"""Accuracy paradox: is most of the accuracy what a constant answer would get, with a class hardly found?"""

from pretune.evaluate.choose import MAX_BALANCED_SHARE
from pretune.records import Confusion, Evaluation, Evidence, Finding, Score, Severity

# Recall below which more rows of a class are missed than found.
MIN_RECALL = 0.50
# Rows below which nothing is said of a class.
MIN_ROWS = 5


def check_accuracy_paradox(_evidence: Evidence, evaluation: Evaluation | None) -> Finding:
    """Where one class holds over 60 %: measure the recall of the class that is found least."""
    check = "results.accuracy_paradox"
    if evaluation is None or not evaluation.confusions:
        return Finding.not_applicable(check, "nothing was evaluated")
    sizes = _sizes(evaluation.confusions[0])
    commonest, total = max(sizes, key=lambda label: sizes[label]), sum(sizes.values())
    constant = sizes[commonest] / total
    if constant <= MAX_BALANCED_SHARE:
        summary = (
            f"no class is so large that a constant answer looks good: the largest, {commonest}, holds {_percent(constant)}"
        )
        return Finding(check=check, severity=Severity.OK, summary=summary, measured=constant, limit=MAX_BALANCED_SHARE)
    rare = [label for label in sizes if label != commonest and sizes[label] < MIN_ROWS]
    if rare:
        counted = f"only {sizes[rare[0]]} of {total:,} test rows are {rare[0]}"
        return Finding.unknown(check, f"{counted}; whether it is found cannot be told from fewer than {MIN_ROWS}")
    recalls = [evaluation.find("recall", label) for label in sizes if label != commonest]
    worst = min((score for score in recalls if score is not None), key=lambda score: score.value or 0.0)
    return _judge(check, worst, evaluation.value("accuracy"), commonest, constant)


def _judge(check: str, worst: Score, accuracy: float, commonest: str, constant: float) -> Finding:
    recall = worst.value or 0.0
    found = f"{worst.num_hits} of the {worst.num_examples} {worst.label} rows ({_percent(recall)})"
    right = f"{_percent(accuracy)} of the answers are right"
    severity, summary = Severity.OK, f"{right}, and {found} are found: accuracy does not hide a missed class"
    if recall < MIN_RECALL:
        severity = Severity.BLOCKING if worst.is_short_of(MIN_RECALL) else Severity.WARNING
        summary = f"{right}, but always saying {commonest} would reach {_percent(constant)}: only {found} are found"
    return Finding(
        check=check,
        severity=severity,
        summary=summary,
        measured=recall,
        limit=MIN_RECALL,
        fix="" if severity is Severity.OK else f"Judge by precision and recall of {worst.label}; label more such rows.",
    )


def check_dead_classes(_evidence: Evidence, evaluation: Evaluation | None) -> Finding:
    """Count the classes that have rows and are never predicted."""
    check = "results.dead_class"
    if evaluation is None or not evaluation.confusions:
        return Finding.not_applicable(check, "nothing was evaluated")
    confusion = evaluation.confusions[0]
    sizes, called = _sizes(confusion), dict(zip(confusion.classes, map(sum, zip(*confusion.counts, strict=True)), strict=True))
    dead = [label for label in confusion.classes if sizes[label] > 0 and called[label] == 0]
    known = [label for label in dead if sizes[label] >= MIN_ROWS]
    names = "; ".join(f"{label} ({sizes[label]} rows)" for label in dead[:5])
    severity = Severity.BLOCKING if known else Severity.WARNING if dead else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"never predicted although there are such rows: {names}" if dead else "every class that has rows is predicted",
        measured=float(len(dead)),
        limit=0.0,
        fix="Label more rows of these classes, or set --set finetune.class_weights=true." if dead else "",
    )


def _sizes(confusion: Confusion) -> dict[str, int]:
    return {label: sum(row) for label, row in zip(confusion.classes, confusion.counts, strict=True)}


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
