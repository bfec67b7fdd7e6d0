"""Proportions: accuracy, precision, recall, and F1 of a class, which is a proportion in disguise."""

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from pretune.evaluate.codes import Counts, Rows
from pretune.intervals import MIN_RARER_CLASS, MIN_UNITS, Worth, f1_bounds, proportion_interval, uses_exact, worth_of
from pretune.intervals.units import crowded_effect, intraclass_correlation
from pretune.records import Score, Units

MakeScore = partial[Score]  # the split, source, look and confidence are filled in
Truth = npt.NDArray[np.bool_]


def accuracy_score(make: MakeScore, rows: Rows) -> Score:
    """Share of rows that are right."""
    everything = np.ones(len(rows.labels), bool)
    return proportion(make, ("accuracy", None), rows, rows.labels == rows.predicted, everything, "there are no rows")


def class_scores(make: MakeScore, rows: Rows, index: int) -> list[Score]:
    """Precision, recall and F1 of one class; ``None`` with the reason where it has no rows, or was never predicted."""
    label = rows.classes[index]
    actual, called = rows.labels == index, rows.predicted == index
    hits = actual & called
    never, none = f"undefined: {label} was never predicted", f"undefined: no row is {label}"
    return [
        proportion(make, ("precision", label), rows, hits, called, never),
        proportion(make, ("recall", label), rows, hits, actual, none),
        _class_f1(make, label, rows, hits, actual | called) if actual.any() else _undefined(make, ("f1", label), none),
    ]


def effective_share(is_hit: Truth, units: Counts | None) -> float:
    """How many independent rows a row of these is worth, in (0, 1], by the first version of the rules.

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


def proportion(
    make: MakeScore, name: tuple[str, str | None], rows: Rows, is_hit: Truth, counted: Truth, undefined: str = ""
) -> Score:
    """Return the share of hits among the counted rows, with its interval or the reason why there is none."""
    hits, total = int(is_hit.sum()), int(counted.sum())
    if total == 0:
        return _undefined(make, name, undefined)
    worth = worth_in(rows, is_hit, counted, make.keywords["confidence"])
    blank = partial(make, metric=name[0], label=name[1], value=hits / total, num_examples=total, num_hits=hits)
    blank = partial(blank, units=_counted(rows, worth, total))
    if not worth.is_known:
        return blank(low=None, high=None, method=too_few_units(worth, rows.unit_name))
    low, high = proportion_interval(hits * worth.share, total * worth.share, make.keywords["confidence"])
    return blank(low=low, high=high, method=_method(hits * worth.share, total * worth.share) + _of_units(rows, worth, total))


def _class_f1(make: MakeScore, label: str, rows: Rows, is_hit: Truth, involved: Truth) -> Score:
    index = rows.classes.index(label)
    hits, total = int(is_hit.sum()), int(involved.sum())
    value = 2 * hits / (hits + total)
    blank = partial(make, metric="f1", label=label, value=value, num_examples=total)
    rarer = rows.rarer(index)
    if rarer < MIN_RARER_CLASS:
        return blank(low=None, high=None, method=too_few("the rarer side", rarer, rows.unit_name))
    worth = worth_in(rows, is_hit, involved, make.keywords["confidence"])
    if not worth.is_known:
        return blank(low=None, high=None, method=too_few_units(worth, rows.unit_name))
    low, high = f1_bounds(hits * worth.share, total * worth.share, make.keywords["confidence"])
    method = f"{_method(hits * worth.share, total * worth.share)} of the Jaccard share, as F1"
    return blank(
        low=float(low), high=float(high), method=method + _of_units(rows, worth, total), units=_counted(rows, worth, total)
    )


def too_few(what: str, count: int, unit: str = "rows") -> str:
    """Say why there is no interval."""
    return f"no interval: {what} has {count} {unit}, {MIN_RARER_CLASS} are needed"


def _undefined(make: MakeScore, name: tuple[str, str | None], why: str) -> Score:
    return make(metric=name[0], label=name[1], value=None, low=None, high=None, method=why, num_examples=0)


def too_few_units(worth: Worth, unit: str) -> str:
    """Say why there is no interval where rows come in few units."""
    as_many = "" if worth.num_even > 0.9 * worth.num_units else f", uneven as they are, count as {worth.num_even:.1f}"
    needed = f"{MIN_UNITS} are needed to tell how far their rows agree"
    return f"no interval: {worth.num_units} {unit}{as_many}; {needed}"


def worth_in(rows: Rows, is_hit: Truth, counted: Truth, confidence: float) -> Worth:
    """Return what the counted rows are worth for the share of hits among them, by the rules of the rows."""
    units = None if rows.units is None else rows.units[counted]
    if rows.rules > 1 and units is not None and len(units):
        found = worth_of(is_hit[counted], units, confidence, by_moments=rows.rules == 2)
        return found if rows.crowding is None else _crowded(found, rows, is_hit, counted)
    share, num_rows = effective_share(is_hit[counted], units), int(counted.sum())
    return Worth(share=share, num_units=num_rows, num_even=num_rows, effect=1 / share, freedom=num_rows - 1, is_known=True)


def _crowded(worth: Worth, rows: Rows, is_hit: Truth, counted: Truth) -> Worth:
    """Return the worth where rows may come to be counted, or not, in whole units: those of a class that comes in copies.

    Of the rows that are called a class, few are the mistakes of another one; whether that one comes in large units cannot be
    seen in them, only in all of its rows.
    """
    share = float(is_hit[counted].mean())
    pulls = np.where(counted, is_hit - share, 0.0)
    if rows.units is None or rows.crowding is None:
        return worth
    effect = crowded_effect(pulls, intraclass_correlation(pulls, rows.units), rows.crowding)
    return replace(worth, effect=max(worth.effect, effect), share=min(worth.share, 1 / effect))


def _counted(rows: Rows, worth: Worth, total: int) -> Units | None:
    alone = worth.num_units == total
    if rows.rules == 2:  # which took units of one size for rows that stand alone where nothing showed that they are not
        alone = worth.num_units == worth.num_even == worth.freedom + 1
    if rows.units is None or rows.rules == 1 or alone:
        return None
    return Units(num=worth.num_units, even=worth.num_even, effect=worth.effect, freedom=worth.freedom)


def _method(hits: float, total: float) -> str:
    return "clopper-pearson" if uses_exact(hits, total) else "wilson"


def _of_units(rows: Rows, worth: Worth, total: int) -> str:
    if rows.units is None:
        return ""
    kept = "groups" if rows.rules == 1 else rows.unit_name
    return f", {kept} kept together: worth {worth.share * total:,.0f} independent rows"
