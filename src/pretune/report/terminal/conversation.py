"""What a run on conversations shows in the terminal: figures by source, gains over rivals, findings, and the verdict last."""

from rich.console import Group
from rich.text import Text

from pretune.records import RunRecord
from pretune.report.conversation import describe_chat
from pretune.report.terminal.drawing import columns, heading, plain, stack
from pretune.report.terminal.text import draw_findings, draw_verdict


def draw_chat(record: RunRecord) -> list[Group]:
    """Draw the result of a run on conversations, as far as it is judged."""
    page = describe_chat(record)
    figures = gains = None
    if page.figures:
        table = columns("", *page.sources, right=page.sources)
        for name, cells in page.figures:
            table.add_row(name, *(Text(f"{value}\n{reach}" if reach else value) for value, reach in cells))
        figures = Group(heading("Test", f"{page.num_questions:,} questions"), table, *map(plain, page.forgetting))
    if page.gains:
        table = columns("Fine-tuned against", "figure", "difference", "interval", right=("difference", "interval"))
        for rival, name, difference, reach, _ in page.gains:
            table.add_row(plain(rival), name, difference, reach)
        gains = table
    verdict = None
    if record.verdict is not None:
        verdict = draw_verdict(record.verdict, record.sample, first_known_look=bool(record.first_known_look))
    return [stack(figures, gains, draw_findings(record.findings) if record.findings else None, verdict)]
