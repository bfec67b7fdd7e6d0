"""Watching from Python: a bar and a table of epochs while a model is fitted or judged, in a notebook or on a terminal."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pretune.report.progress import Progress
from pretune.run.trace import Trace

SWITCH = "PRETUNE_PROGRESS"  # "0" shows nothing, whatever is asked
SECONDS_BETWEEN = 0.3  # two drawings of the same thing


class Canvas(Protocol):
    """Where progress is drawn."""

    def draw(self, progress: Progress, now: float) -> None:
        """Draw it, in place of what was drawn before."""


class Watcher:
    """A listener for ``Trace`` that draws what it hears, not too often.

    Args:
        canvas: Where.
        clock: Seconds, rising.
    """

    def __init__(self, canvas: Canvas, clock: Callable[[], float] = time.monotonic) -> None:
        self._canvas, self._clock = canvas, clock
        self._progress, self._last = Progress(), float("-inf")

    def __call__(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        now = self._clock()
        if self._progress.hear(event, now) or now - self._last >= SECONDS_BETWEEN:
            self._last = now
            self._canvas.draw(self._progress, now)

    def close(self) -> None:
        """Draw what stays: the table of epochs."""
        self._progress.is_over = True
        self._canvas.draw(self._progress, self._clock())


@contextmanager
def watched(trace: Trace | None, *, progress: bool | None = None) -> Iterator[Trace]:
    """Give the trace that was given, or one that is drawn where somebody sees it.

    Args:
        trace: Whoever gives one listens to it himself.
        progress: ``None`` draws in a notebook and on a terminal; ``False`` nowhere; ``True`` also where there is neither.
    """
    canvas = None if trace is not None or progress is False or os.environ.get(SWITCH) == "0" else find_canvas(progress)
    if canvas is None:
        yield trace or Trace()
        return
    watcher = Watcher(canvas)
    try:
        yield Trace(listeners=(watcher,))
    finally:
        watcher.close()


def find_canvas(progress: bool | None) -> Canvas | None:
    """Return where to draw: in the notebook that runs this, else on standard error if that is a terminal."""
    if is_notebook():
        from pretune.report.notebook import NotebookCanvas

        return NotebookCanvas()
    if progress or getattr(sys.stderr, "isatty", lambda: False)():
        from pretune.report.terminal.fitting import TerminalCanvas

        return TerminalCanvas(sys.stderr)
    return None


def is_notebook() -> bool:
    """Whether this runs in the kernel of a notebook; asks nothing where IPython was not loaded."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None
