"""Terms on a page: is every word that needs one linked, once a part, and is no text of the data touched?"""

import re
from html import unescape

import pytest
from markupsafe import Markup

from pretune.report.page.html import render_chat, render_html
from pretune.report.page.terms import Terms
from pretune.report.pretraining import render_pretraining
from pretune.wording.glossary import find_terms

# Heads of columns and rows that say what they are: no word of the field.
PLAIN = (
    "figure; true \\ predicted; rows; right; row; text; metric; a; b; decides; note; observation; seconds; file; "
    "role; format; used; columns; column; command; device; versions; setting; value; rule; range; reached; form; "
    "same answers; size; largest difference; texts per second; one by one; memory; rival; phase; before; after; "
    "change; texts; true; predicted; most likely, with probabilities; other rows; which; reason; licence; notes; "
    "cleaned; pre-trained; the model; next; last observation; examples; documents; reference; constraint; shared; "
    "a careful reply; taken out; words in ≥ 4 pieces"
).split("; ")
HEADS = re.compile(r'<(?:th scope="col"|dt)[^>]*>(.*?)</(?:th|dt)>', re.DOTALL)


def linked(html):
    return re.findall(r'<a href="#term-([^"]+)">([^<]+)</a>', html)


@pytest.fixture
def pages(record, events, talked, pretrained):
    return {"judged": render_html(record, events), "chat": render_chat(talked), "words": render_pretraining(pretrained, events)}


def test_every_head_of_a_table_is_a_term_or_plain(pages):
    for name, page in pages.items():
        body = page.partition("<main>")[2].partition('id="practice"')[0]
        heads = {unescape(re.sub(r"<(?!bdi).*?>", "", head)).strip() for head in HEADS.findall(body)}
        ours = {head.lower() for head in heads if head and "<bdi>" not in head and not re.fullmatch(r"[\d.]+", head)}
        assert {head for head in ours if not list(find_terms(head))} <= set(PLAIN), name


def test_every_link_of_a_term_leads_to_its_sentence(pages):
    for page in pages.values():
        assert len(linked(page)) > 20
        for anchor, _ in linked(page):
            assert f'<dt id="term-{anchor}">' in page


def test_a_term_is_linked_once_a_part_however_it_is_written():
    terms = Terms({}, "finetuned")
    part = Markup("<p>Precision, the precisions and <b>near-copies</b></p>")
    assert linked(terms.link(part)) == [("precision", "Precision"), ("near-copy", "near-copies")]
    assert len(linked(terms.link(part))) == 2
    assert [term.name for _, held in terms.used() for term, _ in held] == ["near copy", "precision"]


@pytest.mark.parametrize(
    "part",
    [
        "<button>recall</button>",
        "<summary><h2>Recall</h2></summary>",
        "<table data-sortable><tr><td>recall</td></tr></table>",
        '<table class="matrix"><tr><th>recall</th></tr></table>',
        '<td class="text"><bdi>recall</bdi></td>',
        "<td><bdi>recall</bdi></td>",
        '<th scope="col"><bdi>recall</bdi></th>',
        "<code>recall</code> of recall.json",
        '<svg aria-label="recall"><text>recall</text></svg>',
    ],
)
def test_texts_of_the_data_and_what_is_pressed_hold_no_link(part):
    assert linked(Terms({}, "finetuned").link(Markup(part))) == []


def test_what_follows_a_skipped_place_is_linked_again():
    part = Markup("<td><bdi>a <b>recall</b></bdi></td><td>recall</td>")
    assert str(Terms({}, "").link(part)).count("<a") == 1


def test_hostile_texts_stay_text(hostile_record, hostile_events):
    page = render_html(hostile_record, hostile_events)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


def test_where_a_term_stands_in_the_run_is_told(record):
    page = render_html(record).partition('id="glossary"')[2]
    assert re.search(r'id="term-accuracy">accuracy</dt><dd>.*?In this run: <bdi>0\.853</bdi>', page)
