"""Spellings: is one class spelled in two ways, and how many answers count as wrong only for that?"""

from collections import Counter

from pretune.data.labels.spelling import near_key, note_near
from pretune.records import Evaluation, Evidence, Finding, Severity


def check_spellings(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Name classes that differ in case or spacing only, among labels and answers, and what that takes from accuracy."""
    check = "labels.spelling"
    rows = [*evidence.train, *evidence.validation, *evidence.test]
    main = evidence.find("test", evaluation.main) if evaluation is not None else None
    counts = Counter(row.label for row in rows if row.label is not None)
    if main is not None:
        counts.update(main.predicted)
    if not counts:
        return Finding.unknown(check, "needs labelled rows")
    notes = note_near(counts)
    if not notes:
        summary = f"no two of {len(counts)} classes differ by case or spacing only"
        return Finding(check=check, severity=Severity.OK, summary=summary, measured=0.0, limit=0.0)
    said = [] if main is None else list(zip(main.ids, map(str, main.labels), main.predicted, strict=True))
    merely = [id for id, label, answer in said if label != answer and near_key(label) == near_key(answer)]
    num_right = sum(label == answer for _, label, answer in said)
    taken = ""
    if merely:
        now, merged = (count / len(said) for count in (num_right, num_right + len(merely)))
        taken = f"; {len(merely):,} answers are wrong in nothing else: as one class, accuracy is {merged:.3f}, not {now:.3f}"
    return Finding(
        check=check,
        severity=Severity.WARNING,
        summary="; ".join(notes) + taken,
        measured=float(len(notes)),
        limit=0.0,
        examples=tuple(merely[:5]),
        fix="Pass --merge-labels if they are one class, or write them alike.",
    )
