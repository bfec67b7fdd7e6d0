"""Recall under a constraint: at a given precision, or at so many alerts per 1,000 rows; the test judges both."""

from collections.abc import Sequence
from dataclasses import replace

from pretune.errors import UsageError
from pretune.verdict.gate import Gate
from pretune.verdict.limits import ALERTS, Limit

PER = 1_000  # rows that a budget of alerts is told for


def constrained(
    gates: Sequence[Gate], limits: Sequence[Limit], *, at_precision: float | None = None, max_alerts: float | None = None
) -> tuple[tuple[Gate, ...], tuple[Limit, ...]]:
    """Return gates and limits with what recall is asked under: a gate on precision, or a limit on alerts.

    A precision that recall is taken at replaces the gate on precision. A budget of alerts does so as well: how many false
    alarms people can work through is then the constraint.

    Args:
        gates: Of the chosen goal.
        limits: Of the policy.
        at_precision: As a flag names it; it replaces the policy's own constraint.
        max_alerts: Likewise, per 1,000 rows.

    Raises:
        UsageError: Both are named, there is no gate on recall, or the number cannot be meant.
    """
    if at_precision is not None and max_alerts is not None:
        raise UsageError("--at-precision with --max-alerts", expected="one of them", fix="leave one of them out")
    recall = _recall_of(gates)
    if at_precision is not None or max_alerts is not None:
        flag = "--at-precision" if at_precision is not None else "--max-alerts"
        if recall is None:
            raise UsageError(f"{flag} without a gate on recall", expected="the recall to reach", fix="add --min-recall")
        recall = replace(recall, at_precision=at_precision, at_alerts=max_alerts)
        check_constraint(recall, flag)
    if recall is None or (recall.at_precision is None and recall.at_alerts is None):
        return tuple(gates), tuple(limits)
    limits = [limit for limit in limits if limit.metric != ALERTS]
    others = tuple(gate for gate in gates if gate.metric not in ("recall", "precision"))
    if recall.at_precision is not None:
        return (recall, Gate(metric="precision", minimum=recall.at_precision), *others), tuple(limits)
    return (recall, *others), (*limits, Limit(metric=ALERTS, maximum=float(recall.at_alerts or 0) / PER))


def constraint_of(gates: Sequence[Gate]) -> dict[str, float]:
    """Return what the threshold has to keep to on validation: a least ``precision``, or the largest share of ``alerts``.

    Example:
        >>> constraint_of([Gate(metric="recall", minimum=0.6, at_alerts=5.0)])
        {'alerts': 0.005}
    """
    recall = _recall_of(gates)
    if recall is not None and recall.at_precision is not None:
        return {"precision": recall.at_precision}
    return {ALERTS: recall.at_alerts / PER} if recall is not None and recall.at_alerts is not None else {}


def _recall_of(gates: Sequence[Gate]) -> Gate | None:
    return next((gate for gate in gates if gate.metric == "recall"), None)


def check_constraint(gate: Gate, name: str) -> None:
    """Raise a ``UsageError`` unless a gate's constraint can be meant."""
    if gate.at_precision is None and gate.at_alerts is None:
        return
    if gate.metric != "recall" or (gate.at_precision is not None and gate.at_alerts is not None):
        raise UsageError(
            f"{name}: {gate.metric} under a constraint", expected="recall, with at_precision or at_alerts", fix="name one"
        )
    if gate.at_precision is not None and not 0 < gate.at_precision < 1:
        raise UsageError(
            f"{name}: a precision of {gate.at_precision:g}", expected="a share above 0 and below 1", fix="90 % is 0.9"
        )
    if gate.at_alerts is not None and not 0 < gate.at_alerts < PER:
        raise UsageError(
            f"{name}: {gate.at_alerts:g} alerts per {PER:,} rows", expected=f"above 0 and below {PER:,}", fix="5 are 0.5 %"
        )
