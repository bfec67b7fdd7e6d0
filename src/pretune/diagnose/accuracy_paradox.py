"""Accuracy paradox: would a constant answer get most of this accuracy, while one class is hardly ever found?"""

from collections.abc import Sequence

from scipy.stats import binom, binomtest

from pretune.diagnose.measures import percent
from pretune.evaluate.choose import MAX_BALANCED_SHARE
from pretune.records import Confusion, Evaluation, Evidence, Finding, Score, Severity

FIX_DEAD = "Label more rows of these classes, or set --set finetune.class_weights=true."
KEPT = ("encoder_linear", "linear")  # baselines that a run keeps in folders of these names
# Recall below which more rows of a class are missed than found.
MIN_RECALL = 0.50
# Rows below which nothing is said of a class.
MIN_ROWS = 5
# Chance, at a true recall of one half, of finding as few rows or fewer, from which we block. Each way to miss 12 % is below it
# from 8 rows on, and 12 % of fewer rows is none of them, which is below it from 5 rows on.
MAX_P_VALUE = 0.05
# A class is starved when it is predicted less than half as often as it occurs, and chance does not explain it.
MIN_CALLED_SHARE = 0.50
STARVED_P_VALUE = 0.01


def check_accuracy_paradox(_evidence: Evidence, evaluation: Evaluation | None) -> Finding:
    """Where one class holds over 60 %: measure the recall of the class that is found least."""
    check = "results.accuracy_paradox"
    if evaluation is None or not evaluation.confusions:
        return Finding.not_applicable(check, "nothing was evaluated")
    sizes = _sizes(evaluation.confusions[0])
    commonest, total = max(sizes, key=lambda label: sizes[label]), sum(sizes.values())
    constant = sizes[commonest] / total
    if constant <= MAX_BALANCED_SHARE:
        summary = f"no class is so large that a constant answer looks good: the largest, {commonest}, holds {percent(constant)}"
        return Finding(check=check, severity=Severity.OK, summary=summary, measured=constant, limit=MAX_BALANCED_SHARE)
    rare = [label for label in sizes if label != commonest and sizes[label] < MIN_ROWS]
    if rare:
        counted = f"only {sizes[rare[0]]} of {total:,} test rows are {rare[0]}"
        return Finding.unknown(check, f"{counted}; whether it is found cannot be told from fewer than {MIN_ROWS}")
    recalls = [evaluation.find("recall", label) for label in sizes if label != commonest]
    worst = min((score for score in recalls if score is not None), key=lambda score: score.value or 0.0)
    return _judge(check, worst, evaluation.value("accuracy"), commonest, constant)


def _judge(check: str, worst: Score, accuracy: float, commonest: str, constant: float) -> Finding:
    recall, found, total = worst.value or 0.0, worst.num_hits or 0, worst.num_examples
    right = f"{percent(accuracy)} of the answers are right"
    rule = f"a rule that always says {commonest}, and so finds no {worst.label} at all, is right in {percent(constant)}"
    counted = f"Of {total:,} {worst.label} rows the model finds {found:,} ({percent(recall)})"
    if recall >= MIN_RECALL:
        severity, summary = Severity.OK, f"{right}, and {rule}. {counted}: the accuracy does not hide a missed class"
    else:
        sure = float(binom.cdf(found, total, MIN_RECALL)) < MAX_P_VALUE
        severity = Severity.BLOCKING if sure else Severity.WARNING
        summary = (
            f"{right}, but {rule}. {counted} and misses {total - found:,}: "
            f"the accuracy comes from how common {commonest} is, not from what the model finds"
        )
    return Finding(
        check=check,
        severity=severity,
        summary=summary,
        measured=recall,
        limit=MIN_RECALL,
        fix=""
        if severity is Severity.OK
        else f"Judge by precision and recall of {worst.label} (--positive {worst.label} "
        "--goal f1), label more such rows, and set --set finetune.class_weights=true.",
    )


def check_dead_classes(_evidence: Evidence, evaluation: Evaluation | None) -> Finding:
    """Count the classes that have rows and are never predicted, or far less often than they occur."""
    check = "results.dead_class"
    if evaluation is None or not evaluation.confusions:
        return Finding.not_applicable(check, "nothing was evaluated")
    confusion = evaluation.confusions[0]
    sizes, called = _sizes(confusion), dict(zip(confusion.classes, map(sum, zip(*confusion.counts, strict=True)), strict=True))
    dead = [label for label in confusion.classes if sizes[label] > 0 and called[label] == 0]
    starved = [label for label in confusion.classes if called[label] > 0 and _is_starved(confusion, label)]
    names = "; ".join(f"{label} ({sizes[label]} rows)" for label in dead[:5])
    hungry = "; ".join(f"{label} ({sizes[label]} rows, predicted {called[label]} times)" for label in starved[:5])
    parts = [f"never predicted although there are such rows: {names}"] if dead else []
    parts += [f"predicted far less often than they occur: {hungry}"] if starved else []
    known = [label for label in dead if sizes[label] >= MIN_ROWS]
    return Finding(
        check=check,
        severity=Severity.BLOCKING if known else Severity.WARNING if parts else Severity.OK,
        summary="; ".join(parts) or "every class that has rows is predicted about as often as it occurs",
        measured=float(len(dead) + len(starved)),
        limit=0.0,
        fix=_say_who_finds(evaluation, dead) + FIX_DEAD if parts else "",
    )


def _say_who_finds(evaluation: Evaluation, dead: Sequence[str]) -> str:
    """Name the source of the run that does predict the dead classes, which needs no further row."""
    for confusion in evaluation.confusions[1:] if dead else ():
        called = dict(zip(confusion.classes, map(sum, zip(*confusion.counts, strict=True)), strict=True))
        if confusion.source in KEPT and all(called.get(label) for label in dead):
            return f"RUN/{confusion.source} predicts {'it' if len(dead) == 1 else 'them'}: compare the figures. "
    return ""


def _is_starved(confusion: Confusion, label: str) -> bool:
    """Whether the rows missed outnumber the rows wrongly called so, by more than chance and by half of the class."""
    index = confusion.classes.index(label)
    size, called = sum(confusion.counts[index]), sum(row[index] for row in confusion.counts)
    hits = confusion.counts[index][index]
    if size < MIN_ROWS or called >= MIN_CALLED_SHARE * size:
        return False
    chance = binomtest(size - hits, size + called - 2 * hits, 0.5, alternative="greater")
    return float(chance.pvalue) < STARVED_P_VALUE


def _sizes(confusion: Confusion) -> dict[str, int]:
    return {label: sum(row) for label, row in zip(confusion.classes, confusion.counts, strict=True)}
