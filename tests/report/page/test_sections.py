"""What the report folds together: equal rejections, checks that were not asked for, settings as they come, rows of one file."""

import re
from dataclasses import replace

from pretune.configs import RunConfig
from pretune.records import Finding, Rejection, Severity
from pretune.report.page.checks import group_findings
from pretune.report.page.html import render_html
from pretune.report.page.sections import build_sections, group_rejections
from pretune.report.page.settings import list_settings


def test_equal_rejections_are_one_row_with_their_number(receipt):
    rejected = tuple(Rejection(file="a.csv", row=row, column="text", reason="the text is empty") for row in range(1, 38))
    changed = replace(receipt, files=(replace(receipt.files[0], rejected=(*rejected, receipt.files[0].rejected[1])),))
    first, second = group_rejections(changed)
    assert (first.num_rows, first.rows) == (37, "1, 2, 3, 4, 5, 6, 7, 8 …")
    assert (second.num_rows, second.rows) == (1, "977")


def test_checks_that_do_not_apply_are_told_once_for_each_reason():
    none = [Finding.not_applicable(f"check.{number}", "one seed was trained") for number in range(9)]
    checks = group_findings([*none, Finding.unknown("labels.x", "needs texts"), Finding.not_applicable("other", "no dates")])
    assert [(why, len(group)) for why, group in checks.not_asked] == [("one seed was trained", 9), ("no dates", 1)]
    assert checks.num_not_asked == 10
    assert [item.finding.check for item in checks.unknown] == ["labels.x"]


def test_the_page_says_once_what_was_not_asked_for(record):
    none = tuple(Finding.not_applicable(f"check.{number}", "one seed was trained") for number in range(9))
    page = render_html(replace(record, findings=(*record.findings, *none)))
    page = re.sub(r"</?a\b[^>]*>", "", page)  # words that are linked
    assert page.count("One seed was trained") == 1
    assert "10 checks not asked for in this run, or not applicable to it" in page


def test_equal_findings_keep_places_of_their_own():
    twice = [Finding(check="a.b", severity=Severity.OK, summary="s") for _ in range(2)]
    assert [item.anchor for item in group_findings(twice).passed] == ["finding-0", "finding-1"]


def test_settings_that_are_as_they_come_are_apart_and_empty_ones_are_left_out(record):
    configs = {**RunConfig().to_json(), "model": "minilm", "freeze": "last-2"}
    configs["finetune"] = {**configs["finetune"], "learning_rate": 0.123}
    found = list_settings(replace(record, configs=configs))
    changed = {(item.stage, item.name): item.value for item in found if not item.is_usual}
    assert changed[("finetune", "learning_rate")] == "0.123"
    assert changed[("run", "freeze")] == "last-2"
    assert all(item.name and item.value not in ("", "null", "[]", "{}") for item in found)


def test_a_file_is_named_once_for_all_mistakes(record):
    sections = build_sections(record, ())
    assert sections.mistakes_file == "reviews.csv"
    assert [item.row for item in sections.mistakes] == ["77", "912"]
    mixed = replace(record, mistakes=(record.mistakes[0], replace(record.mistakes[1], id="more.csv:3")))
    assert [item.row for item in build_sections(mixed, ()).mistakes] == ["reviews.csv:77", "more.csv:3"]


def test_slices_by_the_number_of_the_row_are_left_out_unless_they_are_worse(record):
    by_row = replace(record.slices[1], column="Row no", value="2 to 61")
    sections = build_sections(replace(record, slices=(*record.slices, by_row)), ())
    assert (len(sections.slices), sections.num_slices_by_row) == (2, 1)
    worse = build_sections(replace(record, slices=(replace(by_row, is_worse=True),)), ())
    assert (len(worse.slices), worse.num_slices_by_row) == (1, 0)
    assert "1 slice of a column that numbers the rows" in render_html(replace(record, slices=(*record.slices, by_row)))
