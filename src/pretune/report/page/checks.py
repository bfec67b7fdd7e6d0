"""Findings for reading: what needs attention, what passed, what could not run, and what was not asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from pretune.records import Finding, Severity
from pretune.report.words import sort_findings

ALARMING = (Severity.BLOCKING, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True, slots=True)
class PlacedFinding:
    """A finding and its place on the page."""

    finding: Finding
    anchor: str


@dataclass(frozen=True, slots=True)
class Checks:
    """Findings by what a reader does with them."""

    alarming: tuple[PlacedFinding, ...]
    passed: tuple[PlacedFinding, ...]
    unknown: tuple[PlacedFinding, ...]  # should have run and could not
    not_asked: tuple[tuple[str, tuple[PlacedFinding, ...]], ...]  # why, and the checks that it holds for

    @property
    def num_not_asked(self) -> int:
        """How many checks were not asked for, or do not apply."""
        return sum(len(checks) for _, checks in self.not_asked)


def group_findings(findings: Sequence[Finding]) -> Checks:
    """Sort findings, the worst first; those that do not apply are told once for each reason."""
    checked, skipped = sort_findings(tuple(findings))
    # Equal findings are one object or two; which place is whose does not matter, since they say the same.
    places = {id(finding): f"finding-{number}" for number, finding in enumerate(findings)}

    def placed(items: Sequence[Finding]) -> tuple[PlacedFinding, ...]:
        return tuple(PlacedFinding(item, places[id(item)]) for item in items)

    usual = [item for item in skipped if item.severity is Severity.NOT_APPLICABLE]
    why = dict.fromkeys(item.summary for item in usual)
    return Checks(
        alarming=placed([item for item in checked if item.severity in ALARMING]),
        passed=placed([item for item in checked if item.severity not in ALARMING]),
        unknown=placed([item for item in skipped if item.severity is Severity.UNKNOWN]),
        not_asked=tuple((reason, placed([item for item in usual if item.summary == reason])) for reason in why),
    )
