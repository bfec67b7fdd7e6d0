"""Leakage: has training already shown the model what the test asks?"""

from collections.abc import Sequence

from pretune.data.duplicates import find_duplicates
from pretune.hashing import fingerprint
from pretune.records import Evaluation, Evidence, Example, Finding, Severity

# Share of test texts also seen in training above which a test score no longer measures generalization: one point of
# accuracy is what we call a gain worth having, and that many known answers can fake it. Ours, see docs/decisions/.
MAX_SEEN_SHARE = 0.01
# The same for texts that are nearly the same. They give less away, and short texts with few words are alike by chance.
MAX_NEAR_SHARE = 0.05
# Similarity from which texts count as nearly the same where no receipt states one; that of SplitConfig.
NEAR_THRESHOLD = 0.8

FIX = "Let pretune split the data, or leave out --keep-leaks, so that these rows are taken out of training."


def check_seen_texts(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test texts that occur, but for case and spacing, in training."""
    check = "leakage.seen_texts"
    if not evidence.has_texts("train", "test"):
        return Finding.unknown(check, "needs the texts of training and test")
    leaked = _seen(evidence.train, evidence.test)
    share = len(leaked) / len(evidence.test)
    return Finding(
        check=check,
        severity=_severity(share, MAX_SEEN_SHARE),
        summary=f"{len(leaked):,} of {len(evidence.test):,} test texts were seen in training",
        measured=share,
        limit=MAX_SEEN_SHARE,
        examples=tuple(leaked[:5]),
        fix=FIX if leaked else "",
    )


def check_near_texts(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test texts that are nearly, but not exactly, a text of training."""
    check = "leakage.near_texts"
    if not evidence.has_texts("train", "test"):
        return Finding.unknown(check, "needs the texts of training and test")
    threshold = evidence.receipt.near_duplicate_threshold if evidence.receipt is not None else None
    texts = [example.text for example in (*evidence.train, *evidence.test)]
    found = find_duplicates(texts, threshold=threshold if threshold is not None else NEAR_THRESHOLD)
    start = len(evidence.train)
    known, clusters = set(found.folded[:start].tolist()), set(found.component[:start].tolist())
    rows = zip(evidence.test, found.folded[start:].tolist(), found.component[start:].tolist(), strict=True)
    leaked = [example.id for example, folded, cluster in rows if folded not in known and cluster in clusters]
    share = len(leaked) / len(evidence.test)
    return Finding(
        check=check,
        severity=_severity(share, MAX_NEAR_SHARE),
        summary=f"{len(leaked):,} of {len(evidence.test):,} test texts are nearly the same as one in training",
        measured=share,
        limit=MAX_NEAR_SHARE,
        examples=tuple(leaked[:5]),
        fix=FIX if leaked else "",
    )


def check_validation_texts(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of validation texts that training or test also has; they bias the choice of epoch and threshold."""
    check = "leakage.validation_texts"
    if not evidence.has_texts("train", "validation"):
        return Finding.unknown(check, "needs the texts of training and validation")
    leaked = _seen((*evidence.train, *evidence.test), evidence.validation)
    share = len(leaked) / len(evidence.validation)
    return Finding(
        check=check,
        severity=Severity.WARNING if leaked else Severity.OK,
        summary=f"{len(leaked):,} of {len(evidence.validation):,} validation texts are also in training or test",
        measured=share,
        limit=0.0,
        examples=tuple(leaked[:5]),
        fix=FIX if leaked else "",
    )


def _seen(seen: Sequence[Example], asked: Sequence[Example]) -> list[str]:
    known = {fingerprint(example.text) for example in seen}
    return [example.id for example in asked if fingerprint(example.text) in known]


def _severity(share: float, limit: float) -> Severity:
    if share > limit:
        return Severity.BLOCKING
    return Severity.WARNING if share > 0 else Severity.OK
