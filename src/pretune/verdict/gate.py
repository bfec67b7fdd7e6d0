"""A gate: one figure of the goal, and the least it must reach."""

from dataclasses import dataclass

from pretune.records import Record

METRICS = ("accuracy", "precision", "recall", "f1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Record):
    """One figure and the least it must reach with its whole interval."""

    metric: str  # one of METRICS
    minimum: float
    only_balanced: bool = False  # falls away where one class holds most rows
    at_precision: float | None = None  # of recall: at this precision, which is then a gate as well (``verdict.constraint``)
    at_alerts: float | None = None  # of recall: with at most so many rows called positive per 1,000
