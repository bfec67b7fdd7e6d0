"""Proportions: accuracy, precision, recall, and F1 of a class, which is a proportion in disguise."""

from functools import partial

import numpy as np
import numpy.typing as npt

from pretune.evaluate.codes import Counts, Rows
from pretune.intervals import MIN_RARER_CLASS, f1_bounds, proportion_interval, uses_exact
from pretune.records import Score

MakeScore = partial[Score]  # the split, source, look and confidence are filled in
Truth = npt.NDArray[np.bool_]


def accuracy_score(make: MakeScore, rows: Rows) -> Score:
    """Share of rows that are right."""
    everything = np.ones(len(rows.labels), bool)
    return _proportion(make, ("accuracy", None), rows, rows.labels == rows.predicted, everything, "there are no rows")


def class_scores(make: MakeScore, rows: Rows, index: int) -> list[Score]:
    """Precision, recall and F1 of one class; ``None`` with the reason where it has no rows, or was never predicted."""
    label = rows.classes[index]
    actual, called = rows.labels == index, rows.predicted == index
    hits = actual & called
    never, none = f"undefined: {label} was never predicted", f"undefined: no row is {label}"
    return [
        _proportion(make, ("precision", label), rows, hits, called, never),
        _proportion(make, ("recall", label), rows, hits, actual, none),
        _class_f1(make, label, rows, hits, actual | called) if actual.any() else _undefined(make, ("f1", label), none),
    ]


def effective_share(is_hit: Truth, units: Counts | None) -> float:
    """How many independent rows a row of these is worth, in (0, 1]: rows of one group repeat each other.

    It is the variance that independent rows would have, over the variance between the groups. Where all rows agree that
    cannot be measured, and a group counts as one row.

    Args:
        is_hit: Of the rows that the proportion rests on, shape (num_rows,).
        units: Their groups; ``None`` where each row stands alone.

    Source:
        Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data.
    """
    if units is None or not len(is_hit):
        return 1.0
    _, units = np.unique(units, return_inverse=True)
    sizes, hits = np.bincount(units), np.bincount(units, is_hit)
    share, num_units = float(is_hit.mean()), len(sizes)
    if share in (0.0, 1.0) or num_units < 2:
        return num_units / len(is_hit)
    between = num_units / (num_units - 1) * float(((hits - share * sizes) ** 2).sum())
    return min(1.0, share * (1 - share) * len(is_hit) / max(between, 1e-12))


def _proportion(
    make: MakeScore, name: tuple[str, str | None], rows: Rows, is_hit: Truth, counted: Truth, undefined: str
) -> Score:
    hits, total = int(is_hit.sum()), int(counted.sum())
    if total == 0:
        return _undefined(make, name, undefined)
    worth = _worth(rows, is_hit, counted)
    low, high = proportion_interval(hits * worth, total * worth, make.keywords["confidence"])
    return make(
        metric=name[0],
        label=name[1],
        value=hits / total,
        low=low,
        high=high,
        method=_method(hits * worth, total * worth) + _of_groups(rows, worth * total),
        num_examples=total,
        num_hits=hits,
    )


def _class_f1(make: MakeScore, label: str, rows: Rows, is_hit: Truth, involved: Truth) -> Score:
    index = rows.classes.index(label)
    hits, total = int(is_hit.sum()), int(involved.sum())
    value = 2 * hits / (hits + total)
    blank = partial(make, metric="f1", label=label, value=value, num_examples=total)
    rarer = rows.rarer(index)
    if rarer < MIN_RARER_CLASS:
        return blank(low=None, high=None, method=too_few("the rarer side", rarer, rows.unit_name))
    worth = _worth(rows, is_hit, involved)
    low, high = f1_bounds(hits * worth, total * worth, make.keywords["confidence"])
    method = f"{_method(hits * worth, total * worth)} of the Jaccard share, as F1" + _of_groups(rows, worth * total)
    return blank(low=float(low), high=float(high), method=method)


def too_few(what: str, count: int, unit: str = "rows") -> str:
    """Say why there is no interval."""
    return f"no interval: {what} has {count} {unit}, {MIN_RARER_CLASS} are needed"


def _undefined(make: MakeScore, name: tuple[str, str | None], why: str) -> Score:
    return make(metric=name[0], label=name[1], value=None, low=None, high=None, method=why, num_examples=0)


def _worth(rows: Rows, is_hit: Truth, counted: Truth) -> float:
    return effective_share(is_hit[counted], None if rows.units is None else rows.units[counted])


def _method(hits: float, total: float) -> str:
    return "clopper-pearson" if uses_exact(hits, total) else "wilson"


def _of_groups(rows: Rows, worth: float) -> str:
    return "" if rows.units is None else f", groups kept together: worth {worth:,.0f} independent rows"
