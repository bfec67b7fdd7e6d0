"""Labels: do they contradict each other, and does each class have enough rows to be learned?"""

from collections import Counter

from pretune.records import Evaluation, Evidence, Finding, Severity

# Share of rows under contradicting labels above which they put a ceiling on accuracy that is as low as a gain worth having.
MAX_CONFLICT_SHARE = 0.01
# Training rows below which a class is hardly learned; the number from which its figures get an interval, too.
MIN_CLASS_ROWS = 20


def check_conflicts(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of rows whose text also occurs with another label."""
    check = "labels.conflicts"
    if evidence.receipt is None:
        return Finding.unknown(check, "needs the receipt of the data")
    conflicts = evidence.receipt.conflicts
    rows = [id for conflict in conflicts for id in conflict.ids]
    share = len(rows) / max(evidence.receipt.num_used, 1)
    severity = Severity.WARNING if share > MAX_CONFLICT_SHARE else Severity.NOTE if rows else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{len(conflicts):,} texts ({len(rows):,} rows) carry more than one label",
        measured=share,
        limit=MAX_CONFLICT_SHARE,
        examples=tuple(rows[:5]),
        fix="Look at these rows and settle their labels: no model can be right on both." if rows else "",
    )


def check_starved_classes(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Count the training rows of the smallest class."""
    check = "labels.starved_class"
    counts = Counter(example.label for example in evidence.train if example.label is not None)
    if not counts:
        return Finding.unknown(check, "needs labelled training rows")
    sizes = {label: counts[label] for label in (evidence.classes or sorted(counts))}
    smallest = min(sizes, key=lambda label: sizes[label])
    starved = [label for label, size in sizes.items() if size < MIN_CLASS_ROWS]
    others = f"; {len(starved)} classes have fewer than {MIN_CLASS_ROWS}" if len(starved) > 1 else ""
    return Finding(
        check=check,
        severity=Severity.WARNING if starved else Severity.OK,
        summary=f"the smallest class, {smallest}, has {sizes[smallest]:,} of {sum(sizes.values()):,} training rows{others}",
        measured=float(sizes[smallest]),
        limit=float(MIN_CLASS_ROWS),
        examples=tuple(example.id for example in evidence.train if example.label in starved)[:5],
        fix=f"Label more rows of {', '.join(starved[:5])}, or join classes that need not be told apart." if starved else "",
    )
