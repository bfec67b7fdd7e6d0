"""The decision in the report and on the terminal."""

from dataclasses import replace

import pytest

from pretune.records import RunRecord, ThresholdChoice
from pretune.report.page.html import render_html
from pretune.report.page.probabilities import draw_probabilities
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.text import draw_run
from pretune.report.threshold import describe_decision, draw_threshold


def squeeze(record: RunRecord) -> str:
    return " ".join(to_text(draw_run(record), width=110).split())


@pytest.mark.parametrize(
    "shown",
    ["pos from a probability of 0.62 on", "recall at least 0.84", "0.55 to 0.71 (5 to 95 % of 500 resamples)", "held by 63 %",
     "1,591 validation rows, 797 of them pos", "logits divided by 1.600", "0.870 0.840 769 ★ chosen",
     "0.862"],
)  # fmt: skip
def test_the_terminal_shows(record, shown):
    assert shown in squeeze(record)


def test_the_report_has_the_table(record):
    html = render_html(record)
    for shown in (">0.97<", "1,591", "On new rows"):
        assert shown in html


def test_where_the_largest_class_decides_the_report_says_why_and_draws_no_choice(record):
    kept = replace(record.threshold, threshold=None, note="only 7 validation rows are pos", kept_share=None)
    changed = replace(record, threshold=kept)
    assert "the largest class" in dict(describe_decision(kept, None))["decides"]
    assert "only 7 validation rows are pos" in squeeze(changed)
    assert 'class="series chosen"' not in render_html(changed)
    assert "chosen</strong>" not in render_html(changed)


def test_a_choice_without_a_curve_is_words_only(record):
    bare = ThresholdChoice(
        source="finetuned", split="validation", goal="balanced", rule="r", note="no class is the positive one"
    )
    changed = replace(record, threshold=bare, calibration=None)
    assert draw_threshold(changed) is None
    assert draw_probabilities(changed, None).tradeoff is None
    assert "no class is the positive one" in render_html(changed)


def test_a_run_of_an_older_version_has_no_decision_to_tell(record):
    old = replace(record, threshold=None, calibration=None)
    assert draw_threshold(old) is None
    assert 'id="threshold"' not in render_html(old)
