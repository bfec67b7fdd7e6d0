"""The page of watching: alarms first, whatever a text says stays a text, and an interval lies around its change."""

from dataclasses import replace
from html import unescape

from pretune.records import LabelledCount, MovedWord, Signal, WatchedFigure, WatchedWindow, WatchReport
from pretune.report.page.watch import make_change_bar, render_watch
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.watch import draw_watch

SIGNAL = Signal(
    name="alerts", item="<b>spam</b>", unit="share of texts given this class", before=0.1, now=0.2, change=0.1, low=0.05,
    high=0.15, level=1e-5, p_value=1e-9, least=0.02, num_texts=500, method="exact",
)  # fmt: skip
FIGURE = WatchedFigure(
    metric="recall", label="spam", against="gate", least=0.8, num_hits=30, num_rows=60, value=0.5, low=0.3, high=0.7,
    confidence=0.999, evidence=12.0, threshold=10.0, since="2026-11-03", is_alarm=True,
)  # fmt: skip
WINDOW = WatchedWindow(
    number=1, key="k", digest="d", window="2026-11-03", source="new.csv", looked="2026-11-04T00:00:00+00:00", num_rows=500,
    num_answered=500, labelled=(LabelledCount(label="spam", predicted="ham", num_rows=30),), signals=(SIGNAL,),
    words=(MovedWord(word="<script>", before=0.0, now=0.1, is_known=False),), figures=(FIGURE,),
)  # fmt: skip
REPORT = WatchReport(
    run="runs/a", source="new.csv", windows=(WINDOW,), num_new=1, num_looks=1, num_reference=1500, method="union bound"
)
CALM = replace(WINDOW, signals=(replace(SIGNAL, p_value=0.5),), figures=(replace(FIGURE, is_alarm=False),))


def test_the_page_says_alarm_and_what_moved():
    page = render_watch(REPORT, (WINDOW,))
    assert '<h2 id="outcome">ALARM</h2>' in page
    assert "recall[spam] below its gate" in page
    assert "NO ALARM" in render_watch(replace(REPORT, windows=(CALM,)))


def test_nothing_of_a_text_is_markup():
    page = render_watch(REPORT, (WINDOW,))
    assert "<script>" not in page
    assert "<b>spam" not in page
    assert "default-src 'none'; style-src 'sha256-" in unescape(page)


def test_the_bar_has_its_interval_around_its_point():
    bar = make_change_bar(SIGNAL)
    assert bar.left <= bar.point <= bar.left + bar.width
    assert (bar.state, make_change_bar(CALM.signals[0]).state) == ("short", "free")
    assert make_change_bar(replace(SIGNAL, change=None, low=None, high=None, p_value=None)) is None


def test_the_terminal_ends_with_the_outcome():
    assert to_text(draw_watch(REPORT)).strip().splitlines()[-1].startswith("ALARM in 1 of 1 look: alerts: <b>spam</b>")
    assert to_text(draw_watch(replace(REPORT, windows=(CALM,)))).strip().splitlines()[-1] == "no alarm in 1 look"


def test_a_window_of_few_texts_says_that_it_is_joined_later():
    few = replace(WINDOW, signals=(), words=(), figures=(), num_rows=12)
    assert "joined with those of later windows" in to_text(draw_watch(replace(REPORT, windows=(few,))))
    assert "joined with those of later windows" in render_watch(replace(REPORT, windows=(few,)))
