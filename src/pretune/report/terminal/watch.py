"""What watching found, drawn for a terminal: each window with what moved most, the outcome last."""

from rich.console import Group
from rich.text import Text

from pretune.records import Signal, WatchedFigure, WatchedWindow, WatchReport
from pretune.report.terminal.drawing import columns, heading, named, plain, stack
from pretune.report.watching import describe, name_of, rank, say_bet, say_change, summarize, title_of
from pretune.report.words import number, percent, span

MAX_WINDOWS = 8  # that are drawn in full: those with an alarm, and the newest
MAX_SIGNALS = 12


def draw_watch(report: WatchReport) -> Group:
    """Draw the windows that say most, then the outcome."""
    alarms = [window for window in report.windows if window.is_alarm][-MAX_WINDOWS:]
    shown = [window for window in report.windows if window in alarms or window is report.windows[-1]]
    left = len(report.windows) - len(shown)
    outcome = Text(summarize(report), "bold red" if report.is_alarm else "bold green")
    return stack(
        plain(f"{left} more windows are in the report", "dim") if left else None,
        *(_draw_window(window) for window in shown),
        plain(report.method, "dim"),
        outcome,
    )


def _draw_window(window: WatchedWindow) -> Group:
    signals = rank(window.signals)
    return stack(
        heading(title_of(window), f"{window.num_repeated:,} counted before" if window.num_repeated else ""),
        *(plain(note, "dim") for note in window.notes),
        _draw_signals(signals[:MAX_SIGNALS]) if signals else None,
        _draw_words(window) if window.words else None,
        _draw_figures(window.figures) if window.figures else None,
        plain("too few texts to be compared: joined with those of later windows", "dim")
        if window.num_rows and not signals
        else None,
    )


def _draw_signals(signals: list[Signal]) -> Group:
    table = columns("", "signal", "test → window", "change, interval", right=())
    for signal in signals:
        mark = Text("✗", "red") if signal.is_alarm else Text("·" if signal.is_sure else "✓", "dim")
        joined = f" ({signal.num_windows} windows)" if signal.num_windows > 1 else ""
        table.add_row(
            mark, named(name_of(signal) + joined), plain(f"{describe(signal)} {_short(signal)}"), plain(say_change(signal))
        )
    return Group(table)


def _short(signal: Signal) -> str:
    return {"length": "characters", "vocabulary": "unknown words", "told_apart": "told apart"}.get(signal.name, "")


def _draw_words(window: WatchedWindow) -> Text:
    words = (f"{word.word} {percent(word.before)} → {percent(word.now)}" for word in window.words[:5])
    return plain(f"words that moved most: {', '.join(words)}")


def _draw_figures(figures: tuple[WatchedFigure, ...]) -> Group:
    table = columns("", "figure on all labels", "so far, interval", "at least", "evidence", right=("evidence",))
    for figure in figures:
        claim = f"{number(figure.least)} ({'gate' if figure.against == 'gate' else 'test'})"
        value = f"{number(figure.value)} {span(figure.low, figure.high)} of {figure.num_rows:,}"
        mark = Text("✗", "red") if figure.is_alarm else Text("✓", "dim")
        table.add_row(mark, named(figure.name), plain(value), plain(claim), plain(say_bet(figure)))
    return Group(table)
