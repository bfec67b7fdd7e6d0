"""Checks conversations for ``pretune check``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pretune.cli.running import open_terminal, open_trace
from pretune.errors import UsageError

if TYPE_CHECKING:
    from pretune.configs import RunConfig

# Flags of ``check`` that are about labels.
OF_LABELS = ("merge_labels", "votes")


def check_talks(source: str, settings: "RunConfig", flags: Mapping[str, Any]) -> int:
    """Check a table of conversations, and show what was found.

    Raises:
        UsageError: A flag is about labels.
    """
    unfit = next((name for name in OF_LABELS if flags.get(name)), None)
    if unfit is not None:
        raise UsageError(
            f"--{unfit.replace('_', '-')} with conversations",
            expected="flags that are not about labels",
            fix="leave it out, or pass --task classify if the table has labels",
        )
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.conversations import draw_counts
    from pretune.report.terminal.text import draw_findings, draw_receipt
    from pretune.tasks.converse.check import check_conversations

    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        found = check_conversations(source, settings.read, settings.split, open_trace(terminal), given=settings.given)
    if flags["json"]:
        parts = {"data": found.receipt.to_json(), "conversations": found.counts.to_json()}
        show_json({"schema": 1, **parts, "findings": [finding.to_json() for finding in found.findings]})
    else:
        show(draw_receipt(found.receipt), draw_counts(found.counts), draw_findings(found.findings))
    return 0
