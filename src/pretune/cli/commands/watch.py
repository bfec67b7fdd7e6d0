"""The command that watches production. Heavy imports wait until it runs."""

from pretune.cli import arguments as a
from pretune.cli.running import open_terminal, open_trace
from pretune.cli.settings import build_config
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError

PERIODS = ("hour", "day", "week")


@takes_flags
def watch(run: a.Run, data: a.Arrived, flags: Flags) -> int:
    """Ask whether the texts of production are still those of the test.

    Compares length, vocabulary, tokens, classes, confidence and further columns of each window with the sealed test; with
    --label, also holds the verdict's figures against the labels. Without a change, 100 looks raise a false alarm with a
    probability of at most 1 %. RUN/watch keeps what was counted, so no row counts twice. The exit code is 1 on an alarm.
    """
    from pretune.tasks.places import require_data, require_run

    require_run(run)
    require_data(data)
    period, num_rows = _window_of(flags["window"])
    if flags["time"] is not None and period is None:
        raise UsageError("--time without --window", expected="both", fix=f"add --window {' or '.join(PERIODS)}")
    settings = build_config({**flags, "text": flags["column"], "time": None})
    from pretune.cli.show import show, show_json
    from pretune.production.watch import Cut, watch_file
    from pretune.report.terminal.watch import draw_watch

    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        cut = Cut(time=flags["time"], period=period, num_rows=num_rows)
        report, page = watch_file(run, data, settings.read, cut, open_trace(terminal))
    if flags["json"]:
        show_json({**report.to_json(), "alarm": report.is_alarm, "page": str(page)})
    else:
        show(draw_watch(report))
        show(f"Report: {page}")
    return int(report.is_alarm)


def _window_of(text: str | None) -> tuple[str | None, int | None]:
    """Return the period, or the number of rows, that a window is.

    Raises:
        UsageError: It is neither.
    """
    if text is None or text in PERIODS:
        return text, None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"--window {text}", expected=f"{', '.join(PERIODS)}, or a number of rows")
    return None, int(text)
