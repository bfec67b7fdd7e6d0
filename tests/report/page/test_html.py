"""The report: verdict first, self-contained, and safe whatever the texts hold."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pretune.records import Confusion, RunRecord
from pretune.report.page.html import read_part, render_html
from pretune.report.pretraining import render_pretraining

VOID = {"meta", "br", "wbr", "line", "rect", "circle", "polyline", "path"}  # the last five are closed in place


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
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data


@pytest.fixture
def page(record, events):
    return Page(render_html(record, events))


def test_parts_stand_in_the_order_a_reader_needs_and_are_folded(record, events):
    html = render_html(record, events)
    titles = re.findall(r'<details class="part[^"]*">\s*<summary><h2>([^<]+)', html)
    assert titles == ["Figures and baselines", "Confusion matrix", "Most confident mistakes", "Slices",
                      "Comparisons on the same rows", "Threshold, trade-off and calibration", "Findings", "Training",
                      "Pipeline", "Data", "Settings and versions", "Practice", "Glossary"]  # fmt: skip
    assert "NOT ENOUGH EVIDENCE" in html.partition("<nav")[0]
    assert not re.search(r"<details[^>]* open", html)


def test_every_link_leads_to_a_place_on_the_page_and_every_reason_to_its_evidence(page):
    links = [value for name, value in page.attributes if name == "href"]
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert "evidence" in page.text
    assert {"#comparison-0", "#figure-0-1"} <= set(links)
    assert [link for link in links if link.startswith("#finding-")]


def test_failed_reasons_come_before_open_ones_and_those_before_what_holds(page):
    places = [page.text.index(text) for text in ("texts are cut at 128 tokens (limit", "accuracy 0.853 [", "precision of pos")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "shown",
    ["0.853", "0.835–0.870", "0.752", "Label 2,400 more test rows", "look 1 at these test rows", "first known look", "691",
     "+0.101", "overfitting since epoch 3", "10,605 rows × 3 columns", "calibration", "the text is empty",
     "“Not bad at all.” is neg, pos",
     "CC BY 4.0", "torch 2.13.0, ",
     "learning_rate", "55 (0.741 %)", "5 rows removed from train"],
)  # fmt: skip
def test_the_report_shows(record, events, shown):
    record = replace(record, versions={**record.versions, "python": "3.11"})
    assert shown in Page(render_html(record, events)).text


def test_nothing_is_loaded_or_sent_and_only_our_script_and_style_are_allowed(record, events, page):
    assert page.tags.keys().isdisjoint({"link", "img", "iframe", "object", "embed", "form", "base"})
    assert (page.tags["script"], page.tags["style"]) == (1, 1)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset", "style", "action")]
    policy = next(value for name, value in page.attributes if "sha256" in value)
    html = render_html(record, events)
    for tag in ("style", "script"):
        text = html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_script_writes_text_and_never_markup():
    script = read_part("report.js")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
        "import(",
        "XMLHttp",
    ):
        assert word not in script
    assert "</" not in script


def test_hostile_text_in_a_pretraining_changes_nothing_but_text(pretrained, events, hostile_pretrained, hostile_events):
    clean = Page(render_pretraining(pretrained, events))
    check_harmless(clean, Page(render_pretraining(hostile_pretrained, hostile_events)))


def test_hostile_text_changes_nothing_but_text(page, hostile_record, hostile_events):
    check_harmless(page, Page(render_html(hostile_record, hostile_events)))


def check_harmless(clean, hostile):
    """Hold a page of hostile texts against its clean twin: a name may have lost its figure, and brings nothing of its own."""
    assert hostile.tags.keys() <= clean.tags.keys()
    assert hostile.tags["script"] == hostile.tags["style"] == 1
    assert {name for name, _ in hostile.attributes} <= {name for name, _ in clean.attributes}
    names = {"class", "id", "href", "type", "role", "lang", "viewBox", "points"}
    ours = {(name, value) for name, value in clean.attributes if name in names}
    strange = {(name, value) for name, value in hostile.attributes if name in names} - ours
    assert not [value for _, value in strange if "script" in value or "alert(" in value]
    assert all(value.startswith("#") for name, value in hostile.attributes if name == "href")
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{ 7*7 }}{% raw %}" in hostile.text


def test_hostile_text_leaves_no_control_character_or_reordering_mark(hostile_record, hostile_events):
    html = render_html(hostile_record, hostile_events)
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html) == []
    assert html.encode("utf-8")


def test_gates_are_drawn_only_where_the_verdict_held_them_against_a_score(record, events):
    table = render_html(record, events).partition('id="figures"')[2].partition("</table>")[0]
    assert table.count('class="gate"') == 3  # precision, recall and accuracy; the policy's F1 gate is in no reason
    assert 'class="bar open"' in table  # accuracy 0.835–0.870 around 0.85
    assert table.count('class="bar clear"') == 2


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
    assert ("d", "M9 4h1v1h-1z") in page.attributes, "the map has one cell, in row 4 and column 9"


def test_a_long_text_is_cut(record, events):
    events[1]["example"] = "long " * 100_000
    clean = len(render_html(record))
    assert len(render_html(record, events)) < clean + 10_000
