"""Floors: the least figure of every class, or of every slice, with the number of them allowed for.

A floor of many asks that all hold. Holding needs no correction: where one lies below the floor, that one must pass by luck
for the model to ship. Failing does: of 150 classes at the floor some fail alone by luck. So a class or slice passes by the
interval of its look, and fails by one whose error is shared out among all of them (Bonferroni).

Source:
    Berger (1982), Multiparameter hypothesis testing and acceptance sampling (intersection-union tests need no correction).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pretune.intervals import proportion_interval, quantile, t_quantile
from pretune.records import Reason, Score, Slice, Units

MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One class or slice.

    Args:
        name: Of the reason about it, such as ``recall[spam]``.
        shown: What it is called in a sentence.
        value: Its figure.
        low: End of the interval of the look; ``None`` where there is none.
        high: Likewise.
        hits: Rows that are right.
        total: Rows there are.
        units: What the rows are worth where some belong together.
        confidence: Of the interval.
        why_open: Why nothing can be said; empty where something can.
    """

    name: str
    shown: str
    value: float
    low: float | None
    high: float | None
    hits: int
    total: int
    units: Units | None
    confidence: float
    why_open: str = ""


def part_of_score(score: Score, shown: str, min_rows: int) -> Part:
    """Return a class as its score has it; with fewer than ``min_rows`` rows it stays open."""
    few = score.num_examples < min_rows
    return Part(
        name=score.name,
        shown=shown,
        value=score.value or 0.0,
        low=score.low,
        high=score.high,
        hits=score.num_hits or 0,
        total=score.num_examples,
        units=score.units,
        confidence=score.confidence,
        why_open=f"only {score.num_examples} test rows are {shown}, {min_rows} are needed" if few else "",
    )


def part_of_slice(item: Slice) -> Part:
    """Return a slice as a part."""
    return Part(
        name=f"{item.column}={item.value}",
        shown=f"{item.column} = {item.value}",
        value=item.accuracy,
        low=item.low,
        high=item.high,
        hits=item.num_hits,
        total=item.num_examples,
        units=item.units,
        confidence=item.confidence,
    )


def weigh_floor(parts: Sequence[Part], floor: float, *, figure: str, what: str, kind: str = "score") -> Iterator[Reason]:
    """Hold the floor against every part: one reason for those that fail, one for those that are open, one for the rest.

    Args:
        parts: All classes or slices that the floor is about.
        floor: The least value.
        figure: What is bounded, such as ``recall``.
        what: What the parts are: ``classes`` or ``slices``.
        kind: Of the reasons.
    """
    judged: dict[bool | None, list[Part]] = {False: [], None: [], True: []}
    for part in parts:
        judged[holds(part, floor, len(parts))].append(part)
    for state, found in judged.items():
        if found:
            ranked = sorted(found, key=lambda part: (part.value, part.shown))
            text = _say(ranked, state, floor, figure, f"{len(parts)} {what}")
            yield Reason(kind=kind, name=ranked[0].name, holds=state, text=text)


def holds(part: Part, floor: float, num_parts: int) -> bool | None:
    """Say whether a part reaches the floor, lies below it even as one of many, or neither."""
    if part.why_open or part.low is None or part.high is None:
        return None
    if part.low >= floor:
        return True
    return False if upper_of_many(part, num_parts) < floor else None


def upper_of_many(part: Part, num_parts: int) -> float:
    """Return the upper end of the part's interval where so many are looked at together."""
    confidence = 1 - (1 - part.confidence) / num_parts
    share = 1.0
    if part.units is not None:
        few = (quantile(confidence) / t_quantile(confidence, part.units.freedom)) ** 2
        share = few / part.units.effect
    _, high = proportion_interval(part.hits * share, part.total * share, confidence)
    return max(high, part.high or 0.0)


def _say(ranked: Sequence[Part], state: bool | None, floor: float, figure: str, of_all: str) -> str:
    worst = ranked[0]
    if state:
        span = f"{worst.value:.3f} ({100 * worst.confidence:.4g} % interval {worst.low:.3f} to {worst.high:.3f})"
        which = f"of {worst.shown}" if len(ranked) == 1 else f"of {len(ranked)} of the {of_all}"
        lowest = "" if len(ranked) == 1 else f"; the lowest is {worst.shown} with {span}"
        own = f" is {span}" if len(ranked) == 1 else ""
        return f"{figure} {which}{own} reaches the floor of {floor:g} with the whole interval{lowest}"
    shown = "; ".join(_one(part) for part in ranked[:MAX_NAMED])
    more = f"; and {len(ranked) - MAX_NAMED} more" if len(ranked) > MAX_NAMED else ""
    if state is False:
        return f"{figure} below the floor of {floor:g}, with an interval that allows for {of_all}: {shown}{more}"
    return f"the floor of {floor:g} for {figure} is open for {len(ranked)} of the {of_all}: {shown}{more}"


def _one(part: Part) -> str:
    if part.why_open:
        return part.why_open
    if part.low is None or part.high is None:
        return f"{part.shown} {part.value:.3f}, without an interval"
    return f"{part.shown} {part.value:.3f} ({part.low:.3f} to {part.high:.3f}, {part.hits:,} of {part.total:,} rows)"
