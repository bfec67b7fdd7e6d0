"""Repairs, drawn for a terminal: each finding that changed, before and after, side by side."""

from collections.abc import Sequence

from rich.console import Group

from pretune.records import Finding, Receipt
from pretune.report.receipts import describe_repairs
from pretune.report.terminal.drawing import columns, heading, named, plain
from pretune.report.words import SEVERITY_MARKS, number
from pretune.wording.counts import counted


def draw_repair(receipt: Receipt, before: Sequence[Finding], after: Sequence[Finding]) -> Group:
    """Draw what was repaired, and every finding whose severity or figure it changed."""
    title = heading("Repaired", counted(len(receipt.repairs), "repair"))
    if not receipt.repairs:
        return Group(title, plain("nothing to repair: no leak, no hidden group on both sides, no conflict outside the test"))
    earlier = {finding.check: finding for finding in before}
    table = columns("finding", "before", "after", wide="finding")
    for finding in after:
        old = earlier.get(finding.check)
        if old is not None and (old.severity, old.measured) != (finding.severity, finding.measured):
            table.add_row(named(finding.check), _say(old), _say(finding))
    return Group(title, *(plain(line) for line in describe_repairs(receipt)), table)


def _say(finding: Finding) -> str:
    figure = "" if finding.measured is None else f" {number(finding.measured)}"
    return f"{SEVERITY_MARKS[finding.severity]}{figure}"
