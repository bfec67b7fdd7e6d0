"""Figures: do the labels that came since still show what the verdict rests on? Valid at every look.

Each figure is a share of hits among some labelled rows: of all rows for accuracy, of those called a class for its precision,
of those that are of a class for its recall, of either for F1. A mean over classes ("macro") is bounded by the mean of their
bounds.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pretune.intervals import Counts, clopper_pearson_bounds, find_fall, sequential_interval
from pretune.production.watch.budget import ERROR, PER_WINDOWS, SHARES
from pretune.production.watch.compared import Bools, count
from pretune.production.watch.reference import Reference
from pretune.records import RunRecord, WatchedFigure
from pretune.report.figures import read_gates

Answered = Mapping[tuple[str, str], int]  # (label, class that was given) → rows
Make = Callable[..., WatchedFigure]
METRICS = ("accuracy", "precision", "recall", "f1")
MACRO = "macro"
# Part of a figure's error that the test's own uncertainty gets, where production is held against it.
OF_TEST = 0.1


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure, and the least that it is claimed to be.

    Args:
        metric: One of ``METRICS``.
        label: The class, ``macro``, or nothing.
        against: ``gate`` or ``test``.
        least: See above.
        error: That there is a false alarm in 100 looks.
    """

    metric: str
    label: str | None
    against: str
    least: float
    error: float


def claims_of(record: RunRecord, reference: Reference) -> tuple[Claim, ...]:
    """Return what the verdict claims: accuracy and every gate that is a share, each at its gate and at what the test showed."""
    gates = {name: gate for name, gate in read_gates(record.verdict).items() if name.partition("[")[0] in METRICS}
    names = list(dict.fromkeys(["accuracy", *gates]))
    error = ERROR * SHARES["figures"] / (len(names) + len(gates))
    claims = []
    for name in names:
        metric, label = name.partition("[")[0], name.partition("[")[2].removesuffix("]") or None
        if name in gates:
            claims.append(Claim(metric, label, "gate", gates[name], error))
        claims.append(Claim(metric, label, "test", _shown(reference, metric, label, OF_TEST * error), (1 - OF_TEST) * error))
    return tuple(claim for claim in claims if claim.least > 0)


def not_watched(record: RunRecord) -> tuple[str, ...]:
    """Return the names of gates that labels of production are not held against."""
    return tuple(name for name in read_gates(record.verdict) if name.partition("[")[0] not in METRICS)


def watch_figures(
    claims: Sequence[Claim], classes: Sequence[str], looks: Sequence[Answered], names: Sequence[str]
) -> tuple[WatchedFigure, ...]:
    """Hold all labels so far against the claims.

    Args:
        claims: As ``claims_of`` returns them.
        classes: Of the model.
        looks: New labels of each look, in order; there may be none in a look.
        names: Of the looks' windows.
    """
    return tuple(_watch(claim, classes, looks, names) for claim in claims if any(looks))


def _watch(claim: Claim, classes: Sequence[str], looks: Sequence[Answered], names: Sequence[str]) -> WatchedFigure:
    make = partial(WatchedFigure, metric=claim.metric, label=claim.label, against=claim.against, least=claim.least)
    watch = _watch_mean if claim.label == MACRO else _watch_share
    return watch(partial(make, confidence=1 - claim.error), claim, classes, looks, names)


def _watch_share(
    make: Make, claim: Claim, _classes: Sequence[str], looks: Sequence[Answered], names: Sequence[str]
) -> WatchedFigure:
    parts = [_hits(look, claim.metric, claim.label) for look in looks]
    hits, rows = (sum(part[side] for part in parts) for side in (0, 1))
    low, high = (_figure(claim.metric, end) for end in sequential_interval(hits, rows, claim.error))
    fall = find_fall(parts, _share(claim.metric, claim.least), error=claim.error, num_looks=PER_WINDOWS)
    return make(
        num_hits=hits,
        num_rows=rows,
        value=_figure(claim.metric, hits / rows) if rows else None,
        low=low,
        high=high,
        evidence=fall.evidence if rows else None,
        threshold=fall.threshold,
        since=names[fall.since] if fall.is_alarm else "",
        is_alarm=fall.is_alarm,
    )


def _watch_mean(
    make: Make, claim: Claim, classes: Sequence[str], looks: Sequence[Answered], _names: Sequence[str]
) -> WatchedFigure:
    total = Counter[tuple[str, str]]()
    for look in looks:
        total.update(look)
    parts = [_hits(total, claim.metric, label) for label in classes]
    bounds = [sequential_interval(hits, rows, claim.error / len(parts)) for hits, rows in parts]
    low, high = (float(np.mean([_figure(claim.metric, ends[side]) for ends in bounds])) for side in (0, 1))
    values = [_figure(claim.metric, hits / rows) for hits, rows in parts if rows]
    hits, rows = (sum(part[side] for part in parts) for side in (0, 1))
    return make(
        num_hits=hits,
        num_rows=rows,
        value=float(np.mean(values)) if len(values) == len(parts) else None,
        low=low,
        high=high,
        evidence=None,
        threshold=0.0,
        is_alarm=high < claim.least,
    )


def _hits(answered: Answered, metric: str, label: str | None) -> tuple[int, int]:
    """Return hits and rows of the share that a figure is, or rests on."""
    hits = rows = 0
    for (given, predicted), number in answered.items():
        is_of = {"precision": predicted == label, "recall": given == label, "f1": label in (given, predicted)}.get(metric, True)
        rows += number * is_of
        hits += number * (is_of and given == predicted)
    return hits, rows


def _figure(metric: str, share: float) -> float:
    """F1 is 2 J / (1 + J), where J is the share of hits among rows that are of the class or were called so."""
    return 2 * share / (1 + share) if metric == "f1" else share


def _share(metric: str, figure: float) -> float:
    return figure / (2 - figure) if metric == "f1" else figure


def _shown(reference: Reference, metric: str, label: str | None, error: float) -> float:
    """Return the lower end of what the test shows of a figure, which it is under with this probability."""
    parts = list(_of_test(reference, metric, label))
    lows = []
    for is_hit, units in parts:
        counted = count(is_hit, units) if len(is_hit) else None
        low = 0.0
        if counted is not None:
            low = float(clopper_pearson_bounds(counted.hits, counted.total, 1 - 2 * error / len(parts))[0])
        lows.append(_figure(metric, low))
    return float(np.mean(lows))


def _of_test(reference: Reference, metric: str, label: str | None) -> Iterator[tuple[Bools, Counts]]:
    predicted = np.array([reference.classes[number] for number in reference.measured.predicted], dtype=object)
    given = np.array(reference.labels, dtype=object)
    for name in reference.classes if label == MACRO else (label,):
        is_of = {
            "precision": predicted == name,
            "recall": given == name,
            "f1": (predicted == name) | (given == name),
        }.get(metric, np.ones(len(given), bool))
        yield (predicted == given)[is_of], reference.measured.units[is_of]
