"""The report: verdict first, self-contained, and safe whatever the texts hold."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pretune.records import Confusion, RunRecord
from pretune.report.page.html import render_html
from pretune.report.pretraining import render_pretraining

VOID = {"meta", "br", "line", "rect", "circle", "polyline"}  # the last four are closed in place


class Page(HTMLParser):
    """Collects tags, attributes and text, and fails where tags do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text, self._open = Counter(), [], "", []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text += data


@pytest.fixture
def page(record, events):
    return Page(render_html(record, events))


def test_sections_stand_in_the_order_a_reader_needs(page):
    order = ["NOT ENOUGH EVIDENCE", "Figures and baselines", "Confusion matrix", "Slices", "Most confident mistakes",
             "Comparisons", "Threshold", "Training", "Pipeline", "Findings", "Not checked", "Data", "Rejected rows",
             "Settings and versions"]  # fmt: skip
    places = [page.text.index(f"\n{title}") for title in order]
    assert places == sorted(places)


def test_failed_reasons_come_before_open_ones_and_those_before_what_holds(page):
    places = [page.text.index(text) for text in ("texts are cut at 128 tokens (limit", "accuracy 0.853 [", "precision of pos")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "shown",
    ["0.853", "0.835–0.870", "0.752", "2,400 more labelled test rows", "look 1", "first known look", "691", "+0.101",
     "overfitting since epoch 3", "10,605 rows × 3 columns", "calibration", "the text is empty",
     "“Not bad at all.” is neg, pos",
     "CC BY 4.0", "torch 2.13.0, ",
     "learning_rate", "55 (0.741 %)", "5 rows removed from train"],
)  # fmt: skip
def test_the_report_shows(record, events, shown):
    record = replace(record, versions={**record.versions, "python": "3.11"})
    assert shown in Page(render_html(record, events)).text


def test_nothing_is_loaded_run_or_sent(page):
    assert page.tags.keys().isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "base", "a"})
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "srcset")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_hostile_text_in_a_pretraining_changes_nothing_but_text(pretrained, events, hostile_pretrained, hostile_events):
    clean = Page(render_pretraining(pretrained, events))
    hostile = Page(render_pretraining(hostile_pretrained, hostile_events))
    assert hostile.tags == clean.tags
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{ 7*7 }}{% raw %}" in hostile.text


def test_hostile_text_changes_nothing_but_text(page, hostile_record, hostile_events):
    html = render_html(hostile_record, hostile_events)
    hostile = Page(html)
    # Three lines are the gates: a reason's name no longer is that of a score. The square and its legend
    # are the test, whose split is named otherwise now.
    missing = {"line": 3, "rect": 1, "span": 1}
    assert {**hostile.tags, **{tag: hostile.tags[tag] + count for tag, count in missing.items()}} == page.tags
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{ 7*7 }}{% raw %}" in hostile.text


def test_hostile_text_leaves_no_control_character_or_reordering_mark(hostile_record, hostile_events):
    html = render_html(hostile_record, hostile_events)
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html) == []
    assert html.encode("utf-8")


def test_gates_are_drawn_only_where_the_verdict_held_them_against_a_score(record, events):
    html = render_html(record, events)
    assert html.count('class="gate"') == 3  # precision, recall and accuracy; the policy's F1 gate is in no reason
    assert 'class="bar open"' in html  # accuracy 0.835–0.870 around 0.85
    assert html.count('class="bar clear"') == 2


def test_a_run_that_was_not_judged_says_that_the_test_is_sealed(record):
    text = Page(render_html(replace(record, verdict=None, status="trained"))).text
    assert "No verdict yet" in text
    assert "still sealed" in text


def test_a_run_that_has_only_begun_can_be_drawn():
    assert "reviews" in Page(render_html(RunRecord(run="reviews", status="started"))).text


def test_many_classes_are_shown_as_the_commonest_mistakes(record):
    classes = tuple(f"class {index}" for index in range(30))
    counts = tuple(tuple(7 if (row, column) == (4, 9) else 0 for column in range(30)) for row in range(30))
    confusion = Confusion(split="test", source="finetuned", classes=classes, counts=counts)
    page = Page(render_html(replace(record, confusions=(confusion,))))
    assert "mistakes for each other most often" in page.text
    assert page.text.index("class 4") < page.text.index("class 9")


def test_a_long_text_is_cut(record, events):
    events[1]["example"] = "long " * 100_000
    assert len(render_html(record, events)) < 60_000
