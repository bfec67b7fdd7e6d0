"""Did adaptation help? Precision and recall of two sources on the same rows, each on a paired test."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from pretune.errors import DataError
from pretune.evaluate.bootstrap import bca_interval, chunks_of, num_resamples
from pretune.evaluate.compare import paired_codes
from pretune.evaluate.metrics import MACRO, Counts
from pretune.intervals import MIN_RARER_CLASS, Floats
from pretune.records import Comparison, Predictions

# The source of the same fine-tuning from the checkpoint as it was before adaptation.
BEFORE = "before"
METRICS = ("precision", "recall")


def compare_shares(
    a: Predictions, b: Predictions, metric: str, *, positive: str | None, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare precision or recall (of ``positive``, or averaged over the classes) of two sources, row by row.

    The p value comes from exchanging the two predictions of a row at random; the interval from resampling rows, with one
    pseudo-row added for each way the two can differ, so that two sources that agree everywhere are not proven equal.

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        metric: ``precision`` or ``recall``.
        positive: The class, or ``None`` for the mean over the classes that have rows.
        confidence: Of the interval; the test passes where the p value is at most 1 - ``confidence``.
        seed: Seed of the draws.

    Raises:
        DataError: The two do not cover the same rows with the same labels, or no row is ``positive``.

    Source:
        Noreen (1989), Computer-intensive methods for testing hypotheses (approximate randomization).
    """
    labels, first, second = paired_codes(a, b)
    if positive is not None:  # two classes remain: 0 is the positive one, and only its figure is asked for
        labels, first, second = (np.asarray(codes != a.classes.index(positive), int) for codes in (labels, first, second))
    sizes = np.bincount(labels, minlength=2 if positive is not None else len(a.classes))
    scored = np.array([True, False]) if positive is not None else sizes > 0
    if not sizes[scored].any():
        raise DataError(f"no row is {positive}", expected="rows of the positive class", fix="compare on accuracy")
    cells, rows = np.unique(np.stack([labels, first, second], axis=1), axis=0, return_counts=True)
    counts: Floats = rows.astype(float)
    value_a, value_b = _values(metric, cells, counts, scored)
    rarest = int(sizes.min())
    interval = _interval(metric, cells, counts, sizes, scored, confidence, seed) if rarest >= MIN_RARER_CLASS else None
    low, high = interval or (None, None)
    short = f"no interval: the rarer class has {rarest} rows, {MIN_RARER_CLASS} are needed"
    return Comparison(
        metric=f"{metric}[{positive if positive is not None else MACRO}]",
        split=a.split,
        a=a.source,
        b=b.source,
        value_a=value_a,
        value_b=value_b,
        difference=value_a - value_b,
        low=low,
        high=high,
        confidence=confidence,
        p_value=_p_value(metric, cells, counts, scored, num_resamples(confidence), seed),
        method=f"approximate randomization, {num_resamples(confidence):,} draws; "
        + ("paired bca bootstrap" if interval else short),
        num_examples=len(labels),
    )


Figure = Callable[[Floats], Floats]
Truth = npt.NDArray[np.bool_]


def _figures(metric: str, cells: Counts, scored: Truth) -> tuple[Figure, Figure]:
    one_hot = np.eye(len(scored))[:, scored]
    labels, said_a, said_b = (one_hot[cells[:, column]] for column in range(3))
    return partial(_share, metric, labels, said_a), partial(_share, metric, labels, said_b)


def _share(metric: str, labels: Floats, said: Floats, tables: Floats) -> Floats:
    """Mean precision or recall over the classes, of many tables of counts, shape (num_tables, num_cells)."""
    totals = tables @ (labels if metric == "recall" else said)
    share: Floats = (tables @ (labels * said) / np.maximum(totals, 1e-9)).mean(axis=1)
    return share


def _values(metric: str, cells: Counts, counts: Floats, scored: Truth) -> tuple[float, float]:
    of_a, of_b = _figures(metric, cells, scored)
    return float(of_a(counts[None])[0]), float(of_b(counts[None])[0])


def _interval(
    metric: str, cells: Counts, counts: Floats, sizes: Counts, scored: Truth, confidence: float, seed: int
) -> tuple[float, float] | None:
    pseudo = _pseudo_cells(sizes)
    of_a, of_b = _figures(metric, np.concatenate([cells, pseudo]), scored)
    weights = np.concatenate([counts, np.full(len(pseudo), 2 / len(pseudo))])
    return bca_interval(weights, lambda tables: of_a(tables) - of_b(tables), confidence=confidence, seed=seed)


def _pseudo_cells(sizes: Counts) -> Counts:
    """One cell a class and way to differ: one source is right, the other says the largest other class."""
    by_size = np.argsort(-sizes, kind="stable")
    wrong = [int(by_size[0] if by_size[0] != label else by_size[1]) for label in range(len(sizes))]
    return np.array([cell for label, other in enumerate(wrong) for cell in ((label, label, other), (label, other, label))])


def _p_value(metric: str, cells: Counts, counts: Floats, scored: Truth, num_draws: int, seed: int) -> float:
    """Share of random exchanges (the data's own included) that give at least the observed difference."""
    is_open = cells[:, 1] != cells[:, 2]
    if not is_open.any():
        return 1.0
    differing, rows = cells[is_open], counts[is_open].astype(int)
    of_a, of_b = _figures(metric, np.concatenate([cells[~is_open], differing, differing[:, [0, 2, 1]]]), scored)
    value_a, value_b = _values(metric, cells, counts, scored)
    fixed, observed, num_extreme = counts[~is_open], abs(value_a - value_b) - 1e-12, 0
    generator = np.random.default_rng(seed)
    for size in chunks_of(num_draws, len(fixed) + 2 * len(differing)):
        swapped = generator.binomial(rows, 0.5, size=(size, len(differing)))
        tables = np.concatenate([np.broadcast_to(fixed, (size, len(fixed))), rows - swapped, swapped], axis=1)
        num_extreme += int((np.abs(of_a(tables) - of_b(tables)) >= observed).sum())
    return (1 + num_extreme) / (1 + num_draws)
