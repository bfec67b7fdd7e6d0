"""Labels: do they contradict each other, does each class have enough rows, and how large is the largest class?"""

from collections import Counter

from pretune.diagnose.measures import percent
from pretune.evaluate.choose import MAX_BALANCED_SHARE
from pretune.intervals import proportion_interval
from pretune.records import Evaluation, Evidence, Finding, Severity

# Share of rows under contradicting labels above which they put a ceiling on accuracy that is as low as a gain worth having.
MAX_CONFLICT_SHARE = 0.01
# Accuracy that contradicting labels must take away at least for the ceiling to be worth a word.
MIN_CEILING = 0.001
# Training rows below which a class is hardly learned; the number from which its figures get an interval, too.
MIN_CLASS_ROWS = 20
# Share of the largest class above which a constant answer passes the accuracy gate, so that accuracy says nothing at all.
MAX_CONSTANT_SHARE = 0.85
# Half-width of the interval that the test rows of the rarest class allow, at a recall of 0.85, above which neighbouring
# verdicts both fit. The gates (0.80) are 0.05 below what we call good, so 0.10 can tell neither.
MAX_HALF_WIDTH = 0.10
LIKELY_RECALL = 0.85


def check_conflicts(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of rows whose text also occurs with another label, and the ceiling that puts on accuracy."""
    check = "labels.conflicts"
    if evidence.receipt is None:
        return Finding.unknown(check, "needs the receipt of the data")
    conflicts, num_rows = evidence.receipt.conflicts, max(evidence.receipt.num_used, 1)
    rows = [id for conflict in conflicts for id in conflict.ids]
    share = len(rows) / num_rows
    # of the rows of a text, a model that gives one answer is right at most on those of one label
    unwinnable = sum(max(1, len(conflict.labels) - 1) for conflict in conflicts)
    is_felt = unwinnable / num_rows >= MIN_CEILING
    ceiling = f"; no model can score over {percent(1 - unwinnable / num_rows)} on all rows" if is_felt else ""
    severity = Severity.WARNING if share > MAX_CONFLICT_SHARE else Severity.NOTE if rows else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{len(conflicts):,} texts ({len(rows):,} rows) carry more than one label{ceiling}",
        measured=share,
        limit=MAX_CONFLICT_SHARE,
        examples=tuple(rows[:5]),
        fix="Look at these rows and settle their labels, or pass --repair: no model can be right on both." if rows else "",
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


def check_imbalance(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of the largest class: what a constant answer scores."""
    check = "labels.imbalance"
    counts = Counter(example.label for example in evidence.train if example.label is not None)
    if not counts:
        return Finding.unknown(check, "needs labelled training rows")
    commonest, size = counts.most_common(1)[0]
    total = sum(counts.values())
    low, _ = proportion_interval(size, total)
    severity = Severity.WARNING if low > MAX_CONSTANT_SHARE else Severity.OK
    if severity is Severity.OK and low > MAX_BALANCED_SHARE:
        severity = Severity.NOTE
    says = f"{commonest} holds {percent(size / total)} of {total:,} training rows"
    constant = f": always saying {commonest} scores as much, so judge by precision and recall of the others, not by accuracy"
    return Finding(
        check=check,
        severity=severity,
        summary=says + (constant if severity is not Severity.OK else ""),
        measured=size / total,
        limit=MAX_CONSTANT_SHARE,
        fix="--goal f1 (or --goal recall), and label more rows of the rarer classes. Classes are weighted in training "
        "(--set finetune.class_weights=true)."
        if severity is Severity.WARNING
        else "",
    )


def check_test_rows(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Say how well the recall of the positive class, or of the rarest, can be known from the test rows there are."""
    check = "labels.few_test_rows"
    splits = evidence.receipt.splits if evidence.receipt is not None else ()
    sizes = next((item.labels for item in splits if item.name == "test"), {})
    if not sizes:
        return Finding.unknown(check, "needs the number of test rows of each class")
    sizes = {label: sizes.get(label, 0) for label in (evidence.classes or sizes)}
    label = evidence.positive if evidence.positive in sizes else min(sizes, key=lambda item: sizes[item])
    count = sizes[label]
    low, high = proportion_interval(round(LIKELY_RECALL * count), count) if count else (0.0, 1.0)
    half = (high - low) / 2
    return Finding(
        check=check,
        severity=Severity.WARNING if half > MAX_HALF_WIDTH else Severity.OK,
        summary=f"{count:,} test rows are {label}: a recall of {LIKELY_RECALL:.2f} would be known to ± {half:.3f}",
        measured=half,
        limit=MAX_HALF_WIDTH,
        fix=f"Label more rows of {label}; the width shrinks with the root of their number." if half > MAX_HALF_WIDTH else "",
    )
