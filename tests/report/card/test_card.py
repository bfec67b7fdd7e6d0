"""The model card."""

from dataclasses import replace

import pytest

from pretune.records import RunRecord
from pretune.report.card.card import escape, render_card


@pytest.mark.parametrize(
    "shown",
    ["**NOT ENOUGH EVIDENCE.**", "- ✗ 41 %", "Rows needed: 2,400 more labelled test rows",
     "| accuracy | 0.853 0.835–0.870 | 0.752 ",
     "pretune.load_model", "pretune predict .", "from transformers import pipeline", "largest class", "licence: CC BY 4.0",
     "licence: Apache-2.0", "- not checked: calibration", "positive class | pos", "first known look"],
)  # fmt: skip
def test_the_card_says(record, shown):
    assert shown in render_card(record)


def test_a_head_of_our_own_is_not_promised_to_plain_transformers(record):
    card = render_card(replace(record, configs={"finetune": {"head": "mlp"}}))
    assert "pipeline(" not in card
    assert "no transformers pipeline knows it" in card


def test_a_run_that_has_only_begun_has_a_card():
    assert "none yet: the test is sealed" in render_card(RunRecord(run="reviews", status="started"))


def test_hostile_text_changes_no_line_of_the_card(record, hostile_record):
    ours, theirs = render_card(record), render_card(hostile_record)
    assert len(theirs.split("\n")) == len(ours.split("\n"))
    assert [line.count("|") - line.count("\\|") for line in theirs.split("\n")] == [
        line.count("|") for line in ours.split("\n")
    ]
    assert "<script" not in theirs.replace("\\<", "")
    assert "](javascript" not in theirs.replace("\\]", "")


@pytest.mark.parametrize("text", ["a|b", "`a`", "*a*", "_a_", "[a](b)", "<a>", "# a", "~a~", "&lt;", "\\a", "$a$"])
def test_escaping_puts_a_backslash_before_each_mark(text):
    assert escape(text).replace("\\", "") == text.replace("\\", "")
    assert escape(text) != text


def test_the_card_says_from_which_probability_it_decides(record):
    assert "| decided for it | from a probability of 0.62 on, chosen on validation rows for precision |" in render_card(record)
    assert "decided for it" not in render_card(replace(record, threshold=None))
