"""Slices and confident mistakes: what is said of them, on the terminal and in the report."""

from dataclasses import replace

from pretune.report.page.html import render_html
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.text import draw_run
from pretune.report.terminal.weak_spots import MAX_SLICES, draw_mistakes, draw_slices, say_slices


def test_a_worse_slice_is_named_and_marked(weak_spots):
    text = to_text(draw_slices(weak_spots["slices"]), width=120)
    assert "more than chance explains: length 220 to 512 characters" in " ".join(text.split())
    marked = [line for line in text.splitlines() if "✗" in line]
    assert len(marked) == 1
    assert "0.779" in marked[0]
    assert "< 0.001" in marked[0]


def test_slices_that_chance_explains_are_not_announced(weak_spots):
    slices = tuple(replace(item, is_worse=False) for item in weak_spots["slices"])
    assert "none is worse" in say_slices(slices)
    assert "✗" not in to_text(draw_slices(slices))


def test_every_worse_slice_is_drawn_however_many_there_are(weak_spots):
    many = tuple(replace(weak_spots["slices"][0], value=f"kind {number}") for number in range(MAX_SLICES + 4))
    text = to_text(draw_slices(many), width=120)
    assert all(f"kind {number}" in text for number in range(MAX_SLICES + 4))


def test_a_mistake_is_drawn_with_its_text(weak_spots):
    text = " ".join(to_text(draw_mistakes(weak_spots["mistakes"]), width=100).split())
    assert "0.991" in text
    assert "reviews.csv:77: Not bad at all, said nobody." in text


def test_a_run_shows_both(record):
    text = to_text(draw_run(record), width=100)
    assert text.index("Slices") < text.index("Most confident mistakes") < text.index("Findings")


def test_the_report_shows_both_and_escapes_the_texts(record):
    page = render_html(record)
    assert "Length · " not in page  # names stay as the table has them
    assert "220 to 512 characters" in page
    assert "A &lt;b&gt;gem&lt;/b&gt; of a nap." in page
    assert "<b>gem" not in page


def test_a_record_without_them_shows_neither(record):
    page = render_html(replace(record, slices=(), mistakes=()))
    assert 'id="slices"' not in page
    assert 'id="mistakes"' not in page
