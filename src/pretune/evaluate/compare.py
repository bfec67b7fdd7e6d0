"""Is one model better than another on the same rows, or did it only look so?"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr  # binomial distribution function

from pretune.errors import DataError, UsageError
from pretune.evaluate.bootstrap import bca_interval, chunks_of, num_resamples
from pretune.evaluate.metrics import MACRO, Counts, codes_of, macro_f1_of
from pretune.intervals import MIN_RARER_CLASS, Floats, quantile
from pretune.records import Comparison, Predictions


def compare(a: Predictions, b: Predictions, *, confidence: float = 0.95) -> Comparison:
    """Compare the accuracy of two sources, row by row.

    Only rows where exactly one of the two is right say which is better: the p value is McNemar's, exact, and the
    interval of the difference is Bonett and Price's, which adds one such row each way and so is never of zero width.

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        confidence: Of the interval; the test passes where the p value is at most 1 - ``confidence``.

    Raises:
        DataError: The two do not cover the same rows with the same labels.

    Source:
        McNemar (1947); Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial
        proportions based on paired data.
    """
    labels, first, second = paired_codes(a, b)
    is_right_a, is_right_b = first == labels, second == labels
    only_a, only_b = int((is_right_a & ~is_right_b).sum()), int((~is_right_a & is_right_b).sum())
    low, high = difference_interval(only_a, only_b, len(labels), confidence)
    return Comparison(
        metric="accuracy",
        split=a.split,
        a=a.source,
        b=b.source,
        value_a=float(is_right_a.mean()),
        value_b=float(is_right_b.mean()),
        difference=(only_a - only_b) / len(labels),
        low=low,
        high=high,
        confidence=confidence,
        p_value=mcnemar_p_value(only_a, only_b),
        method=f"exact McNemar on {only_a + only_b} rows that only one gets right; Bonett-Price interval",
        num_examples=len(labels),
    )


def mcnemar_p_value(only_a: int, only_b: int) -> float:
    """Return the probability of a split at least this uneven if both were equally good (two-sided, exact).

    Example:
        >>> mcnemar_p_value(9, 1)  # 2 * (1 + 10) / 2**10
        0.021484375
    """
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def difference_interval(only_a: int, only_b: int, total: int, confidence: float) -> tuple[float, float]:
    """Return Bonett and Price's interval for a paired difference of proportions."""
    share_a, share_b = (only_a + 1) / (total + 2), (only_b + 1) / (total + 2)
    centre = share_a - share_b
    half = quantile(confidence) * ((share_a + share_b - centre**2) / (total + 2)) ** 0.5
    return max(-1.0, centre - half), min(1.0, centre + half)


def compare_f1(a: Predictions, b: Predictions, *, positive: str | None, confidence: float = 0.95, seed: int = 0) -> Comparison:
    """Compare F1 (of ``positive``, or averaged over the classes) of two sources, row by row.

    This is the comparison that counts where one class holds most rows and accuracy hardly moves. The p value comes from
    exchanging the two predictions of a row at random; the interval from resampling rows, with one pseudo-row added for
    each way the two can differ, so that two models that agree everywhere are not proven equal.

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        positive: The class, or ``None`` for the mean over the classes.
        confidence: Of the interval; the test passes where the p value is at most 1 - ``confidence``.
        seed: Seed of the draws.

    Raises:
        DataError: The two do not cover the same rows with the same labels, or F1 is not defined on them.

    Source:
        Noreen (1989), Computer-intensive methods for testing hypotheses (approximate randomization).
    """
    labels, first, second = paired_codes(a, b)
    if positive is not None and positive not in a.classes:
        raise UsageError(f"no class {positive!r}", expected="one of " + ", ".join(a.classes), fix="see --positive")
    if positive is not None:  # two classes remain: 0 is the positive one, and its F1 is the only one asked for
        labels, first, second = (np.asarray(codes != a.classes.index(positive), int) for codes in (labels, first, second))
    sizes = np.bincount(labels, minlength=2 if positive is not None else len(a.classes))
    scored = np.array([True, False]) if positive is not None else sizes > 0
    if not sizes[scored].any():
        raise DataError(f"no row is {positive}", expected="rows of the positive class", fix="compare on accuracy")
    pairs = _Pairs(labels, first, second, scored)
    interval = pairs.interval(confidence, seed) if sizes.min() >= MIN_RARER_CLASS else None
    low, high = interval or (None, None)
    reason = (
        "paired bca bootstrap"
        if interval
        else f"no interval: the rarer class has {sizes.min()} rows, {MIN_RARER_CLASS} are needed"
    )
    value_a, value_b = pairs.values()
    return Comparison(
        metric=f"f1[{positive if positive is not None else MACRO}]",
        split=a.split,
        a=a.source,
        b=b.source,
        value_a=value_a,
        value_b=value_b,
        difference=value_a - value_b,
        low=low,
        high=high,
        confidence=confidence,
        p_value=pairs.p_value(num_resamples(confidence), seed),
        method=f"approximate randomization, {num_resamples(confidence):,} draws; {reason}",
        num_examples=len(labels),
    )


class _Pairs:
    """Rows counted by (label, what a said, what b said).

    Args:
        labels: True classes, shape (num_examples,).
        first: What a said.
        second: What b said.
        scored: Which classes F1 is averaged over, shape (num_classes,).
    """

    def __init__(self, labels: Counts, first: Counts, second: Counts, scored: npt.NDArray[np.bool_]) -> None:
        self._cells, counts = np.unique(np.stack([labels, first, second], axis=1), axis=0, return_counts=True)
        self._counts: Floats = counts.astype(float)
        self._scored, self._sizes = scored, np.bincount(labels, minlength=len(scored))

    def values(self) -> tuple[float, float]:
        f1_a, f1_b = self._f1(self._cells)
        return float(f1_a(self._counts[None])[0]), float(f1_b(self._counts[None])[0])

    def interval(self, confidence: float, seed: int) -> tuple[float, float] | None:
        pseudo = self._pseudo_cells()
        f1_a, f1_b = self._f1(np.concatenate([self._cells, pseudo]))
        weights = np.concatenate([self._counts, np.full(len(pseudo), 2 / len(pseudo))])
        return bca_interval(weights, lambda tables: f1_a(tables) - f1_b(tables), confidence=confidence, seed=seed)

    def p_value(self, num_draws: int, seed: int) -> float:
        """Share of random exchanges (the data's own included) that give at least the observed difference."""
        is_open = self._cells[:, 1] != self._cells[:, 2]
        if not is_open.any():
            return 1.0
        cells, counts = self._cells[is_open], self._counts[is_open].astype(int)
        exchanged = cells[:, [0, 2, 1]]
        f1_a, f1_b = self._f1(np.concatenate([self._cells[~is_open], cells, exchanged]))
        fixed, generator = self._counts[~is_open], np.random.default_rng(seed)
        value_a, value_b = self.values()
        observed, num_extreme = abs(value_a - value_b) - 1e-12, 0
        for size in chunks_of(num_draws, len(fixed) + 2 * len(cells)):
            swapped = generator.binomial(counts, 0.5, size=(size, len(cells)))
            tables = np.concatenate([np.broadcast_to(fixed, (size, len(fixed))), counts - swapped, swapped], axis=1)
            num_extreme += int((np.abs(f1_a(tables) - f1_b(tables)) >= observed).sum())
        return (1 + num_extreme) / (1 + num_draws)

    def _f1(self, cells: Counts) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
        one_hot = np.eye(len(self._scored))[:, self._scored]
        labels, said_a, said_b = (one_hot[cells[:, column]] for column in range(3))
        return partial(macro_f1_of, labels=labels, predicted=said_a), partial(macro_f1_of, labels=labels, predicted=said_b)

    def _pseudo_cells(self) -> Counts:
        """One cell a class and way to differ: one is right, the other says the largest other class."""
        by_size = np.argsort(-self._sizes, kind="stable")
        cells = []
        for label in range(len(self._sizes)):
            wrong = int(by_size[0] if by_size[0] != label else by_size[1])
            cells += [(label, label, wrong), (label, wrong, label)]
        return np.array(cells)


def paired_codes(a: Predictions, b: Predictions) -> tuple[Counts, Counts, Counts]:
    """Return labels, what a said and what b said, in the order of a's rows."""
    labels, first = codes_of(a)
    labels_b, second = codes_of(b)
    position = {id: row for row, id in enumerate(b.ids)}
    fix = "score both models on the same file"
    if len(position) != len(b.ids) or len(set(a.ids)) != len(a.ids) or position.keys() != set(a.ids) or not a.ids:
        common = len(position.keys() & set(a.ids))
        got = f"{a.source!r} has {len(a.ids)} rows and {b.source!r} has {len(b.ids)}, {common} in common"
        raise DataError(got, expected="the same rows, each once", fix=fix)
    if a.classes != b.classes:
        raise DataError(f"classes {a.classes} and {b.classes}", expected="the same classes in the same order", fix=fix)
    order = np.array([position[id] for id in a.ids])
    if (labels_b[order] != labels).any():
        row = a.ids[int((labels_b[order] != labels).argmax())]
        raise DataError(f"row {row} has different labels in {a.source!r} and {b.source!r}", expected="the same labels", fix=fix)
    return labels, first, second[order]
