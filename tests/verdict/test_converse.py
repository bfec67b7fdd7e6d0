"""The decision on a model that replies: point by point of the policy, with numbers written by hand."""

from dataclasses import replace

import pytest

from pretune.errors import UsageError
from pretune.records import Comparison, Domain, Evaluation, Finding, Outcome, Review, Score, Severity, Terms, Units, Verdict
from pretune.verdict.converse import decide_conversation
from pretune.verdict.reply_policy import CONVERSE, load_reply_policy, parse_reply_policy

POLICY = replace(load_reply_policy(), required_checks=())
PLAIN = Domain(shares={"health": 0.0}, limit=0.1, area=None, num_questions=100)
HEALTH = Domain(shares={"health": 0.8}, limit=0.1, area="health", num_questions=100)


def score(metric, value, low, high, split="test"):
    return Score(
        metric=metric, label=None, split=split, source="finetuned", value=value, low=low, high=high, confidence=0.95,
        method="", num_examples=250,
    )  # fmt: skip


def gain(source, metric, difference, half, p_value=None):
    low, high = difference - half, difference + half
    p_value = (0.001 if low > 0 or high < 0 else 0.4) if p_value is None else p_value
    return Comparison(
        metric=metric, split="test", a="finetuned", b=source, value_a=36.0, value_b=36.0 - difference, difference=difference,
        low=low, high=high, confidence=0.95, p_value=p_value, method="", num_examples=250,
    )  # fmt: skip


GOOD = {
    ("before", "chrf"): (6.0, 2.0),
    ("before", "loss"): (-0.5, 0.1),
    ("before", "subject"): (0.1, 0.2),
    ("constant", "chrf"): (9.0, 2.0),
    ("few-shot", "chrf"): (5.0, 2.0),
    ("few-shot", "loss"): (-0.4, 0.1),
    ("retrieval", "chrf"): (3.0, 2.0),
    ("retrieval", "subject"): (0.0, 0.1),
}


def decide(changes=None, *, without=(), forgot=None, findings=(), domain=PLAIN, review=None, policy=POLICY, look=1):
    gains = {**GOOD, **(changes or {})}
    compared = tuple(gain(*place, *value) for place, value in gains.items() if place[0] not in without and place not in without)
    scores = [score("chrf", 36.0, 34.0, 38.0), score("subject", 0.9, 0.85, 0.94)]
    scores += [] if forgot is None else [score("forgetting", *forgot, split="general")]
    return decide_conversation(
        Evaluation(scores=tuple(scores), comparisons=compared), findings, policy, Terms(look=look), domain=domain, review=review
    )


def test_a_model_that_beats_every_rival_ships_and_says_what_was_not_judged():
    verdict = decide()
    assert verdict.outcome is Outcome.SHIP
    assert "likeness to a reference is not truth" in verdict.summary
    assert "no question that needs care was asked" in verdict.summary


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({("before", "chrf"): (-3.0, 2.0)}, Outcome.DO_NOT_SHIP),
        ({("retrieval", "chrf"): (-3.0, 2.0)}, Outcome.DO_NOT_SHIP),
        ({("retrieval", "chrf"): (-3.0, 2.0), ("retrieval", "subject"): (0.3, 0.1)}, Outcome.DO_NOT_SHIP),
        ({("few-shot", "chrf"): (-3.0, 2.0)}, Outcome.DO_NOT_SHIP),
        ({("before", "subject"): (-0.2, 0.1)}, Outcome.DO_NOT_SHIP),
        ({("before", "chrf"): (1.0, 2.0)}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({("before", "loss"): (0.5, 0.1)}, Outcome.NOT_ENOUGH_EVIDENCE),  # a worse loss alone decides nothing
        ({("before", "loss"): (-0.1, 0.2)}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({("constant", "chrf"): (-3.0, 2.0)}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({("retrieval", "chrf"): (1.0, 2.0)}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({("retrieval", "chrf"): (1.0, 2.0), ("retrieval", "subject"): (0.3, 0.1)}, Outcome.SHIP),
        ({("retrieval", "chrf"): (3.0, 2.0), ("retrieval", "subject"): (-0.3, 0.1)}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({("before", "chrf"): (6.0, 2.0, 0.2)}, Outcome.NOT_ENOUGH_EVIDENCE),  # interval and test must agree
    ],
)
def test_each_rival_is_weighed_as_the_policy_says(changes, outcome):
    assert decide(changes).outcome is outcome


@pytest.mark.parametrize(
    ("without", "outcome"),
    [
        (["few-shot"], Outcome.NOT_ENOUGH_EVIDENCE),  # a rival that was not made is never beaten
        (["retrieval"], Outcome.NOT_ENOUGH_EVIDENCE),
        ([("before", "loss"), ("few-shot", "loss")], Outcome.SHIP),  # where there is no loss, chrF decides
        ([("before", "subject"), ("retrieval", "subject")], Outcome.SHIP),
    ],
)
def test_what_is_missing_is_open_and_a_figure_that_nobody_has_is_not(without, outcome):
    assert decide(without=without).outcome is outcome


@pytest.mark.parametrize(
    ("forgot", "outcome"),
    [
        ((0.08, 0.06, 0.10), Outcome.DO_NOT_SHIP),
        ((0.08, 0.04, 0.12), Outcome.SHIP),  # not clearly over 5 %
        ((-0.04, -0.05, -0.03), Outcome.SHIP),
        ((0.08, None, None), Outcome.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_forgetting_fails_only_where_it_is_clearly_over_the_limit(forgot, outcome):
    assert decide(forgot=forgot).outcome is outcome


def test_a_blocking_finding_and_a_required_check_that_could_not_run():
    blocking = Finding(check="replies.loops", severity=Severity.BLOCKING, summary="56 % of replies loop")
    assert decide(findings=[blocking]).outcome is Outcome.DO_NOT_SHIP
    required = replace(POLICY, required_checks=("template.same",))
    assert decide(policy=required).outcome is Outcome.NOT_ENOUGH_EVIDENCE
    unknown = Finding.unknown("template.same", "no digests")
    verdict = decide(policy=required, findings=[unknown])
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "more test questions alone do not help" in verdict.rows_needed_note
    assert "template.same" in verdict.summary


def reviewed(model, rival, *, ties=0, harmful=0, p_value=0.001):
    return Review(
        source="finetuned", rival="retrieval", reviewers=("anna",), num_pairs=model + rival + ties, num_model=model,
        num_rival=rival, num_ties=ties, num_harmful=harmful, num_rival_harmful=0, share=None, low=None, high=None,
        p_value=p_value, confidence=0.95,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("review", "outcome"),
    [
        (None, Outcome.NOT_ENOUGH_EVIDENCE),
        (reviewed(40, 10), Outcome.SHIP),
        (reviewed(10, 40), Outcome.DO_NOT_SHIP),
        (reviewed(27, 23, p_value=0.6), Outcome.NOT_ENOUGH_EVIDENCE),
        (reviewed(20, 2), Outcome.NOT_ENOUGH_EVIDENCE),  # 22 pairs of 50
        (reviewed(2, 20), Outcome.DO_NOT_SHIP),
        (reviewed(45, 5, harmful=1), Outcome.DO_NOT_SHIP),
    ],
)
def test_advice_on_health_ships_only_after_people_preferred_it(review, outcome):
    assert decide(domain=HEALTH, review=review).outcome is outcome


def test_plain_switches_the_review_off_and_the_verdict_says_so():
    verdict = decide(domain=replace(HEALTH, asked="plain"))
    assert verdict.outcome is Outcome.SHIP
    assert "--domain plain switched off" in verdict.summary


def test_a_review_that_was_not_required_can_refuse_and_not_hold_up():
    assert decide(review=reviewed(10, 40)).outcome is Outcome.DO_NOT_SHIP
    assert decide(review=reviewed(27, 23, p_value=0.6)).outcome is Outcome.SHIP


def test_a_domain_that_nobody_asked_about_stays_open():
    assert decide(domain=None).outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert decide(domain=None, review=reviewed(40, 10)).outcome is Outcome.SHIP
    assert decide(domain=None, review=reviewed(40, 10, harmful=1)).outcome is Outcome.DO_NOT_SHIP


def test_rows_needed_fall_as_the_gain_grows_and_are_said_as_test_questions():
    near, far = (decide({("retrieval", "chrf"): (value, 3.0)}, without=[("retrieval", "subject")]) for value in (2.9, 2.5))
    assert near.rows_needed < far.rows_needed
    assert f"about {near.rows_needed:,} more test questions would decide with probability 0.9" in near.summary


def test_a_difference_near_nothing_is_too_close_and_says_what_would_do_if_it_stays():
    note = decide({("retrieval", "chrf"): (0.9, 3.0)}, without=[("retrieval", "subject")]).rows_needed_note
    assert "too close: even 20,000 more test questions" in note
    assert "if the differences are as measured, about" in note


def test_no_number_of_questions_helps_where_one_figure_is_clearly_better_and_the_other_worse():
    verdict = decide({("retrieval", "subject"): (-0.3, 0.1)})
    assert verdict.rows_needed is None
    assert "more test questions alone do not help" in verdict.rows_needed_note
    assert "naming the subject" in verdict.rows_needed_note


def test_questions_that_all_repeat_each_other_are_said_to_be_too_few():
    gains = {place: (value[0], 1.0, 0.3) for place, value in GOOD.items()}
    compared = tuple(replace(gain(*place, *value), low=None, high=None, p_value=1.0) for place, value in gains.items())
    units = Units(num=3, even=2.0, effect=80.0, freedom=1.0)
    scores = (score("chrf", 36.0, None, None), replace(score("ended", 1.0, None, None), units=units))
    found = Evaluation(scores=scores, comparisons=compared)
    note = decide_conversation(found, (), POLICY, domain=PLAIN).rows_needed_note
    assert "250 test questions count as 3" in note
    assert "a difference needs 20" in note


def test_the_verdict_survives_json_and_keeps_the_policy():
    verdict = decide()
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert verdict.policy["better_on_one"] == {"retrieval": ["chrf", "subject"]}


def test_a_later_look_needs_more_confidence():
    assert POLICY.confidence_at(2) == pytest.approx(0.9875)
    assert POLICY.confidence_at(1, 2) == pytest.approx(0.975)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nmae": 1}, "unknown key 'nmae'"),
        ({"better_on": {"before": ["rouge"]}}, "names 'rouge'"),
        ({"confidence": 95}, "confidence is 95"),
        ({"max_forgetting": 0.0}, "max_forgetting"),
        ({"review": {"pairs": 3}}, "unknown key 'pairs'"),
        ({"review": {"min_pairs": 0}}, "review.min_pairs is 0"),
        ({"rows_needed": {"max_rows": 0}}, "rows_needed.max_rows"),
        ({"required_checks": "all"}, "the keys of the policy"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(change, says):
    with pytest.raises(UsageError, match=says):
        parse_reply_policy({"name": "own", **change}, "own.toml")


def test_a_policy_file_is_read_and_a_missing_one_is_named(tmp_path):
    copy = tmp_path / "own.toml"
    copy.write_text(CONVERSE.read_text().replace("max_forgetting = 0.05", "max_forgetting = 0.02"))
    assert load_reply_policy(copy).max_forgetting == 0.02
    with pytest.raises(UsageError, match="cannot read the policy"):
        load_reply_policy(tmp_path / "none.toml")
