"""What the command line shows while it works."""

import io
import json
import re
import subprocess
import sys

import pytest

from pretune.cli import show
from pretune.cli.show import SECONDS_BETWEEN_LINES, Terminal, make_console, show_json
from pretune.records import Step, Validation
from pretune.run.trace import Trace


class FakeTerminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock():
    """A clock that stands still until it is told; ``clock.now`` is in seconds."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture(params=[io.StringIO, FakeTerminal], ids=["plain", "terminal"])
def stream(request, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return request.param()


def tell_everything(trace: Trace) -> None:
    """Put one event of each kind through the trace."""
    with trace.stage("read", "1 file") as stage:
        stage.done, stage.shape_out = "columns [red]guessed[/]", "10 rows"
        stage.notes.append("a \x1b[31mnote")
    trace.note("positive class: [/]")
    trace.step(Step(index=0, loss=0.7, num_targets=1, gradient_norm=1.0, learning_rate=1e-5))
    trace.progress("training", 1, 2, "steps")
    trace.validation(
        Validation(
            epoch=1, step=1, training_loss=0.5, training_accuracy=None, loss=float("nan"), accuracy=0.8, metric="accuracy",
            metric_value=0.8, learning_rate=1e-5, seconds=1.0, observation="diverging",
        )
    )  # fmt: skip
    trace.progress("training", 2, 2, "steps")


@pytest.mark.parametrize(("total", "count"), [(0, "1,200 texts"), (2_400, "1,200 of 2,400 texts")])
def test_a_bar_says_of_how_many_only_where_that_is_known(total, count, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    stream = FakeTerminal()
    with Terminal(stream) as terminal:
        Trace(listeners=(terminal,)).progress("read", 1_200, total, "texts")
    assert count in re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


@pytest.mark.parametrize(
    "shown",
    [
        "✓ read",
        "1 file → 10 rows; columns [red]guessed[/]",
        "· a ␛[31mnote",
        "· positive class: [/]",
        "epoch 1: ",
        ": diverging",
    ],
)
def test_every_kind_of_event_is_told(stream, shown):
    with Terminal(stream) as terminal:
        tell_everything(Trace(listeners=(terminal,)))
    assert shown in re.sub("\x1b\\[[0-9;]*m", "", stream.getvalue())


def test_a_terminal_gets_a_bar_with_rate_and_loss_that_is_gone_at_the_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    stream = FakeTerminal()
    with Terminal(stream) as terminal:
        tell_everything(Trace(listeners=(terminal,)))
    assert "training" in stream.getvalue()
    assert "loss 0.700" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[2K")  # the bar's line is cleared


def test_quiet_says_nothing(stream):
    with Terminal(stream, quiet=True) as terminal:
        tell_everything(Trace(listeners=(terminal,)))
    assert stream.getvalue() == ""


def test_progress_elsewhere_is_a_line_now_and_then_with_rate_and_time_left(clock):
    stream = io.StringIO()
    with Terminal(stream, clock=clock) as terminal:
        for done in range(0, 61):
            clock.now = done
            terminal({"event": "progress", "what": "training", "done": done, "total": 120, "unit": "steps"})
    lines = stream.getvalue().splitlines()
    assert lines[0] == "  training: 5 of 120 steps, 1 steps/s, 1 min 55 s left"
    assert len(lines) == 1 + (60 - 5) // SECONDS_BETWEEN_LINES


def test_work_that_is_over_soon_gets_no_progress_line(clock):
    stream = io.StringIO()
    terminal = Terminal(stream, clock=clock)
    for done in range(5):
        clock.now = done * 0.5
        terminal({"event": "progress", "what": "reading", "done": done, "total": 5, "unit": "rows"})
    assert stream.getvalue() == ""


def test_the_rate_of_resumed_work_counts_from_where_it_resumed(clock):
    stream = io.StringIO()
    terminal = Terminal(stream, clock=clock)
    terminal({"event": "progress", "what": "training", "done": 100, "total": 200, "unit": "steps"})
    clock.now = 10.0
    terminal({"event": "progress", "what": "training", "done": 120, "total": 200, "unit": "steps"})
    assert "2 steps/s, 40 s left" in stream.getvalue()


def test_unknown_totals_are_not_divided_by(clock):
    stream = io.StringIO()
    terminal = Terminal(stream, clock=clock)
    terminal({"event": "progress", "what": "reading", "done": 0, "total": 0, "unit": ""})
    clock.now = 10.0
    terminal({"event": "progress", "what": "reading", "done": 50, "total": 0, "unit": ""})
    assert stream.getvalue() == "  reading: 50, 5/s\n"


def test_an_unknown_event_is_not_an_error():
    stream = io.StringIO()
    Terminal(stream)({"event": "something_new"})
    assert stream.getvalue() == ""


def test_a_stream_without_our_characters_gets_question_marks():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Terminal(stream)({"event": "note", "text": "3 × 4"})
    make_console(stream).print("✓ 5 × 6")
    stream.flush()
    assert stream.buffer.getvalue() == b"? 3 ? 4\n? 5 ? 6\n"


def test_json_is_one_object_and_refuses_what_json_lacks(capsys):
    show_json({"text": "é\x1b", "value": None})
    out = capsys.readouterr().out
    assert json.loads(out) == {"text": "é\x1b", "value": None}
    assert out.count("\n") == 1
    with pytest.raises(ValueError, match="JSON"):
        show_json({"value": float("nan")})


def test_results_go_to_standard_output_as_they_are(capsys):
    show.show("[red]x[/]")
    assert capsys.readouterr().out == "[red]x[/]\n\n"


def test_importing_it_loads_neither_rich_nor_jinja2():
    code = "import sys, pretune.cli.show; print([name for name in ('rich', 'jinja2', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
