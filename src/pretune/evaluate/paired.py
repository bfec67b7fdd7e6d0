"""One figure of two sources on the same rows: the difference, its interval, and whether chance explains it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, stdtr  # distribution functions of the binomial and of Student's t

from pretune.errors import DataError
from pretune.evaluate import tables
from pretune.evaluate.areas import Area, area_of, roc_area, spread_of
from pretune.evaluate.bootstrap import num_resamples
from pretune.evaluate.calibration import losses_of, squares_of
from pretune.evaluate.codes import MACRO, Rows, rows_of
from pretune.evaluate.pairs import Pairs, sign_flip_p_value
from pretune.evaluate.shares import too_few
from pretune.evaluate.tables import Figure
from pretune.intervals import MIN_RARER_CLASS, Floats, quantile, skewed_mean_interval, t_quantile, unit_means
from pretune.records import USUAL, Comparison, Predictions, Terms

FIX = "score both models on the same file"


@dataclass(frozen=True, eq=False)
class Paired:
    """Two sources on the same rows, in the same order.

    Args:
        a: Rows as answered by a.
        b: Rows as answered by b.
        confidence: Of the intervals.
        seed: Of every draw.
    """

    a: Rows
    b: Rows
    names: tuple[str, str, str]  # split, a, b
    confidence: float
    seed: int = 0

    def compared(
        self, metric: str, values: tuple[float, float], interval: tuple[float, float] | None, **known: object
    ) -> Comparison:
        """Return the comparison record."""
        low, high = interval or (None, None)
        fields = {"difference": values[0] - values[1], "num_examples": len(self.a.labels), **known}
        return Comparison(
            metric=metric,
            split=self.names[0],
            a=self.names[1],
            b=self.names[2],
            value_a=values[0],
            value_b=values[1],
            low=low,
            high=high,
            confidence=self.confidence,
            **fields,  # type: ignore[arg-type]  # difference, p_value, method, num_examples
        )

    def too_few(self, count: int) -> str:
        """Say why there is no interval."""
        return too_few("the rarer class", count, self.a.unit_name)

    @property
    def num_draws(self) -> int:
        """How many draws a p value or an interval takes."""
        return num_resamples(self.confidence)


def pair(a: Predictions, b: Predictions, terms: Terms = USUAL, *, seed: int = 0) -> Paired:
    """Lay the rows of b beside those of a.

    Raises:
        DataError: The two do not cover the same rows, each once, with the same labels and classes.
    """
    position = {id: row for row, id in enumerate(b.ids)}
    if len(position) != len(b.ids) or len(set(a.ids)) != len(a.ids) or position.keys() != set(a.ids) or not a.ids:
        common = len(position.keys() & set(a.ids))
        got = f"{a.source!r} has {len(a.ids)} rows and {b.source!r} has {len(b.ids)}, {common} in common"
        raise DataError(got, expected="the same rows, each once", fix=FIX)
    if a.classes != b.classes:
        raise DataError(f"classes {a.classes} and {b.classes}", expected="the same classes in the same order", fix=FIX)
    rows_a, rows_b = rows_of(a, terms), rows_of(b, terms)
    order = np.array([position[id] for id in a.ids])
    if (rows_b.labels[order] != rows_a.labels).any():
        row = a.ids[int((rows_b.labels[order] != rows_a.labels).argmax())]
        raise DataError(f"row {row} has different labels in {a.source!r} and {b.source!r}", expected="the same labels", fix=FIX)
    shares = None if rows_b.shares is None else rows_b.shares[order]
    moved = replace(rows_b, labels=rows_b.labels[order], predicted=rows_b.predicted[order], shares=shares, units=rows_a.units)
    return Paired(rows_a, moved, (a.split, a.source, b.source), terms.confidence, seed)


def compare_right(paired: Paired, metric: str, chosen: npt.NDArray[np.bool_]) -> Comparison:
    """Compare how many of the chosen rows each gets right: all for accuracy, those of a class for its recall.

    Only rows where exactly one of the two is right say which is better: the p value is McNemar's, mid-p, and the
    interval of the difference is Bonett and Price's, which adds one such row each way and so is never of zero width.
    Where rows come in groups, whole groups are exchanged at random instead.
    """
    is_right = [(rows.predicted == rows.labels)[chosen] for rows in (paired.a, paired.b)]
    only_a, only_b = int((is_right[0] & ~is_right[1]).sum()), int((~is_right[0] & is_right[1]).sum())
    total = int(chosen.sum())
    values = (float(is_right[0].mean()), float(is_right[1].mean()))
    known = {"difference": (only_a - only_b) / total, "num_examples": total}
    if paired.a.units is None:
        ends = difference_interval(only_a, only_b, total, paired.confidence)
        method = f"mid-p McNemar on {only_a + only_b} rows that only one gets right; Bonett-Price interval"
        return paired.compared(metric, values, ends, p_value=mcnemar_p_value(only_a, only_b), method=method, **known)
    gains, name = is_right[0].astype(float) - is_right[1], paired.a.unit_name
    _, units = np.unique(paired.a.units[chosen], return_inverse=True)
    num_units = int(units.max()) + 1
    method = f"{num_units} {name} exchanged at random, {paired.num_draws:,} draws; "
    if num_units < MIN_RARER_CLASS:
        interval, method = None, method + too_few("the data", num_units, name)
    else:
        interval = skewed_mean_interval(unit_means(gains, units, widened=paired.a.rules > 1), paired.confidence)
        method += f"t interval over {name}" if interval else f"Bonett-Price interval, {_as_one(name)}"
        interval = interval or difference_interval(0, 0, num_units, paired.confidence)
    p_value = sign_flip_p_value(gains, units, paired.num_draws, paired.seed)
    return paired.compared(metric, values, interval, p_value=p_value, method=method, **known)


def _as_one(unit: str) -> str:
    return "a group as one row" if unit == "groups" else "copies as one row"


def mcnemar_p_value(only_a: int, only_b: int) -> float:
    """Return the probability of a split more uneven than this, and half of that of this one, if both were equally good.

    Two-sided, from the exact distribution (mid-p): counting the whole of this split makes 2 to 4 false alarms of a promised 5
    (docs/decisions/0024).

    Source:
        Fagerland, Lydersen and Laake (2013), The McNemar test for binary matched-pairs data: mid-p and asymptotic are
        better than exact conditional.

    Example:
        >>> mcnemar_p_value(9, 1)  # (2 * 1 + 10) / 2**10
        0.01171875
    """
    fewer, total = min(only_a, only_b), only_a + only_b
    if only_a == only_b:
        return 1.0
    below = float(bdtr(fewer - 1, total, 0.5)) if fewer else 0.0
    return float(bdtr(fewer, total, 0.5)) + below


def difference_interval(only_a: float, only_b: float, total: float, confidence: float) -> tuple[float, float]:
    """Return Bonett and Price's interval for a paired difference of proportions."""
    share_a, share_b = (only_a + 1) / (total + 2), (only_b + 1) / (total + 2)
    centre = share_a - share_b
    half = quantile(confidence) * ((share_a + share_b - centre**2) / (total + 2)) ** 0.5
    return max(-1.0, centre - half), min(1.0, centre + half)


def compare_tables(paired: Paired, figures: Mapping[str, Figure], *, binary: int | None = None) -> dict[str, Comparison]:
    """Compare figures of the confusion matrix: p by exchanging answers at random, interval by the paired bootstrap.

    Args:
        paired: The two sources.
        figures: By name; with ``binary`` those of the two-by-two matrix, where class 0 is the one asked for.
        binary: Position of the only class that matters.
    """
    codes, size = [paired.a.labels, paired.a.predicted, paired.b.predicted], max(len(paired.a.classes), 2)
    if binary is not None:
        codes, size = [np.asarray(item != binary, np.int64) for item in codes], 2
    pairs, measures = Pairs(codes[0], codes[1], codes[2], size, paired.a.units), list(figures.values())
    rarer = paired.a.rarer(binary)
    intervals: list[tuple[float, float] | None] = [None] * len(measures)
    if rarer >= MIN_RARER_CLASS:
        intervals = pairs.intervals(measures, paired.confidence, paired.seed)
    none = "all draws agree" if rarer >= MIN_RARER_CLASS else ""
    reasons = [
        "paired bca bootstrap" if interval else f"no interval: {none}" if none else paired.too_few(rarer)
        for interval in intervals
    ]
    p_values = pairs.p_values(measures, paired.num_draws, paired.seed)
    exchanged = f"{paired.a.unit_name} exchanged at random, {paired.num_draws:,} draws"
    return {
        metric: paired.compared(metric, (value_a, value_b), interval, p_value=p_value, method=f"{exchanged}; {reason}")
        for metric, value_a, value_b, interval, p_value, reason in zip(
            figures, *pairs.values(measures).tolist(), intervals, p_values, reasons, strict=True
        )
    }


def compare_means(paired: Paired, metric: str, values_of: Callable[[Rows], Floats | None]) -> Comparison:
    """Compare a mean over rows, such as the loss: p by changing signs at random, interval by Hall's t."""
    values_a, values_b = values_of(paired.a), values_of(paired.b)
    if values_a is None or values_b is None:
        raise DataError(f"no {metric} without probabilities", expected="predictions with probabilities", fix=FIX)
    differences = values_a - values_b
    rarer, interval = paired.a.rarer(), None
    if rarer >= MIN_RARER_CLASS:
        interval = skewed_mean_interval(_over_units(differences, paired.a), paired.confidence)
    reason = "t interval of the differences, corrected for skewness (Hall)"
    if interval is None:
        few = rarer < MIN_RARER_CLASS
        reason = too_few("the rarest class", rarer, paired.a.unit_name) if few else "no interval: all rows differ alike"
    return paired.compared(
        metric,
        (float(values_a.mean()), float(values_b.mean())),
        interval,
        p_value=sign_flip_p_value(differences, paired.a.units, paired.num_draws, paired.seed),
        method=f"signs changed at random, {paired.num_draws:,} draws; {reason}",
    )


def _over_units(values: Floats, rows: Rows) -> Floats:
    return unit_means(values, rows.units, widened=rows.rules > 1)


def compare_roc(paired: Paired) -> Comparison:
    """Compare the ROC areas of two sources by DeLong's test, with rows of one group added up first.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988); Obuchowski (1997), Nonparametric analysis of clustered ROC curve data.
    """
    index = 1 if len(paired.a.classes) == 2 else None
    areas = [area_of(rows, roc_area, index) for rows in (paired.a, paired.b)]
    first, second = areas
    if first is None or second is None:
        raise DataError("no ROC area", expected="probabilities, and rows of at least two classes", fix=FIX)
    rarer = paired.a.rarer()
    difference, pulls = first.value - second.value, first.pulls - second.pulls
    error, freedom = spread_of(pulls, paired.a), max(rarer - 1, 1)
    p_value = 2 * float(stdtr(freedom, -abs(difference) / error)) if error > 0 else 1.0
    interval = _area_difference_interval(paired, first, second, rarer) if rarer >= MIN_RARER_CLASS else None
    reason = "t interval" if interval else too_few("the rarer class", rarer, paired.a.unit_name)
    return paired.compared(
        "roc_area", (first.value, second.value), interval, p_value=min(1.0, p_value), method=f"DeLong's test; {reason}"
    )


def _area_difference_interval(paired: Paired, first: Area, second: Area, rarer: int) -> tuple[float, float]:
    error = spread_of(first.pulls - second.pulls, paired.a, _least_pseudo(paired.a, first, second))
    reach, difference = t_quantile(paired.confidence, rarer - 1) * error, first.value - second.value
    return max(-1.0, difference - reach), min(1.0, difference + reach)


def _least_pseudo(rows: Rows, first: Area, second: Area) -> float:
    """Two perfect rankings are not proven equal: one row in all of the rarer class may yet part them."""
    rarer = rows.rarer()
    return max(first.pseudo, second.pseudo, (len(rows.labels) / rarer) ** 2 * rarer / (rarer + 1) ** 2)


MEANS = {"precision": tables.mean_precision, "f1": tables.mean_f1, "recall": tables.mean_recall}
OF_CLASS = {"precision": tables.precision_of(0), "f1": tables.f1_of(0)}


def compare_named(paired: Paired, metrics: Sequence[str]) -> list[Comparison]:
    """Compare figures by their names, such as ``f1[spam]``, ``f1[macro]``, ``mcc`` or ``loss``; one set of draws for all.

    Raises:
        DataError: One is not defined on these rows.
    """
    found: dict[str, Comparison] = {}
    drawn: dict[int | None, dict[str, Figure]] = {}
    present = np.flatnonzero(np.bincount(paired.a.labels, minlength=len(paired.a.classes)))
    for metric in metrics:
        name, _, label = metric.removesuffix("]").partition("[")
        if name in ("precision", "recall", "f1") and label != MACRO:
            index = paired.a.classes.index(label)
            if index not in present:
                raise DataError(f"no row is {label}", expected="rows of the positive class", fix="compare on accuracy")
            if name == "recall":
                found[metric] = compare_right(paired, metric, paired.a.labels == index)
            else:
                drawn.setdefault(index, {})[metric] = OF_CLASS[name]
        elif name in ("mcc", "balanced_accuracy") or label == MACRO:
            means = MEANS["recall" if name == "balanced_accuracy" else name](present) if name != "mcc" else tables.mcc
            drawn.setdefault(None, {})[metric] = means
        else:
            found[metric] = _compare_rows(paired, metric)
    for binary, figures in drawn.items():
        found |= compare_tables(paired, figures, binary=binary)
    return [found[metric] for metric in metrics]


def _compare_rows(paired: Paired, metric: str) -> Comparison:
    if metric == "accuracy":
        return compare_right(paired, metric, np.ones(len(paired.a.labels), bool))
    if metric == "roc_area":
        return compare_roc(paired)
    return compare_means(paired, metric, losses_of if metric == "loss" else squares_of)
