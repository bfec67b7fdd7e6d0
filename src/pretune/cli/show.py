"""What the command line shows: results on standard output, progress and notes on standard error."""

import json
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from pretune.report.words import duration, number, one_line
from pretune.wording.tokens import show_token

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, TaskID

# Seconds between two lines of progress where there is no terminal: a log of a five-minute run stays on one screen.
SECONDS_BETWEEN_LINES = 15.0

# Progress says more once this long has passed; most stages are over sooner and get one line only.
SECONDS_BEFORE_FIRST_LINE = 5.0

MAX_WIDTH = 120  # longer lines are hard to follow
MAX_NOTE = 400

STAGE_NAME_WIDTH = 12

# What was shown, as plain text, where somebody wants it explained.
SHOWN: ContextVar[list[str] | None] = ContextVar("shown", default=None)


def make_console(stream: TextIO) -> "Console":
    """Return a console on ``stream``: coloured on a terminal, plain elsewhere, never wider than ``MAX_WIDTH``.

    Characters that the stream's encoding lacks are written as ``?`` rather than being an error.
    """
    from pretune.cli.console import InertConsole

    stream = getattr(stream, "inner", stream)  # a stream that obeys nothing would not obey the console's own colours
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    console = InertConsole(file=stream, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, MAX_WIDTH)
    return console


def show(*renderables: "RenderableType", stream: TextIO | None = None) -> None:
    """Write results to standard output, an empty line after each."""
    console = make_console(stream or sys.stdout)
    shown = SHOWN.get()
    if shown is not None:
        from pretune.report.terminal.drawing import to_text

        shown.append(to_text(*renderables, width=10 * MAX_WIDTH))
    for renderable in renderables:
        console.print(renderable)
        console.print()


def show_json(value: Any, stream: TextIO | None = None) -> None:
    """Write one JSON object and nothing else; a figure that is not finite is an error, not ``NaN``.

    It is printable ASCII throughout: what a terminal could obey stands as an escape of JSON.
    """
    line = json.dumps(value, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")
    print(line, file=stream or sys.stdout, flush=True)


class Terminal:
    """Tells a person what is happening: a listener for ``Trace``, used as a context manager.

    Args:
        stream: Where to; standard error unless given, so that results can be piped.
        quiet: Say nothing.
        clock: Seconds, rising; replaced in tests.
    """

    def __init__(
        self, stream: TextIO | None = None, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._bar: _Lines | _Bar = _Bar(self._stream) if _is_terminal(self._stream) else _Lines(self._stream, clock)
        self._quiet = quiet
        self._loss: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the screen; what is printed afterwards starts on a line of its own."""
        self._bar.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        """Show one event of the trace; kinds it does not know are not shown."""
        tell = getattr(self, f"_tell_{event['event']}", None)
        if tell is not None and not self._quiet:
            tell(event)

    def _tell_stage(self, event: dict[str, Any]) -> None:
        self._bar.stop()
        self._loss = None
        shapes = " → ".join(one_line(shape) for shape in (event["shape_in"], event["shape_out"]) if shape)
        said = "; ".join(filter(None, (shapes, one_line(event["done"]))))
        self._bar.say("✓ ", f"{one_line(event['stage']):<{STAGE_NAME_WIDTH}} {said}  ({duration(event['seconds'])})")
        for note in event["notes"]:
            self._tell_note({"text": note})

    def _tell_note(self, event: dict[str, Any]) -> None:
        self._bar.say("· ", one_line(event["text"], MAX_NOTE))

    def _tell_step(self, event: dict[str, Any]) -> None:
        """Remember a running mean of the loss for the bar; a single batch jumps too much to be read."""
        loss = event["loss"]
        known = self._loss is not None and loss is not None
        self._loss = 0.95 * self._loss + 0.05 * loss if known else loss  # type: ignore[operator]

    def _tell_milestone(self, event: dict[str, Any]) -> None:
        figures = {"training loss": event["training_loss"], "held-out loss": event["loss"], "accuracy": event["accuracy"]}
        said = ", ".join(f"{name} {number(value)}" for name, value in figures.items())
        self._loss = None  # what is predicted may be another thing from here on
        self._bar.say("  ", f"{event['num_tokens']:,} tokens: {said}: {one_line(event['observation'])}")
        for item in event["guesses"][:1]:
            best = ", ".join(f"{show_token(guess['token'])} {guess['probability']:.2f}" for guess in item["guesses"][:3])
            self._bar.say("  ", f"  {one_line(item['prompt'], 60)} → {one_line(best, 60)}")

    def _tell_validation(self, event: dict[str, Any]) -> None:
        figures = {"training loss": event["training_loss"], "validation loss": event["loss"], "accuracy": event["accuracy"]}
        said = ", ".join(f"{name} {number(value)}" for name, value in figures.items())
        self._bar.say("  ", f"epoch {event['epoch']}: {said}: {one_line(event['observation'])}")

    def _tell_progress(self, event: dict[str, Any]) -> None:
        remark = "" if self._loss is None else f"loss {number(self._loss)}"
        self._bar.advance(one_line(event["what"]), event["done"], event["total"], one_line(event["unit"]), remark)


def _is_terminal(stream: TextIO) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)())


class _Lines:
    """Progress as plain lines, few enough for a log."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock = stream, clock
        self._what, self._start, self._first, self._last = "", 0.0, 0, 0.0

    def say(self, mark: str, text: str) -> None:
        line = f"{mark}{text}".rstrip()
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        print(line.encode(encoding, "replace").decode(encoding), file=self._stream, flush=True)

    def advance(self, what: str, done: int, total: int, unit: str, remark: str) -> None:
        now = self._clock()
        if what != self._what:
            self._what, self._start, self._first = what, now, done
            self._last = now - SECONDS_BETWEEN_LINES + SECONDS_BEFORE_FIRST_LINE
        if now - self._last < SECONDS_BETWEEN_LINES or done <= self._first:
            return
        self._last = now
        rate = (done - self._first) / (now - self._start)
        left = f"{duration((total - done) / rate)} left" if total else ""
        parts = (f"{_of(done, total)} {unit}".rstrip(), f"{rate:.3g} {unit}/s" if unit else f"{rate:.3g}/s", left, remark)
        self.say("  ", f"{what}: {', '.join(filter(None, parts))}")

    def stop(self) -> None:
        self._what = ""


def _of(done: int, total: int) -> str:
    """Write how much is done, and of how much where that is known."""
    return f"{done:,} of {total:,}" if total else f"{done:,}"


class _Bar:
    """Progress as a bar with rate and time left, at the foot of the terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console: Console | None = None
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def say(self, mark: str, text: str) -> None:
        from rich.table import Table
        from rich.text import Text

        line = Table.grid(padding=0)
        style = {"✓ ": "green", "· ": "dim"}.get(mark, "")
        line.add_row(Text(mark, style), Text(text, "dim" if mark == "· " else "", overflow="fold"))
        self._open_console().print(line)

    def advance(self, what: str, done: int, total: int, unit: str, remark: str) -> None:
        progress = self._progress or self._start()
        if what not in self._tasks:
            self._tasks[what] = progress.add_task(what, total=total or None, unit=unit, count="", remark="", rate="")
        task = self._tasks[what]
        speed = progress.tasks[progress.task_ids.index(task)].speed
        rate = "" if not speed else f"{speed:,.3g} {unit}/s" if unit else f"{speed:,.3g}/s"
        count = _of(done, total)
        progress.update(task, completed=done, total=total or None, count=count, remark=remark, rate=rate)

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress, self._tasks = None, {}

    def _open_console(self) -> "Console":
        self._console = self._console or make_console(self._stream)
        return self._console

    def _start(self) -> "Progress":
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        def text(field: str, style: str = "none") -> TextColumn:
            return TextColumn(f"{{task.{field}}}", style=style, markup=False)

        # Transient: the stage's own line replaces the bar. Two refreshes a second leave the processor to the training.
        self._progress = Progress(
            text("description"),
            BarColumn(bar_width=24),
            text("fields[count]"),
            text("fields[unit]"),
            text("fields[rate]", "dim"),
            TimeRemainingColumn(compact=True),
            text("fields[remark]", "dim"),
            console=self._open_console(),
            transient=True,
            refresh_per_second=2,
        )
        self._progress.start()
        return self._progress
