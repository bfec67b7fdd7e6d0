"""The first screen: what decided, and what to do next."""

from dataclasses import replace

import pytest

from pretune.records import Finding, Outcome, Reason, Severity
from pretune.report.next_step import say_next
from pretune.report.page.first_screen import make_first_screen, pick_reasons
from pretune.report.page.html import render_html


def reason(name, holds, kind="score", metric=None):
    return Reason(kind=kind, name=name, holds=holds, text=f"what is said of {name}", metric=metric)


def judged(record, *reasons, outcome=Outcome.NOT_ENOUGH_EVIDENCE, **changed):
    return replace(record, verdict=replace(record.verdict, reasons=reasons, outcome=outcome, **changed))


def names(record):
    return [item.name for item in pick_reasons(record)]


def test_what_failed_decides_before_what_is_open(record):
    shown = judged(record, reason("accuracy", True), reason("recall[pos]", None), reason("precision[pos]", False))
    assert names(shown) == ["precision[pos]", "accuracy"], "the nearest call stands beside the only one that failed"


def test_at_most_three_decide_in_the_order_of_the_verdict(record):
    shown = judged(record, *(reason(name, None) for name in ("f1[pos]", "recall[pos]", "accuracy", "precision[pos]")))
    assert names(shown) == ["f1[pos]", "recall[pos]", "accuracy"]


def test_a_model_that_ships_is_shown_by_its_closest_calls_and_a_gain(record):
    shown = judged(
        record, reason("f1[neg]", True), reason("accuracy", True), reason("recall[pos]", True), reason("seen", True, "finding"),
        reason("finetuned-linear", True, "comparison", "accuracy"), outcome=Outcome.SHIP,
    )  # fmt: skip
    assert names(shown)[-1] == "finetuned-linear"
    assert "accuracy" in names(shown)
    assert len(names(shown)) == 3


def test_a_figure_comes_with_its_interval_and_what_is_asked_of_it(record):
    first = make_first_screen(judged(record, reason("accuracy", None)), {("score", "accuracy"): "figure-0-1"})
    (shown,) = first.deciders
    assert (shown.value, shown.reach, shown.note) == ("0.853", "0.835–0.870", "the whole interval must reach 0.85")
    assert (shown.link, shown.bar.state, first.tally) == ("figure-0-1", "open", "1 is open")


def test_a_gain_comes_with_the_rival_and_a_finding_with_its_words(record):
    shown = judged(record, reason("finetuned-linear", False, "comparison", "accuracy"), reason("truncation", False, "finding"))
    gain, finding = make_first_screen(shown, {}).deciders
    assert (gain.name, gain.value, gain.note) == (
        "accuracy, beyond TF-IDF and logistic regression", "+0.101", "on the same 1,591 rows, p < 0.001",
    )  # fmt: skip
    assert (finding.value, finding.note) == ("", "what is said of truncation")


def test_a_gain_on_a_class_names_it(record):
    gain = replace(record.comparisons[0], metric="f1[pos]")
    shown = judged(replace(record, comparisons=(gain,)), reason("finetuned-linear", False, "comparison", "f1[pos]"))
    assert make_first_screen(shown, {}).deciders[0].name == "F1 of pos, beyond TF-IDF and logistic regression"


def test_a_reason_without_a_record_is_told_in_words(record):
    (shown,) = make_first_screen(judged(record, reason("nothing of the kind", None)), {}).deciders
    assert (shown.value, shown.link, shown.bar) == ("", "", None)


def test_the_outcome_is_not_said_twice(record):
    changed = replace(record.verdict, outcome=Outcome.DO_NOT_SHIP, summary="Do not ship: it finds 3 of 25.")
    assert make_first_screen(replace(record, verdict=changed), {}).summary == "It finds 3 of 25."


FAILED = Finding(check="leakage.seen_texts", severity=Severity.BLOCKING, summary="leaks", fix="Let pretune split the data.")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rows_needed": 500, "positives_needed": 40}, "Label 500 more test rows, about 40 of them pos; then judge them with"),
        (
            {"rows_needed": None, "rows_needed_note": "too close to the gate"},
            "what is said of accuracy. Too close to the gate.",
        ),
        ({"better_source": "linear"}, "`pretune predict RUN/linear FILE`"),
        ({"outcome": Outcome.SHIP}, "`pretune predict RUN/model FILE`"),
        ({"outcome": Outcome.DO_NOT_SHIP}, "The check"),
    ],
)
def test_the_next_step_follows_from_the_verdict(record, changed, said):
    assert said in say_next(judged(record, reason("accuracy", None), **changed))


def test_what_fails_is_mended_by_the_fix_of_its_check(record):
    shown = judged(record, reason("leakage.seen_texts", False, "finding"), outcome=Outcome.DO_NOT_SHIP)
    assert say_next(replace(shown, findings=(FAILED,))).startswith("Let pretune split the data.")


def test_a_model_that_the_linear_one_equals_is_replaced_by_it(record):
    shown = judged(record, reason("finetuned-linear", False, "comparison"), outcome=Outcome.DO_NOT_SHIP)
    assert "`pretune predict RUN/linear FILE`" in say_next(replace(shown, findings=()))


def test_where_nothing_helps_the_mistakes_are_read(record):
    shown = judged(record, reason("accuracy", False), outcome=Outcome.DO_NOT_SHIP)
    assert "look 2" in say_next(replace(shown, findings=()))


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"status": "trained"}, "`pretune judge RUN`"), ({"status": "started"}, "resumes"), ({"failure": "NaN"}, "NaN")],
)
def test_before_a_verdict_the_next_step_leads_to_it(record, changed, said):
    assert said in say_next(replace(record, verdict=None, **changed))


def test_an_audit_that_ships_names_no_model(record):
    audit = replace(judged(record, reason("accuracy", True), outcome=Outcome.SHIP), history=None)
    assert "RUN" not in say_next(audit)


def test_commands_are_set_as_code_and_hostile_backticks_are_text(record):
    assert "<code>pretune judge RUN --more FILE</code>" in render_html(record)
    finding = replace(FAILED, fix="`<script>alert(1)</script>`")
    shown = judged(record, reason("leakage.seen_texts", False, "finding"), outcome=Outcome.DO_NOT_SHIP)
    page = render_html(replace(shown, findings=(finding,)))
    assert "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>" in page
