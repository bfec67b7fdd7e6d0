"""What do the predictions amount to? Every figure with its interval, or with the reason why there is none."""

from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit  # quantiles of Student's t

from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.evaluate.bootstrap import bca_interval, num_resamples
from pretune.intervals import (
    MIN_FOR_WILSON,
    MIN_RARER_CLASS,
    Floats,
    average_bounds,
    f1_bounds,
    proportion_interval,
    uses_exact,
)
from pretune.records import Confusion, Predictions, Score

# Added to nothing: a probability of exactly 0 for the true class would make the mean loss infinite.
MIN_PROBABILITY = 1e-12

MACRO = "macro"
Counts = npt.NDArray[np.int64]
MakeScore = partial[Score]  # the split, source, look and confidence are filled in


def codes_of(predictions: Predictions) -> tuple[Counts, Counts]:
    """Return label and predicted class of each row as positions in ``classes``, each of shape (num_examples,).

    Raises:
        MissingLabelsError: A row has no label.
        DataError: A label or prediction is not among the classes.
        UsageError: These are not predictions of classes.
    """
    if predictions.task != "classify":
        raise UsageError(f"predictions of task {predictions.task!r}", expected="classify", fix="score labelled classes")
    missing = [id for id, label in zip(predictions.ids, predictions.labels, strict=True) if label is None]
    if missing:
        raise MissingLabelsError(
            f"{len(missing)} of {len(predictions.ids)} rows of {predictions.split!r} have no label, such as {missing[0]}",
            expected="a label in every row",
            fix="label them, or use predict, which needs no labels",
        )
    position = {label: index for index, label in enumerate(predictions.classes)}
    strangers = sorted({str(item) for item in (*predictions.labels, *predictions.predicted)} - set(position))
    if strangers:
        raise DataError(
            f"the rows of {predictions.split!r} hold the label {strangers[0]!r}, which the model does not know",
            expected="one of " + ", ".join(repr(name) for name in predictions.classes),
            fix="map the labels to those of training, or train on rows that have it",
        )
    labels = np.array([position[str(label)] for label in predictions.labels], dtype=np.int64)
    return labels, np.array([position[label] for label in predictions.predicted], dtype=np.int64)


def confusion_of(predictions: Predictions) -> Confusion:
    """Count rows by true and predicted class. Raises what ``codes_of`` does."""
    labels, predicted = codes_of(predictions)
    size = len(predictions.classes)
    counts = np.bincount(labels * size + predicted, minlength=size * size).reshape(size, size)
    rows = tuple(tuple(int(count) for count in row) for row in counts)
    return Confusion(split=predictions.split, source=predictions.source, classes=predictions.classes, counts=rows)


def score_predictions(
    predictions: Predictions, *, positive: str | None = None, look: int = 1, confidence: float = 0.95
) -> tuple[Score, ...]:
    """Compute loss, accuracy, and precision, recall and F1 of each class and averaged over the classes.

    The headline figures come first: loss, accuracy, then those of ``positive``, or the averages (label ``macro``)
    where there is no positive class. A class without rows has no recall and no F1, a class that was never predicted
    no precision: the value is ``None``, and ``method`` says why. The averages are over the classes that have rows,
    and there a class never predicted counts as precision 0, as in scikit-learn.

    Args:
        predictions: With labels; shape (num_examples,).
        positive: The class that precision and recall are about.
        look: How often these rows have been opened, this time included.
        confidence: Probability that an interval covers the truth, 1 - 0.05 / look².

    Raises:
        UsageError: ``positive`` is not a class.
        DataError: There are no rows, or what ``codes_of`` raises.
    """
    if positive is not None and positive not in predictions.classes:
        raise UsageError(f"no class {positive!r}", expected="one of " + ", ".join(predictions.classes), fix="see --positive")
    if not predictions.ids:
        raise DataError(f"no rows in {predictions.split!r}", expected="at least one labelled row", fix="pass labelled rows")
    counts = np.array(confusion_of(predictions).counts)
    make = partial(Score, split=predictions.split, source=predictions.source, confidence=confidence, look=look)
    by_label = {label: _class_scores(make, label, counts, index) for index, label in enumerate(predictions.classes)}
    headline = by_label.pop(positive) if positive is not None else []
    averages = _macro_scores(make, counts, predictions.classes)
    per_class = [score for scores in by_label.values() for score in scores]
    accuracy = _proportion(make, "accuracy", None, int(counts.trace()), int(counts.sum()), "there are no rows")
    return (_loss(make, predictions, counts), accuracy, *headline, *averages, *per_class)


def _proportion(make: MakeScore, metric: str, label: str | None, hits: int, total: int, undefined: str) -> Score:
    if total == 0:
        return make(metric=metric, label=label, value=None, low=None, high=None, method=undefined, num_examples=0)
    low, high = proportion_interval(hits, total, make.keywords["confidence"])
    return make(
        metric=metric,
        label=label,
        value=hits / total,
        low=low,
        high=high,
        method="clopper-pearson" if uses_exact(hits, total) else "wilson",
        num_examples=total,
        num_hits=hits,
    )


def _class_scores(make: MakeScore, label: str, counts: Counts, index: int) -> list[Score]:
    hits, actual, called = int(counts[index, index]), int(counts[index].sum()), int(counts[:, index].sum())
    return [
        _proportion(make, "precision", label, hits, called, f"undefined: {label} was never predicted"),
        _proportion(make, "recall", label, hits, actual, f"undefined: no row is {label}"),
        _class_f1(make, label, hits, actual, called, int(counts.sum())),
    ]


def _class_f1(make: MakeScore, label: str, hits: int, actual: int, called: int, total: int) -> Score:
    if actual == 0:
        return _proportion(make, "f1", label, 0, 0, f"undefined: no row is {label}")
    value, involved = 2 * hits / (actual + called), actual + called - hits
    rarer = min(actual, total - actual)
    blank = partial(make, metric="f1", label=label, value=value, num_examples=involved)
    if rarer < MIN_RARER_CLASS:
        return blank(low=None, high=None, method=_too_few("the rarer side", rarer))
    low, high = f1_bounds(hits, involved, make.keywords["confidence"])
    kind = "clopper-pearson" if uses_exact(hits, involved) else "wilson"
    return blank(low=float(low), high=float(high), method=f"{kind} of the Jaccard share, as F1")


def _macro_scores(make: MakeScore, counts: Counts, classes: tuple[str, ...]) -> list[Score]:
    hits, actual, called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    present, rarest = actual > 0, int(actual.argmin())
    confidence = make.keywords["confidence"]
    scores = []
    for metric, totals in (("precision", called), ("recall", actual), ("f1", (actual + called) / 2)):
        value = float((hits[present] / np.maximum(totals[present], 0.5)).mean())
        blank = partial(make, metric=metric, label=MACRO, value=value, num_examples=int(counts.sum()))
        if actual[rarest] < MIN_RARER_CLASS:
            reason = _too_few(classes[rarest], int(actual[rarest]))
            scores.append(blank(low=None, high=None, method=f"mean over {present.sum()} classes; {reason}"))
        elif metric == "f1":
            low, high, method = macro_f1_interval(counts, confidence)
            scores.append(blank(low=low, high=high, method=method))
        else:
            low_end, high_end = average_bounds(hits, totals, confidence)
            scores.append(blank(low=float(low_end), high=float(high_end), method="mean of the classes' intervals (MOVER)"))
    return scores


def macro_f1_interval(counts: Counts, confidence: float) -> tuple[float, float, str]:
    """Return low, high and method for the mean of the classes' F1.

    Where fewer than 20 hits or misses are expected, resampling finds too little to vary; the mean of the classes'
    interval ends is taken then, which is right if the classes err together, and too wide otherwise.
    """
    hits, actual, called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    correct = int(hits.sum())
    interval = None
    if min(correct, int(counts.sum()) - correct) >= MIN_FOR_WILSON:
        cells = np.argwhere(counts > 0)
        statistic = partial(
            macro_f1_of, labels=_one_hot(cells[:, 0], len(counts)), predicted=_one_hot(cells[:, 1], len(counts))
        )
        interval = bca_interval(counts[counts > 0], statistic, confidence=confidence)
    if interval is not None:
        return *interval, f"bca bootstrap, {num_resamples(confidence):,} resamples"
    low, high = f1_bounds(hits, actual + called - hits, confidence)
    return float(low.mean()), float(high.mean()), "mean of the classes' interval ends (few hits or misses)"


def macro_f1_of(tables: Floats, *, labels: Floats, predicted: Floats) -> Floats:
    """Return the mean F1 over the classes of many tables of counts.

    Args:
        tables: Counts, shape (num_tables, num_cells).
        labels: Which class the rows of a cell have, one-hot, shape (num_cells, num_classes).
        predicted: Which class they were given, likewise.
    """
    hits = tables @ (labels * predicted)  # (tables, classes)
    involved = tables @ (labels + predicted)
    f1: Floats = (2 * hits / np.maximum(involved, 1e-9)).mean(axis=1)
    return f1


def _one_hot(codes: Counts, size: int) -> Floats:
    return np.eye(size)[codes]


def _loss(make: MakeScore, predictions: Predictions, counts: Counts) -> Score:
    blank = partial(make, metric="loss", label=None, num_examples=len(predictions.ids))
    if predictions.probabilities is None:
        return blank(value=None, low=None, high=None, method="undefined: the predictions came without probabilities")
    labels, _ = codes_of(predictions)
    own = np.asarray(predictions.probabilities, float)[np.arange(len(labels)), labels]  # (examples,)
    losses = -np.log(np.clip(own, MIN_PROBABILITY, 1))
    sizes = counts.sum(axis=1)
    rarer = int(sizes.min())  # a class without rows counts, too: what it would lose is not in the mean
    if rarer < MIN_RARER_CLASS:
        return blank(value=float(losses.mean()), low=None, high=None, method=_too_few("the rarest class", rarer))
    interval = skewed_mean_interval(losses, make.keywords["confidence"])
    low, high = interval or (None, None)
    method = "t interval, corrected for skewness (Hall)" if interval else "no interval: all rows have the same loss"
    return blank(value=float(losses.mean()), low=low, high=high, method=method)


def skewed_mean_interval(values: Floats, confidence: float) -> tuple[float, float] | None:
    """Interval of the mean of skewed values, such as losses: the t interval after Hall's transformation.

    It is a studentized interval without resampling, so that 100,000 rows cost nothing.

    Returns:
        The pair (low, high), in the unit of ``values``, or ``None`` where all values are equal.

    Source:
        Hall (1992), On the removal of skewness by transformation.
    """
    size, spread = len(values), float(values.std(ddof=1))
    if not spread > 1e-12:
        return None
    skewness = float((((values - values.mean()) / spread) ** 3).mean())
    edge = float(stdtrit(size - 1, (1 + confidence) / 2))
    ends = [float(values.mean()) - spread / size**0.5 * _unskew(x, skewness, size) for x in (edge, -edge)]
    return ends[0], ends[1]


def _unskew(x: float, skewness: float, size: int) -> float:
    if abs(skewness) < 1e-6:
        return x
    return float(3 * size**0.5 / skewness * (np.cbrt(1 + skewness * (x / size**0.5 - skewness / (6 * size))) - 1))


def _too_few(what: str, count: int) -> str:
    return f"no interval: {what} has {count} rows, {MIN_RARER_CLASS} are needed"
