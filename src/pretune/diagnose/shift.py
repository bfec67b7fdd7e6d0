"""Shift: are the test rows of the same kind as the training rows?

Near-duplicates are counted once in each split: copies stay on one side by design, and would otherwise make any two splits
look different. Each check alarms only where the whole interval of what it measured is beyond its limit.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from pretune.data.alike.duplicates import words_in
from pretune.diagnose.measures import clusters_of, percent, separation
from pretune.hashing import fold
from pretune.intervals import Floats, quantile
from pretune.records import Evaluation, Evidence, Example, Finding, Severity

# Texts below which a split says too little to be compared.
MIN_TEXTS = 50
# How far from 0.5 the chance that a test text is longer than a training text may be: 0.6 against 0.4 is a median that moved
# by about a third of a standard deviation.
MAX_LENGTH_SEPARATION = 0.10
# Further share of the test's words that training has never seen, beyond what texts held out of training show. Ours: the
# public sets have 2 to 8 % such words, so this is about half as much again.
MAX_UNSEEN_WORDS = 0.02
# Distance between the label shares (half the sum of their differences), where chance does not explain it (p < 0.01).
MAX_LABEL_DISTANCE = 0.05
MAX_P_VALUE = 0.01
# How far above 0.5 a classifier may tell test from training texts. 0.55 is found by nobody who reads them.
MAX_TOLD_APART = 0.05
# Texts of each split that the classifier reads; more would show smaller shifts, which matter less.
MAX_CLASSIFIED = 2_000

FIX = "Find out why the two differ. If the test is like what comes in production, label such rows and train on them, too."


def check_length(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how often a test text is longer than a training text."""
    check = "shift.length"
    train, test = _distinct(evidence)
    if min(len(train), len(test)) < MIN_TEXTS:
        return _too_few(check, evidence)
    lengths = [np.array([len(row.text) for row in rows], dtype=float) for rows in (train, test)]
    area, low, high = separation(lengths[0], lengths[1], 0.99)
    medians = " and ".join(f"{np.median(item):,.0f}" for item in lengths)
    beyond = low - 0.5 > MAX_LENGTH_SEPARATION or 0.5 - high > MAX_LENGTH_SEPARATION
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"training and test texts have {medians} characters at the median; a test text is the longer one with chance "
        f"{area:.2f}",
        measured=abs(area - 0.5),
        limit=MAX_LENGTH_SEPARATION,
        fix=FIX if beyond else "",
    )


def check_vocabulary(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of words in test texts that training lacks, against that of texts held out of training."""
    check = "shift.vocabulary"
    train, test = _distinct(evidence)
    num_held = min(len(test), len(train) // 4)
    if min(num_held, len(test)) < MIN_TEXTS:
        return _too_few(check, evidence)
    order = np.random.default_rng(0).permutation(len(train))
    held, rest = [train[row] for row in order[:num_held]], [train[row] for row in order[num_held:]]
    known = {word for row in rest for word in _words(row.text)}
    usual, usual_error, _ = _unseen(held, known)
    share, error, found = _unseen(test, known)
    low = share - usual - quantile(0.98) * float(np.hypot(error, usual_error))
    beyond = low > MAX_UNSEEN_WORDS
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"training lacks {percent(share)} of the words in test texts; of texts held out of training it lacks "
        f"{percent(usual)}",
        measured=share - usual,
        limit=MAX_UNSEEN_WORDS,
        examples=found[:5] if beyond else (),
        fix=FIX if beyond else "",
    )


def check_label_shares(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the distance between the label shares of training and test."""
    check = "shift.labels"
    first, second = _label_counts(evidence, "train"), _label_counts(evidence, "test")
    if not first or not second:
        return Finding.unknown(check, "needs the number of rows of each class in training and test")
    labels = sorted({*first, *second})
    table = np.array([[first[label] for label in labels], [second[label] for label in labels]], dtype=float)
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    p_value = float(chi2_contingency(table).pvalue) if len(labels) > 1 else 1.0
    beyond = distance > MAX_LABEL_DISTANCE and p_value < MAX_P_VALUE
    most = int(np.abs(shares[0] - shares[1]).argmax())
    moved = f"{labels[most]} is {percent(shares[0, most])} of training and {percent(shares[1, most])} of test rows"
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"label shares differ by {percent(distance)} in all; {moved}",
        measured=distance,
        limit=MAX_LABEL_DISTANCE,
        fix="Let the test have the shares of production, or weigh its figures by them." if beyond else "",
    )


def check_told_apart(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Train a linear classifier to tell test from training texts, and measure how well it does on texts it has not seen."""
    check = "shift.two_sample"
    train, test = _distinct(evidence)
    if min(len(train), len(test)) < MIN_TEXTS:
        return _too_few(check, evidence)
    first, second = _pick(train), _pick(test)
    scores = _tell_apart([row.text for row in (*first, *second)], len(first))
    area, low, _ = separation(scores[: len(first)], scores[len(first) :], 0.98)
    beyond = low - 0.5 > MAX_TOLD_APART
    plainest = np.argsort(-scores[len(first) :], kind="stable")[:5]
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"a linear classifier tells a test text from a training text with chance {area:.2f} (0.5 is guessing)",
        measured=area - 0.5,
        limit=MAX_TOLD_APART,
        examples=tuple(second[row].id for row in plainest) if beyond else (),
        fix=FIX if beyond else "",
    )


def _too_few(check: str, evidence: Evidence) -> Finding:
    if not evidence.has_texts("train", "test"):
        return Finding.unknown(check, "needs the texts of training and test")
    return Finding.not_applicable(check, f"fewer than {MIN_TEXTS} texts that differ are too few to be compared")


def _distinct(evidence: Evidence) -> tuple[list[Example], list[Example]]:
    """Return one row of each cluster of near-duplicates, of training and of test."""
    if not evidence.has_texts("train", "test"):
        return [], []
    parts, kept = clusters_of(evidence), []
    for name in ("train", "test"):
        rows, (_, component) = getattr(evidence, name), parts[name]
        kept.append([rows[row] for row in np.sort(np.unique(component, return_index=True)[1])])
    return kept[0], kept[1]


def _words(text: str) -> list[str]:
    return words_in(fold(text))


def _unseen(rows: Sequence[Example], known: set[str]) -> tuple[float, float, tuple[str, ...]]:
    """Return the share of words that are not known, its standard error over texts, and the texts with most of them."""
    words = [_words(row.text) for row in rows]
    sizes = np.array([len(item) for item in words], dtype=float)
    unseen = np.array([sum(word not in known for word in item) for item in words], dtype=float)
    share = unseen.sum() / max(sizes.sum(), 1)
    error = np.sqrt(((unseen - share * sizes) ** 2).sum()) / max(sizes.sum(), 1)  # a ratio of sums, over texts
    most = np.argsort(-unseen / np.maximum(sizes, 1), kind="stable")[:5]
    return float(share), float(error), tuple(rows[row].id for row in most)


def _label_counts(evidence: Evidence, split: str) -> Counter[str]:
    """Return the rows of each class; of a sealed test from the receipt, which counts them without showing them."""
    counts = Counter(row.label for row in getattr(evidence, split) if row.label is not None)
    if counts or evidence.receipt is None:
        return Counter({str(label): count for label, count in counts.items()})
    return Counter(next((dict(item.labels) for item in evidence.receipt.splits if item.name == split), {}))


def _pick(rows: Sequence[Example]) -> list[Example]:
    chosen: npt.NDArray[np.int64] = np.random.default_rng(0).permutation(len(rows))[:MAX_CLASSIFIED]
    return [rows[row] for row in chosen]


def _tell_apart(texts: Sequence[str], num_first: int) -> Floats:
    """Return how much each text looks like the second set to a classifier that was not trained on it."""
    is_second = np.arange(len(texts)) >= num_first
    hashed = HashingVectorizer(n_features=1 << 16, ngram_range=(1, 2), token_pattern=r"(?u)\w+|[^\w\s]", alternate_sign=False)
    features = TfidfTransformer(sublinear_tf=True).fit_transform(hashed.transform(texts))
    model = LogisticRegression(C=1.0, max_iter=200, tol=1e-4, class_weight="balanced")
    scores: Floats = cross_val_predict(model, features, is_second, cv=_folds(is_second), method="decision_function")
    return scores


def _folds(is_second: npt.NDArray[np.bool_]) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Return four folds that each hold a quarter of both sets."""
    fold_of = np.concatenate([np.random.default_rng(1).permutation(size) % 4 for size in np.bincount(is_second, minlength=2)])
    return [(np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)) for number in range(4)]
