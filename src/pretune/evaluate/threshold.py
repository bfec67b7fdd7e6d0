"""From which probability on is the answer the positive class? Chosen on validation by a stated rule, with its value."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pretune.errors import UsageError
from pretune.evaluate.aims import KEPT, Aim, gates_of, say_rule
from pretune.evaluate.codes import Groups, units_of
from pretune.evaluate.decide import shares_beside
from pretune.evaluate.ladder import Ladder, RungCounts, build_ladder, count, count_largest
from pretune.evaluate.metrics import codes_of
from pretune.evaluate.tradeoff import curve_of, table_of
from pretune.intervals import MIN_RARER_CLASS, Floats
from pretune.records import Predictions, Reached, ThresholdChoice

NUM_RESAMPLES = 500
RESAMPLES_AT_ONCE = 50
LOW, HIGH = 0.05, 0.95  # of the range that is shown
# Share of the resamples in which a threshold that nobody asked for must beat the largest class (docs/decisions/0009).
MIN_BETTER = 0.90
# Below every figure there is: where a constraint is missed, thresholds are weighed by how far they miss it.
MISSED = 10.0
# Among thresholds that are equally good the one nearest to the middle is taken.
TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """What resamples of the rows choose.

    Args:
        chosen: Position of the best threshold, shape (num_resamples,).
        merit_of_largest: What the rule says of the largest class, of the same shape.
        merit: What the rule says of each threshold, shape (num_resamples, num_thresholds).
        figures: What the chosen threshold reaches on its own resample, by metric, each of shape (num_resamples,).
    """

    chosen: npt.NDArray[np.int64]
    merit_of_largest: Floats
    merit: Floats
    figures: dict[str, Floats]


def choose_threshold(predictions: Predictions, aim: Aim, *, groups: Groups | None = None, seed: int = 0) -> ThresholdChoice:
    """Choose the threshold on the probability of the positive class.

    Figures are weighed by the lower end of their 95 % interval, as gates are, so that 3 right of 3 do not beat 95 of 100. On
    each of 500 resamples of the rows the best threshold is sought; their median is taken, which moves less with the
    rows than the best of all rows does. What ``keep`` asks must hold on the rows themselves; where no threshold holds it, the
    nearest is taken. A goal that was not asked for keeps the largest class unless nine of ten resamples find the median better.

    Args:
        predictions: On validation rows, with labels and probabilities; test rows are refused.
        aim: What is sought.
        groups: Group of each row that has one, by id; then whole groups are drawn.
        seed: Of the resamples; the same seed gives the same threshold.

    Returns:
        The choice. Its threshold is ``None`` where the largest class decides: without a positive class or probabilities,
        with fewer than 20 rows of the positive class or of the others, or where nothing better is proven.

    Raises:
        UsageError: These are test rows, or the positive class is not among the classes.
        DataError: What ``codes_of`` raises.

    Source:
        Resampled choice: Breiman (1996), Bagging predictors. Optimism: Efron (1983), Estimating the error rate of a
        prediction rule.
    """
    if predictions.split == "test":
        raise UsageError("a threshold chosen on test rows", expected="validation rows", fix="choose before the seal is opened")
    blank = ThresholdChoice(
        source=predictions.source,
        split=predictions.split,
        goal=aim.goal,
        rule=say_rule(aim),
        positive=aim.positive,
        keep=dict(aim.keep),
        costs=dict(aim.costs),
        gates=dict(aim.gates),
        at=dict(aim.at),
        prevalence=aim.prevalence,
        is_asked=aim.is_asked,
        num_examples=len(predictions.ids),
    )
    if aim.positive is None:
        return replace(blank, note="no class is the positive one, so the largest class decides")
    if aim.positive not in predictions.classes:
        raise UsageError(
            f"no class {aim.positive!r}", expected="one of " + ", ".join(predictions.classes), fix="see --positive"
        )
    num_positives = sum(label == aim.positive for label in predictions.labels)
    blank, rarer = replace(blank, num_positives=num_positives), min(num_positives, len(predictions.ids) - num_positives)
    if predictions.probabilities is None:
        return replace(blank, note="the predictions came without probabilities, so there is nothing to threshold")
    if rarer < MIN_RARER_CLASS:
        which = aim.positive if rarer == num_positives else f"not {aim.positive}"
        note = f"only {rarer} {predictions.split} rows are {which}, {MIN_RARER_CLASS} are needed to choose by"
        return replace(blank, note=f"{note}: the largest class decides")
    ladder = ladder_of(predictions, aim.positive)
    return _choose(ladder, aim, blank, units_of(predictions.ids, groups), seed)


def ladder_of(predictions: Predictions, positive: str) -> Ladder:
    """Count the rows of predictions with probabilities by every threshold on the probability of a class."""
    labels, _ = codes_of(predictions)
    index, shares, other = shares_beside(predictions, positive)
    return build_ladder(shares[:, index], labels == index, other == labels, shares.argmax(axis=1) == index)


def aim_of(choice: ThresholdChoice) -> Aim:
    """Return what a threshold was chosen for, so that it can be chosen again."""
    return Aim(
        positive=choice.positive,
        goal=choice.goal,
        gates=choice.gates,
        keep=choice.keep,
        costs=choice.costs,
        at=choice.at,
        prevalence=choice.prevalence,
        is_asked=choice.is_asked is not False,
    )


def _choose(
    ladder: Ladder, aim: Aim, blank: ThresholdChoice, units: npt.NDArray[np.int64] | None, seed: int
) -> ThresholdChoice:
    counts, largest = count(ladder.cells[None], aim.prevalence), count_largest(ladder.cells[None], aim.prevalence)
    draws = _draw(ladder, aim, units, seed)
    holds = _room(aim, counts)[0] >= 0
    place, note = _settle(ladder, aim, counts, draws, holds)
    better = float((draws.merit[:, place] > draws.merit_of_largest).mean())
    by_resamples = ladder.thresholds[draws.chosen]
    low, high = (float(end) for end in np.quantile(by_resamples, (LOW, HIGH), method="inverted_cdf"))
    known = replace(
        blank,
        low=low,
        high=high,
        num_resamples=len(draws.chosen),
        curve=curve_of(ladder, counts),
        kept_share=float(holds[draws.chosen].mean()) if aim.keep or aim.floors or aim.at else None,
    )
    if not aim.is_asked and better < MIN_BETTER:
        note = f"the best threshold beats the largest class in {better:.0%} of the resamples, short of {MIN_BETTER:.0%}"
        values = {metric: float(_value(metric, aim, largest)[0, 0]) for metric in _metrics(aim)}
        reached = tuple(Reached(metric=name, value=value, before=value, expected=value) for name, value in values.items())
        kept = replace(known, note=f"{note}, so the largest class decides", reached=reached)
        return replace(kept, table=table_of(ladder, counts, 0.5))
    threshold = float(ladder.thresholds[place])
    reached = tuple(_reach(metric, aim, counts, largest, place, draws) for metric in _metrics(aim))
    return replace(known, threshold=threshold, note=note, reached=reached, table=table_of(ladder, counts, threshold))


def _settle(ladder: Ladder, aim: Aim, counts: RungCounts, draws: _Draws, holds: npt.NDArray[np.bool_]) -> tuple[int, str]:
    """Return the position of the threshold: the median, or the nearest to it that holds the constraints."""
    if not holds.any():
        place = int(_merit(ladder, aim, counts)[0].argmax())
        figures = [*aim.keep, *aim.floors, *aim.at]
        reached = ", ".join(f"{metric} {float(counts.value(metric)[0, place]):.3f}" for metric in dict.fromkeys(figures))
        return place, f"no threshold holds the constraint on these rows; the nearest is taken ({reached})"
    median = float(np.quantile(ladder.thresholds[draws.chosen], 0.5, method="inverted_cdf"))
    distance = np.where(holds, np.abs(ladder.thresholds - median), np.inf)
    return int(distance.argmin()), ""


def _draw(ladder: Ladder, aim: Aim, units: npt.NDArray[np.int64] | None, seed: int) -> _Draws:
    generator, cells = np.random.default_rng(seed), ladder.cells
    merits, largest, figures = [], [], []
    for _ in range(NUM_RESAMPLES // RESAMPLES_AT_ONCE):
        drawn = _resample(ladder, generator) if units is None else _resample_groups(ladder, units, generator)
        tables = drawn.reshape(RESAMPLES_AT_ONCE, *cells.shape)
        counts = count(tables, aim.prevalence)
        merit = _merit(ladder, aim, counts)
        rows, best = np.arange(RESAMPLES_AT_ONCE), merit.argmax(axis=1)
        merits.append(merit)
        largest.append(_weigh(aim, count_largest(tables, aim.prevalence))[:, 0])
        figures.append({metric: _value(metric, aim, counts)[rows, best] for metric in _metrics(aim)})
    merit = np.concatenate(merits)
    joined = {metric: np.concatenate([part[metric] for part in figures]) for metric in _metrics(aim)}
    return _Draws(chosen=merit.argmax(axis=1), merit_of_largest=np.concatenate(largest), merit=merit, figures=joined)


def _resample(ladder: Ladder, generator: np.random.Generator) -> Floats:
    """Draw rows with replacement; return their flat cells, shape (num_resamples, num_cells)."""
    cells = ladder.cells.ravel()
    kept = np.flatnonzero(cells)
    tables = np.zeros((RESAMPLES_AT_ONCE, cells.size))
    tables[:, kept] = generator.multinomial(len(ladder.places), cells[kept] / cells.sum(), size=RESAMPLES_AT_ONCE)
    return tables


def _resample_groups(ladder: Ladder, units: npt.NDArray[np.int64], generator: np.random.Generator) -> Floats:
    """Draw whole groups with replacement; each brings all its rows."""
    num_units = int(units.max()) + 1
    drawn = generator.multinomial(num_units, np.full(num_units, 1 / num_units), size=RESAMPLES_AT_ONCE)
    return np.stack([np.bincount(ladder.places, weights=row[units], minlength=ladder.cells.size) for row in drawn])


def _merit(ladder: Ladder, aim: Aim, counts: RungCounts) -> Floats:
    """Weigh every threshold, shape (num_tables, num_thresholds); of equals the nearest to the middle is best."""
    middle = aim.costs["fp"] / (aim.costs["fp"] + aim.costs["fn"]) if aim.costs else 0.5  # Elkan (2001), for true probabilities
    merit: Floats = _weigh(aim, counts) - TIE * np.abs(ladder.thresholds - middle)
    return merit


def _weigh(aim: Aim, counts: RungCounts) -> Floats:
    if aim.at:
        gain = _room_in_widths(aim, counts)
    elif aim.goal == "cost":
        gain = -counts.cost(aim.costs["fn"], aim.costs["fp"]) / (aim.costs["fn"] + aim.costs["fp"])
    elif aim.goal in (*KEPT, "f1"):
        gain = counts.low(aim.goal)
    else:
        gain = np.min([counts.low(metric) - least for metric, least in gates_of(aim).items()], axis=0)
    room = _room(aim, counts)
    weighed: Floats = np.where(room < 0, room - MISSED, gain)
    return weighed


def _room(aim: Aim, counts: RungCounts) -> Floats:
    """Return by how much the constraints hold, negative where the worst of them is missed."""
    rooms = [counts.value(metric) - least + TIE for metric, least in aim.keep.items()]
    rooms += [counts.low(metric) - least for metric, least in aim.floors.items()]
    rooms += [
        most - counts.high("alerts") if metric == "alerts" else counts.low(metric) - most for metric, most in aim.at.items()
    ]
    room: Floats = np.min(rooms, axis=0) if rooms else np.zeros_like(counts.hits)
    return room


def _room_in_widths(aim: Aim, counts: RungCounts) -> Floats:
    """Return the least room to any gate, in widths of the interval that has to reach it: 1 alert in 1,000 is no small room.

    Whatever the test's size, the room of each gate in widths says how likely it is to hold there.
    """
    rooms = [
        (counts.low(metric) - least) / np.maximum(counts.value(metric) - counts.low(metric), TIE)
        for metric, least in gates_of(aim).items()
    ]
    if "alerts" in aim.at:
        high = counts.high("alerts")
        rooms.append((aim.at["alerts"] - high) / np.maximum(high - counts.value("alerts"), TIE))
    room: Floats = np.clip(np.min(rooms, axis=0), 1 - MISSED, MISSED - 1)
    return room


def _metrics(aim: Aim) -> tuple[str, ...]:
    return (
        "precision",
        "recall",
        "f1",
        "accuracy",
        *(("cost",) if aim.costs else ()),
        *(("alerts",) if "alerts" in aim.at else ()),
    )


def _value(metric: str, aim: Aim, counts: RungCounts) -> Floats:
    return counts.cost(aim.costs["fn"], aim.costs["fp"]) if metric == "cost" else counts.value(metric)


def _reach(metric: str, aim: Aim, counts: RungCounts, largest: RungCounts, place: int, draws: _Draws) -> Reached:
    values = _value(metric, aim, counts)[0]
    of_resamples = values[draws.chosen]
    optimism = float((draws.figures[metric] - of_resamples).mean())
    span = tuple(float(end) for end in np.quantile(of_resamples, (LOW, HIGH)))
    expected = max(0.0, float(values[place]) - optimism)
    return Reached(
        metric=metric,
        value=float(values[place]),
        before=float(_value(metric, aim, largest)[0, 0]),
        expected=expected if metric == "cost" else min(1.0, expected),
        low=span[0],
        high=span[1],
    )
