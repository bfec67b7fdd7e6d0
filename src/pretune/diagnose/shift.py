"""Shift: are the test rows of the same kind as the training rows?

Near-duplicates count once in each split: copies stay in one split by design, and would otherwise make any two splits look
different. The same holds for groups: each check asks whether test differs from training more than any other groups would. It
warns only if the whole interval of its measurement is beyond the limit.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency
from sklearn.model_selection import cross_val_predict

from pretune.data.alike.duplicates import words_in
from pretune.diagnose.measures import clusters_of, group_numbers, percent, separation
from pretune.diagnose.told_apart import hashed, telling, weighing
from pretune.hashing import fold
from pretune.intervals import Counts, Floats, quantile, worth_of
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
    units = group_numbers(evidence, train), group_numbers(evidence, test)
    area, low, high = separation(lengths[0], lengths[1], 0.99, units=units)
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
    held, rest = _hold_out(evidence, train, num_held)
    known = {word for row in rest for word in _words(row.text)}
    usual, usual_error, _ = _unseen(held, known, group_numbers(evidence, held))
    share, error, found = _unseen(test, known, group_numbers(evidence, test))
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
    p_value = float(chi2_contingency(table / _effect(evidence, labels)).pvalue) if len(labels) > 1 else 1.0
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


def _effect(evidence: Evidence, labels: Sequence[str]) -> float:
    """Design effect of label shares where rows come in groups: the mean over the labels, seen in training.

    Source:
        Rao and Scott (1981), The analysis of categorical data from complex sample surveys (first-order correction).
    """
    units = group_numbers(evidence, evidence.train)
    if units is None:
        return 1.0
    names = np.array([str(row.label) for row in evidence.train])
    return float(np.mean([worth_of(names == label, units, 0.95).effect for label in labels]))


def check_told_apart(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Train a linear classifier to tell test from training texts, and measure how well it does on texts it has not seen."""
    check = "shift.two_sample"
    train, test = _distinct(evidence)
    if min(len(train), len(test)) < MIN_TEXTS:
        return _too_few(check, evidence)
    first, second = _pick(train), _pick(test)
    units = group_numbers(evidence, first), group_numbers(evidence, second)
    scores = _tell_apart([row.text for row in (*first, *second)], len(first), units)
    area, low, _ = separation(scores[: len(first)], scores[len(first) :], 0.98, units=units)
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


def _hold_out(evidence: Evidence, rows: list[Example], num_held: int) -> tuple[list[Example], list[Example]]:
    """Part about so many rows from the others at random; whole groups, where the split parts groups."""
    groups, order = group_numbers(evidence, rows), np.random.default_rng(0).permutation(len(rows))
    if groups is not None:
        chosen = np.random.default_rng(0).permutation(int(groups.max()) + 1)
        order = np.argsort(np.argsort(chosen)[groups], kind="stable")
    return [rows[row] for row in order[:num_held]], [rows[row] for row in order[num_held:]]


def _unseen(rows: Sequence[Example], known: set[str], units: Counts | None) -> tuple[float, float, tuple[str, ...]]:
    """Return the share of words that are not known, its standard error, and the texts with most of them."""
    words = [_words(row.text) for row in rows]
    sizes = np.array([len(item) for item in words], dtype=float)
    unseen = np.array([sum(word not in known for word in item) for item in words], dtype=float)
    share = unseen.sum() / max(sizes.sum(), 1)
    pulls = unseen - share * sizes
    pulls = pulls if units is None else np.bincount(units, pulls)
    error = np.sqrt((pulls**2).sum()) / max(sizes.sum(), 1)  # a ratio of sums
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


def _tell_apart(texts: Sequence[str], num_first: int, units: tuple[Counts | None, Counts | None]) -> Floats:
    """Return how much each text looks like the second set to a classifier that was not trained on it, nor on its group."""
    is_second = np.arange(len(texts)) >= num_first
    features, model = weighing().fit_transform(hashed(texts)), telling()
    scores: Floats = cross_val_predict(model, features, is_second, cv=_folds(is_second, units), method="decision_function")
    return scores


def _folds(
    is_second: npt.NDArray[np.bool_], units: tuple[Counts | None, Counts | None]
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Return four folds that each hold a quarter of both sets: of their rows, or of their groups."""
    sizes, parts = np.bincount(is_second, minlength=2), []
    for size, groups in zip(sizes, units, strict=True):
        num = size if groups is None else int(groups.max()) + 1
        folds = np.random.default_rng(1).permutation(num) % 4
        parts.append(folds if groups is None else folds[groups])
    fold_of = np.concatenate(parts)
    return [(np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)) for number in range(4)]
