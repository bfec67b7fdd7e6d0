"""Many classes: the means first, the classes folded and sortable, and the most confused pairs."""

import re
from dataclasses import replace

from judging import from_pairs
from wide_record import record_of

from pretune.evaluate import evaluate_sources
from pretune.records import Confusion, Reason
from pretune.report.figures import absent_classes, list_confused
from pretune.report.page.html import render_html


def test_many_classes_are_folded_the_worst_first_and_sortable():
    page = render_html(record_of(24))
    folded = page.partition('<details class="classes">')[2].partition("</details>")[0]
    assert "All 24 classes, the worst first:" in folded
    rows = re.findall(r'<tr><th scope="row"><bdi>(c\d\d)</bdi></th><td class="num">25</td><td>(0\.\d+)', folded)
    assert len(rows) == 24
    assert [float(f1) for _, f1 in rows] == sorted(float(f1) for _, f1 in rows)
    assert "data-sortable" in folded


def test_the_means_come_first_and_no_class_stands_outside_the_fold():
    page = render_html(record_of(24))
    table = page.partition('id="figures"')[2].partition("</table>")[0]
    assert table.index("precision · macro") < table.index("accuracy")
    assert "c05" not in table


def test_a_long_name_breaks_between_its_words_and_not_in_them():
    page = render_html(replace(record_of(4), classes=()))
    assert "<wbr>" not in page.partition('id="figures"')[2].partition("</table>")[0]
    names = {"c00": "replacement_card_duration", "c01": "Donaudampfschifffahrtsgesellschaft"}
    scores = tuple(replace(score, label=names.get(score.label, score.label)) for score in record_of(4).scores)
    page = render_html(replace(record_of(4), scores=scores))
    assert "F1 · replacement_<wbr>card_<wbr>duration" in page
    assert "F1 · Donaudampfschifffahr<wbr>tsgesellschaft" in page


def test_a_class_that_a_reason_cites_can_be_led_to():
    record = record_of(24)
    reason = Reason(kind="score", name="recall[c05]", holds=False, text="recall of c05")
    page = render_html(replace(record, verdict=replace(record.verdict, reasons=(reason,))))
    assert re.search(r'<a href="#(class-0-\d+)".*<tr id="\1"><th scope="row"><bdi>c05', page, re.DOTALL)


def test_few_classes_stay_in_the_table():
    page = render_html(record_of(4))
    assert '<details class="classes">' not in page
    assert "F1 · c02" in page


def test_pairs_are_counted_both_ways_and_the_most_confused_come_first():
    counts = ((90, 4, 6), (9, 91, 0), (5, 0, 95))
    found = list_confused(Confusion(split="test", source="a", classes=("x", "y", "z"), counts=counts))
    assert [(item.first, item.second, item.there, item.back, item.num_rows) for item in found] == [
        ("y", "x", 9, 4, 200),
        ("x", "z", 6, 5, 200),
    ]


def test_classes_that_are_predicted_and_have_no_rows_are_told_once_with_what_scikit_learn_gives():
    pairs = [("a", "a")] * 40 + [("b", "b")] * 36 + [("b", "c")] * 4
    scores = evaluate_sources([from_pairs(pairs, ("a", "b", "c"))], main="finetuned").scores
    said = absent_classes(scores)
    assert said.startswith("Means are over 2 classes with rows, without c (predicted, no rows); scikit-learn counts them as 0")
    assert "precision 0.667" in said
    assert absent_classes(evaluate_sources([from_pairs(pairs[:76], ("a", "b", "c"))], main="finetuned").scores) == ""
