"""Progress in a notebook: one output that is drawn again and again, as HTML without script."""

from html import escape

from pretune.errors import require
from pretune.records.shown import Shown, html_of
from pretune.report.progress import Progress


class NotebookCanvas:
    """One output of a cell."""

    def __init__(self) -> None:
        self._display = require("IPython.display", extra="notebook")
        self._handle = self._display.display(self._display.HTML(""), display_id=True)

    def draw(self, progress: Progress, now: float) -> None:
        """Draw the bar and the table of epochs."""
        self._handle.update(self._display.HTML(render_progress(progress, now)))


def render_progress(progress: Progress, now: float) -> str:
    """Return the bar while work goes on, and the table of epochs; readable on light and dark.

    Example:
        >>> "<progress" in render_progress(Progress(stage="fine-tune", done=1, total=4), 0.0)
        True
    """
    told = "" if progress.is_over else _bar(progress, now)
    notes = "".join(f"<div>· {escape(note)}</div>" for note in progress.notes if not progress.is_over)
    if not progress.epochs:
        return told + notes
    return told + html_of(Shown("Training", "", (), (progress.table(),))) + notes


def _bar(progress: Progress, now: float) -> str:
    value = f' value="{progress.share:.4f}"' if progress.total else ""
    return f'<div><progress max="1"{value} style="width:16em"></progress> {escape(progress.say(now))}</div>'
