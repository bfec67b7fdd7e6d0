"""``watch/report.html``: what moved in production, in one file without script or network, in the manner of the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pretune.records import Signal, WatchedWindow, WatchReport
from pretune.report.page.html import make_environment, policy_of, read_part
from pretune.report.watching import describe, name_of, rank, say_bet, say_change, title_of

MAX_WINDOWS = 40  # of the file that are shown in full, the newest first
MAX_LOOKS = 200  # in the list of all
HALF = 100  # of a bar, in SVG units


@dataclass(frozen=True, slots=True)
class ChangeBar:
    """A change with its interval around no change; positions in SVG units, 0 in the middle."""

    point: float
    left: float
    width: float
    least: float
    state: str


def render_watch(report: WatchReport, looks: Sequence[WatchedWindow] = ()) -> str:
    """Return the page of a file's windows, and of all looks at the run.

    Args:
        report: What was found.
        looks: All looks, in order.
    """
    environment = make_environment()
    environment.globals.update(
        name_of=name_of,
        ranked=rank,
        describe=describe,
        say_change=say_change,
        say_bet=say_bet,
        title_of=title_of,
        change_bar=make_change_bar,
    )
    shown, style = tuple(reversed(report.windows))[:MAX_WINDOWS], read_part("report.css")
    past = tuple(reversed(looks))[:MAX_LOOKS]
    return environment.get_template("watch.html.jinja").render(
        report=report,
        shown=shown,
        looks=past,
        num_looks=len(looks),
        style=Markup(style),
        policy=policy_of(style),
    )


def make_change_bar(signal: Signal) -> ChangeBar | None:
    """Place a change and its interval on a scale that is the same for all signals, and wider where it must be."""
    if signal.change is None or signal.low is None or signal.high is None:
        return None
    scale = max(0.2, abs(signal.low), abs(signal.high))

    def at(change: float) -> float:
        return round(max(-1.0, min(1.0, change / scale)) * HALF, 2)

    state = "short" if signal.is_alarm else "open" if signal.is_sure else "free"
    width = max(3.0, round(at(signal.high) - at(signal.low), 2))
    return ChangeBar(point=at(signal.change), left=at(signal.low), width=width, least=at(signal.least), state=state)
