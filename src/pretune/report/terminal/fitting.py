"""Progress on a terminal, for those who call pretune from Python: a bar and a table of epochs, drawn in place."""

from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pretune.report.progress import Progress
from pretune.report.terminal.drawing import MAX_WIDTH, bar, columns, plain
from pretune.report.words import number

BAR_WIDTH = 24


class TerminalCanvas:
    """Lines at the foot of a terminal.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        console.width = min(console.width, MAX_WIDTH)
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._live.start()

    def draw(self, progress: Progress, now: float) -> None:
        """Draw the bar and the table of epochs; the last time, the table alone."""
        self._live.update(draw_progress(progress, now), refresh=True)
        if progress.is_over:
            self._live.stop()


def draw_progress(progress: Progress, now: float) -> Group:
    """Draw the table of epochs, and below it the notes and the bar."""
    parts: list[RenderableType] = []
    if progress.epochs:
        grid = progress.table()
        table = columns(*grid.columns, right=grid.columns[:-1])
        for epoch, training, loss, accuracy, words in grid.rows:
            table.add_row(str(epoch), *(number(value) for value in (training, loss, accuracy)), plain(str(words)))
        parts.append(table)
    if not progress.is_over:
        parts += [plain(f"· {note}", "dim", cut=True) for note in progress.notes]
        filled = f"{bar(progress.share, BAR_WIDTH)}  " if progress.total else ""
        parts.append(Text(f"{filled}{progress.say(now)}", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)
