"""What watching found, in words: for the terminal, the page and the metrics of a server."""

from collections.abc import Sequence

from pretune.records import Signal, WatchedFigure, WatchedWindow, WatchReport
from pretune.report.words import number, percent
from pretune.wording.counts import counted

NAMES = {
    "length": "length",
    "vocabulary": "vocabulary",
    "tokens": "tokens",
    "classes": "class",
    "alerts": "alerts",
    "confidence": "confidence",
    "told_apart": "told apart",
    "columns": "column",
}


def name_of(signal: Signal) -> str:
    """Return how a signal is shown, such as ``class spam`` or ``column lang = de``."""
    if signal.column:
        return f"column {signal.column}" + (f" = {signal.item}" if signal.item else "")
    name = NAMES.get(signal.name, signal.name)
    return f"{name} {signal.item}" if signal.item else name


def rank(signals: Sequence[Signal]) -> list[Signal]:
    """Return signals, those with an alarm first, then by how sure they are."""
    return sorted(signals, key=lambda signal: (not signal.is_alarm, 1.0 if signal.p_value is None else signal.p_value))


def describe(signal: Signal) -> str:
    """Return test and window of a signal, as ``1.2 % → 8.3 %``."""
    return f"{_value(signal, signal.before)} → {_value(signal, signal.now)}"


def say_change(signal: Signal) -> str:
    """Return a change and its interval."""
    if signal.change is None:
        return signal.note
    return f"{signal.change:+.3f} ({signal.low:+.3f} to {signal.high:+.3f})"


def say_bet(figure: WatchedFigure) -> str:
    """Return what bets against a claim have won, of what is an alarm."""
    if figure.evidence is None:
        return ""
    return f"{max(0.0, figure.evidence / figure.threshold):.0%}"


def title_of(window: WatchedWindow) -> str:
    """Return a window with how much of it was looked at."""
    rows = counted(window.num_rows, "new row")
    labels = f", {counted(window.num_labels, 'new label')}" if window.num_labels else ""
    return f"{window.window}: {rows}{labels}"


def summarize(report: WatchReport) -> str:
    """Say in one sentence whether anything moved."""
    windows = [window for window in report.windows if window.is_alarm]
    of = counted(len(report.windows), "look")
    if not windows:
        return f"no alarm in {of}"
    moved = list(dict.fromkeys(alarm for window in windows for alarm in window.alarms))
    more = f" and {len(moved) - 4} more" if len(moved) > 4 else ""
    return f"ALARM in {len(windows)} of {of}: {', '.join(moved[:4])}{more}"


def _value(signal: Signal, value: float | None) -> str:
    if value is None:
        return "—"
    if signal.unit.startswith(("share", "probability", "chance")):
        return percent(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else number(value, 2)
