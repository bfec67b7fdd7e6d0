"""Limits: figures besides the gates, floors of every class, and not being worse than another model."""

from dataclasses import replace

import pytest
from judging import clean_findings, constant, evaluation_of, from_counts, from_pairs, noisy

from pretune.configs import JudgeConfig
from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.records import Outcome, Score
from pretune.verdict import Limit, Policy, decide, load_policy
from pretune.verdict.limits import check_limit, limits_asked
from pretune.verdict.policy import BUILT_IN, READY


def score(metric: str, value: float, low: float, high: float) -> Score:
    return Score(
        metric=metric, label=None, split="test", source="finetuned", value=value, low=low, high=high, confidence=0.95,
        method="", num_examples=2000,
    )  # fmt: skip


def judged(limits: tuple[Limit, ...], *scores: Score):
    evaluation = evaluation_of(from_counts(900, 50, 50, 1000))
    policy = replace(load_policy(), limits=limits)
    return decide(replace(evaluation, scores=(*evaluation.scores, *scores)), clean_findings(), policy)


@pytest.mark.parametrize(
    ("low", "high", "holds"), [(0.20, 0.29, True), (0.20, 0.31, None), (0.31, 0.40, False)]
)  # fmt: skip
@pytest.mark.parametrize("metric", ["cost", "calibration_error"])
def test_a_limit_from_above_is_held_against_the_upper_end(metric, low, high, holds):
    found = [score(metric, (low + high) / 2, low, high)]
    evaluation = evaluation_of(from_counts(900, 50, 50, 1000))
    kept = tuple(item for item in evaluation.scores if item.metric != metric)
    policy = replace(load_policy(), limits=(Limit(metric=metric, maximum=0.3),))
    verdict = decide(replace(evaluation, scores=(*kept, *found)), clean_findings(), policy)
    reason = next(reason for reason in verdict.reasons if reason.name == metric)
    assert reason.holds is holds
    outcomes = {True: Outcome.SHIP, None: Outcome.NOT_ENOUGH_EVIDENCE, False: Outcome.DO_NOT_SHIP}
    assert verdict.outcome is outcomes[holds]
    if holds is None:
        assert verdict.rows_needed_note.startswith("too close to the gate")


def test_a_cost_without_costs_leaves_its_limit_open():
    verdict = judged((Limit(metric="cost", maximum=0.3),))
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "--cost" in next(reason.text for reason in verdict.reasons if reason.name == "cost")


def test_a_floor_of_every_class_is_one_reason_a_class_and_tiny_classes_stay_open():
    pairs = [("a", "a")] * 300 + [("b", "b")] * 150 + [("b", "a")] * 150 + [("c", "c")] * 4
    model = from_pairs(pairs, ("a", "b", "c"))
    evaluation = evaluate_sources([model, constant(model, "a"), noisy(model, 0.5)], main="finetuned")
    policy = replace(load_policy(), limits=(Limit(metric="recall", minimum=0.6, label="every"),))
    found = {reason.name: reason for reason in decide(evaluation, clean_findings(), policy).reasons}
    assert [found[f"recall[{label}]"].holds for label in "abc"] == [True, False, None]
    assert "only 4 test rows are c" in found["recall[c]"].text


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Limit(metric="speed", minimum=0.5), "a limit on 'speed'"),
        (Limit(metric="cost", minimum=0.5), "no such bound"),
        (Limit(metric="recall", maximum=0.5), "no such bound"),
        (Limit(metric="recall"), "no such bound"),
        (Limit(metric="accuracy", minimum=80), "no such bound"),
        (Limit(metric="accuracy", minimum=0.8, label="spam"), "accuracy of a class"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(limit, said):
    with pytest.raises(UsageError, match=said):
        check_limit(limit, "policy.toml")


def test_flags_replace_the_limits_of_a_policy_on_the_same_figure():
    asked = limits_asked(JudgeConfig(max_calibration_error=0.02, min_class_recall=0.5))
    policy = load_policy("moderation", further=asked)
    assert {(item.metric, item.label): item.minimum or item.maximum for item in policy.limits} == {
        ("calibration_error", None): 0.02,
        ("recall", "every"): 0.5,
    }
    assert Policy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize("name", READY)
def test_ready_policies_are_read_by_their_names(name):
    policy = load_policy(name)
    assert (policy.name, BUILT_IN[name].exists(), bool(policy.limits)) == (name, True, True)
    assert policy.required_checks == load_policy().required_checks


@pytest.mark.parametrize(("worse", "holds"), [(0, True), (30, None), (200, False)])
def test_a_model_is_not_worse_than_another_where_the_interval_says_so(worse, holds):
    """2,000 rows; the other model is right on ``worse`` rows more."""
    model = from_counts(900, 100 + worse // 2, 100 + worse - worse // 2, 900 - worse)
    labels = list(zip(model.labels, model.predicted, strict=True))
    fixed = {index for index, (label, said) in enumerate(labels) if label != said}
    keep = set(sorted(fixed)[:worse])
    other = replace(
        model,
        source="production",
        predicted=tuple(label if index in keep else said for index, (label, said) in enumerate(labels)),
        probabilities=None,
    )
    evaluation = evaluate_sources([model, other], main="finetuned")
    policy = replace(load_policy(), not_worse={"production": 0.02}, better_than=())
    reason = next(r for r in decide(evaluation, clean_findings(), policy).reasons if r.name == "finetuned-production")
    assert reason.holds is holds, reason.text
