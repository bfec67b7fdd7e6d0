"""Measures: figures with a bound whose rows needed are sought by their standard error, since no confusion matrix gives them.

Costs, alerts, areas, calibration, differences to another model, and every figure that is weighed by class shares. The truth is
thought to lie normally around the value, as wide as the interval; further rows add a value of their own, and the pooled
interval is narrower by the root of the rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pretune.intervals import quantile
from pretune.records import AGREEMENT, PERSON, Comparison, Confusion, Evaluation, Score
from pretune.verdict.limits import EVERY, SLICE, labels_of
from pretune.verdict.policy import Policy
from pretune.verdict.weigh import active_gates, confusion_of_main, find_comparison, goal_metric, label_of


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with a bound.

    Args:
        name: Of the score, or of the comparison.
        value: On the rows there are.
        error: Its standard error; ``None`` where it has no interval.
        bound: The least value, or the largest.
        is_floor: Whether the bound is the least value.
    """

    name: str
    value: float
    error: float | None
    bound: float
    is_floor: bool = True


def measures_of(evaluation: Evaluation, policy: Policy, positive: str | None) -> tuple[Measure, ...]:
    """Return what a policy bounds besides the gates that the confusion matrix tells, and besides floors of classes and slices.

    Args:
        evaluation: With the figures.
        policy: Says what is bounded; where it names class shares, its gates are measures as well.
        positive: The class that is looked for.
    """
    confusion = confusion_of_main(evaluation)
    return (
        *(_of_gates(evaluation, policy, positive, confusion) if policy.prevalence else ()),
        *_of_limits(evaluation, policy, positive, confusion),
        *_of_margins(evaluation, policy, positive),
    )


def _of_gates(evaluation: Evaluation, policy: Policy, positive: str | None, confusion: Confusion) -> Iterator[Measure]:
    for gate in active_gates(confusion, policy):
        label = label_of(gate, positive)
        name = gate.metric if label is None else f"{gate.metric}[{label}]"
        yield _of_score(evaluation.find(gate.metric, label), name, gate.minimum, is_floor=True)


def _of_limits(evaluation: Evaluation, policy: Policy, positive: str | None, confusion: Confusion) -> Iterator[Measure]:
    for limit in policy.limits:
        if limit.metric == SLICE or limit.label == EVERY:
            continue
        bound = limit.minimum if limit.minimum is not None else limit.maximum
        for label in labels_of(limit, confusion, positive):
            name = limit.metric if label is None else f"{limit.metric}[{label}]"
            score = evaluation.find(limit.metric, label)
            yield _of_score(score, name, float(bound or 0.0), is_floor=limit.minimum is not None)


def _of_margins(evaluation: Evaluation, policy: Policy, positive: str | None) -> Iterator[Measure]:
    metric = goal_metric(confusion_of_main(evaluation), policy, positive)
    for source, margin in policy.not_worse.items():
        found = find_comparison(evaluation, AGREEMENT if source == PERSON else metric, source)
        if found is None:
            yield Measure(f"the margin to {source}", 0.0, None, -margin)
        else:
            yield Measure(f"the margin to {source}", found.difference, _error(found), -margin)


def _of_score(score: Score | None, name: str, bound: float, *, is_floor: bool) -> Measure:
    if score is None or score.value is None:
        return Measure(name, 0.0, None, bound, is_floor)
    return Measure(name, score.value, _error(score), bound, is_floor)


def _error(found: Score | Comparison) -> float | None:
    if found.low is None or found.high is None:
        return None
    return (found.high - found.low) / (2 * quantile(found.confidence))


def without_error(measures: Sequence[Measure]) -> list[str]:
    """Return the names of those that have no interval, so that nobody knows how many rows would narrow it."""
    return [measure.name for measure in measures if measure.error is None]
