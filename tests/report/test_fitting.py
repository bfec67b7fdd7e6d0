"""Watching from Python: what is drawn, how often, where, and that nothing is drawn where nobody sees it."""

import io
import sys
from types import SimpleNamespace

import pytest

from pretune.records import Validation
from pretune.report.fitting import Watcher, find_canvas, is_notebook, watched
from pretune.report.notebook import NotebookCanvas, render_progress
from pretune.report.progress import Progress
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.fitting import TerminalCanvas, draw_progress
from pretune.run.trace import Trace


def epoch(number):
    return Validation(epoch=number, step=number * 10, training_loss=0.7 / number, training_accuracy=0.8, loss=0.6 / number,
                      accuracy=0.8, metric="accuracy", metric_value=0.8, learning_rate=1e-5, seconds=1.0,
                      observation="<learning>")  # fmt: skip


class Canvas:
    def __init__(self):
        self.drawn = []

    def draw(self, progress, _now):
        self.drawn.append((progress.done, len(progress.epochs), progress.is_over))


def train(trace, *, steps=100):
    with trace.stage("fine-tune", "rows"):
        for step in range(steps):
            trace.progress("fine-tune", step + 1, steps, "steps")
        trace.validation(epoch(1))


def test_it_is_drawn_not_too_often_and_at_every_epoch():
    canvas, times = Canvas(), iter(range(1000))
    watcher = Watcher(canvas, clock=lambda: next(times) / 100)
    train(Trace(listeners=(watcher,)))
    watcher.close()
    assert 4 <= len(canvas.drawn) <= 9
    assert (100, 1, False) in canvas.drawn
    assert canvas.drawn[-1] == (100, 1, True)


def test_the_time_left_is_that_of_the_steps_so_far():
    progress = Progress()
    progress.hear({"event": "progress", "what": "fine-tune", "done": 0, "total": 100, "unit": "steps"}, 10.0)
    progress.hear({"event": "progress", "what": "fine-tune", "done": 25, "total": 100, "unit": "steps"}, 20.0)
    assert progress.share == 0.25
    assert progress.say(20.0) == "fine-tune · 25 of 100 steps · 30 s left"


def told():
    progress = Progress(stage="fine-tune", done=1, total=4, unit="steps", notes=["a <b>note</b>"])
    progress.epochs = [epoch(1).to_json(), epoch(2).to_json()]
    return progress


def test_a_notebook_shows_the_bar_while_it_works_and_then_the_epochs_alone():
    progress = told()
    html = render_progress(progress, 0.0)
    assert '<progress max="1" value="0.2500"' in html
    assert "&lt;learning&gt;" in html
    assert "&lt;b&gt;note" in html
    progress.is_over = True
    assert "<progress" not in render_progress(progress, 0.0)
    assert "0.350" in render_progress(progress, 0.0)


def test_a_terminal_shows_the_same():
    text = to_text(draw_progress(told(), 0.0))
    assert "0.350" in text
    assert "fine-tune · 1 of 4 steps" in text
    assert "█" in text


def test_a_terminal_keeps_the_table():
    stream = io.StringIO()
    canvas, progress = TerminalCanvas(stream), told()
    canvas.draw(progress, 0.0)
    progress.is_over = True
    canvas.draw(progress, 1.0)
    assert "0.350" in stream.getvalue()


@pytest.fixture
def kernel(monkeypatch):
    """A kernel of a notebook, and what it was told to display."""
    shown = []
    handle = SimpleNamespace(update=shown.append)
    display = SimpleNamespace(HTML=str, display=lambda *_, **__: handle)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def test_in_a_kernel_one_output_is_drawn_again_and_again(kernel):
    assert is_notebook()
    assert isinstance(find_canvas(None), NotebookCanvas)
    with watched(None) as trace:
        train(trace, steps=3)
    assert "0.600" in kernel[-1]
    assert "<progress" not in kernel[-1]


def fail(progress):
    with watched(None) as trace:
        train(trace, steps=3)
        raise ValueError(progress)


def test_an_error_ends_the_drawing(kernel):
    with pytest.raises(ValueError, match="why"):
        fail("why")
    assert "<progress" not in kernel[-1]


@pytest.mark.parametrize("how", ["a trace was given", "not wanted", "switched off"])
def test_nothing_is_drawn_where(how, kernel, monkeypatch):
    own = Trace() if how == "a trace was given" else None
    if how == "switched off":
        monkeypatch.setenv("PRETUNE_PROGRESS", "0")
    with watched(own, progress=False if how == "not wanted" else None) as trace:
        train(trace, steps=3)
    assert kernel == []
    assert own is None or trace is own


def test_without_notebook_and_terminal_nothing_is_drawn(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert find_canvas(None) is None
    assert isinstance(find_canvas(True), TerminalCanvas)
