"""Recall at a given precision, or within a budget of alerts: the threshold keeps it on validation, the test judges both."""

from dataclasses import replace

import numpy as np
import pytest
from judging import clean_findings, constant, from_counts, noisy

from pretune.configs import JudgeConfig
from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.evaluate.aims import make_aim
from pretune.evaluate.alerts import score_alerts
from pretune.evaluate.asked import add_asked
from pretune.evaluate.decide import apply_threshold
from pretune.evaluate.threshold import aim_of, choose_threshold
from pretune.intervals import proportion_interval
from pretune.records import Predictions, Terms
from pretune.verdict import Policy, decide, parse_policy
from pretune.verdict.constraint import constraint_of
from pretune.verdict.policy import policy_of, with_constraint

TERMS = Terms(positive="pos")


def judged(predictions, policy):
    sources = [predictions, constant(predictions), noisy(predictions, 0.6)]
    evaluation = evaluate_sources(sources, TERMS, main="finetuned")
    asked = {limit.metric for limit in policy.limits}
    verdict = decide(add_asked(evaluation, sources, asked, TERMS, None), clean_findings(), policy, TERMS)
    return {reason.name: reason for reason in verdict.reasons}


def ranked(num: int, share: float, apart: float, seed: int, split: str) -> Predictions:
    """Return rows whose probabilities tell the classes apart by so many standard deviations."""
    generator = np.random.default_rng(seed)
    is_positive = generator.random(num) < share
    logits = (generator.normal(size=num) + apart * is_positive) * apart - apart**2 / 2 + np.log(share / (1 - share))
    chances = 1 / (1 + np.exp(-logits))
    labels = tuple(np.where(is_positive, "pos", "neg").tolist())
    return Predictions(
        source="finetuned", split=split, classes=("neg", "pos"), ids=tuple(map(str, range(num))), labels=labels,
        predicted=tuple(np.where(chances >= 0.5, "pos", "neg").tolist()),
        probabilities=tuple(zip((1 - chances).tolist(), chances.tolist(), strict=True)),
    )  # fmt: skip


def test_recall_at_a_precision_is_judged_with_both_interval_ends():
    policy = policy_of(JudgeConfig(at_precision=0.9, min_recall=0.6))
    assert [(gate.metric, gate.minimum) for gate in policy.gates][:2] == [("recall", 0.6), ("precision", 0.9)]
    found = judged(from_counts(700, 30, 300, 1970), policy)
    assert [found[name].holds for name in ("recall[pos]", "precision[pos]")] == [True, True]
    found = judged(from_counts(700, 75, 300, 1925), policy)  # precision 0.903: its interval holds 0.9
    assert [found[name].holds for name in ("recall[pos]", "precision[pos]")] == [True, None]
    found = judged(from_counts(540, 10, 460, 1990), policy)
    assert [found[name].holds for name in ("recall[pos]", "precision[pos]")] == [False, True]


@pytest.mark.parametrize(("num_false", "holds"), [(40, True), (75, None), (200, False)])
def test_a_budget_of_alerts_is_held_against_the_upper_end_and_needs_no_precision(num_false, holds):
    policy = policy_of(JudgeConfig(max_alerts=40.0, min_recall=0.6))
    found = judged(from_counts(100, num_false, 20, 4880 - num_false), policy)
    assert found["alerts"].holds is holds
    assert "precision[pos]" not in found
    assert "per 1,000 rows" in found["alerts"].text


def test_the_share_of_alerts_is_a_proportion_of_all_rows():
    score = score_alerts(from_counts(8, 12, 2, 978), TERMS)
    assert (score.value, score.num_hits, score.num_examples) == (0.02, 20, 1000)
    assert (score.low, score.high) == proportion_interval(20, 1000)


@pytest.mark.parametrize(
    ("at", "gates"), [({"precision": 0.8}, {"precision": 0.8, "recall": 0.4}), ({"alerts": 0.08}, {"recall": 0.4})]
)
def test_the_threshold_keeps_the_constraint_by_its_interval_end_and_is_stored_to_be_chosen_again(at, gates):
    known = ranked(3000, 0.1, 2.5, 0, "validation")
    aim = make_aim(positive="pos", goal=None, default_goal="balanced", gates=gates, keep=None, cost=None, at=at)
    choice = choose_threshold(known, aim)
    decided = apply_threshold(known, choice)
    called = np.array([said == "pos" for said in decided.predicted])
    right = np.array([label == "pos" for label in decided.labels])
    if "precision" in at:
        assert proportion_interval(int((called & right).sum()), int(called.sum()))[0] >= 0.8 - 0.005
    else:
        assert proportion_interval(int(called.sum()), 3000)[1] <= 0.08 + 0.002
    assert called[right].mean() > 0.4
    assert choose_threshold(known, aim_of(choice)) == choice
    assert choice.at == at


def test_where_no_threshold_keeps_it_the_nearest_is_taken_and_that_is_said():
    known = ranked(800, 0.1, 0.3, 0, "validation")
    aim = make_aim(
        positive="pos", goal=None, default_goal="balanced", gates={"precision": 0.95, "recall": 0.5}, keep=None, cost=None,
        at={"precision": 0.95},
    )  # fmt: skip
    assert choose_threshold(known, aim).note.startswith("no threshold holds the constraint on these rows")


def test_a_policy_file_names_the_constraint_beside_its_recall():
    goals = {"balanced": [{"metric": "recall", "minimum": 0.6, "at_alerts": 5.0}, {"metric": "precision", "minimum": 0.8}]}
    policy = policy_of(JudgeConfig())
    read = parse_policy({"name": "mine", "goals": goals}, "mine.toml")
    assert constraint_of(read.gates) == {"alerts": 0.005}
    assert constraint_of(policy.gates) == {}
    assert Policy.from_json(read.to_json()) == read


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"at_precision": 0.9, "max_alerts": 5.0}, "--at-precision with --max-alerts"),
        ({"at_precision": 0.9, "min_precision": 0.8}, "--at-precision with --min-precision"),
        ({"at_precision": 90.0}, "a precision of 90"),
        ({"max_alerts": 0.0}, "0 alerts per 1,000 rows"),
        ({"max_alerts": 1000.0}, "1000 alerts per 1,000 rows"),
        ({"max_alerts": 5.0, "goal": "f1"}, "without a gate on recall"),
    ],
)
def test_a_constraint_that_cannot_be_meant_is_refused(flags, said):
    with pytest.raises(UsageError, match=said):
        policy_of(JudgeConfig(**flags))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"goal": "precision"}, "recall at a precision with --goal precision"),
        ({"keep": "recall=0.9"}, "recall at a precision with --keep"),
        ({"positive": None}, "without a positive class"),
    ],
)
def test_one_aim_sets_the_threshold(words, said):
    asked = {"positive": "pos", "goal": None, "default_goal": "balanced", "gates": {}, "keep": None, "cost": None} | words
    with pytest.raises(UsageError, match=said):
        make_aim(**asked, at={"precision": 0.9})


def test_a_flag_replaces_the_constraint_of_a_policy():
    goals = {"balanced": [{"metric": "recall", "minimum": 0.6, "at_alerts": 5.0}]}
    read = parse_policy({"name": "mine", "goals": goals}, "mine.toml")
    own = with_constraint(read)
    assert [limit.metric for limit in own.limits] == ["alerts"]
    other = with_constraint(own, at_precision=0.8)
    assert (constraint_of(other.gates), other.limits) == ({"precision": 0.8}, ())
    assert replace(other, limits=()) == other
