"""How many more test rows would decide a limit, a margin, a floor of slices, or a figure that is weighed by class shares?"""

from dataclasses import replace

from judging import clean_findings, from_counts, noisy

from pretune.evaluate import evaluate_sources
from pretune.evaluate.at_prevalence import weigh_evaluation
from pretune.evaluate.cost import score_cost
from pretune.records import Evaluation, Outcome, Predictions, Score, Slice, Terms
from pretune.verdict import Gate, Limit, Policy, decide, load_policy

TERMS, MARGIN = Terms(positive="pos"), 0.037


def policy_with(*limits: Limit, gates: tuple[Gate, ...] = (), **others) -> Policy:
    policy = load_policy()
    return replace(policy, goals={policy.goal: gates}, limits=limits, better_than=(), required_checks=(), **others)


def evaluation_of(model: Predictions, *scores: Score) -> Evaluation:
    found = evaluate_sources([model], TERMS, main="finetuned")
    return replace(found, scores=(*found.scores, *scores))


def test_a_cost_just_under_its_limit_takes_more_rows_than_one_far_under_it():
    """200 rows that cost 0.30 on the mean, between 0.19 and 0.46."""
    model = from_counts(90, 20, 10, 80)
    cost = score_cost(model, TERMS, costs={"fn": 4.0, "fp": 1.0})
    assert (cost.value, round(cost.high, 2)) == (0.3, 0.46)
    found = {}
    for most in (0.42, 0.44):
        verdict = decide(evaluation_of(model, cost), clean_findings(), policy_with(Limit(metric="cost", maximum=most)), TERMS)
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        found[most] = verdict.rows_needed
        assert "would decide with probability 0.9" in verdict.rows_needed_note
    assert found[0.42] > found[0.44] > 100


def test_a_limit_without_an_interval_says_that_nobody_knows_how_many_rows():
    model = from_counts(12, 2, 3, 83)
    cost = score_cost(model, TERMS, costs={"fn": 4.0, "fp": 1.0})
    assert cost.low is None
    verdict = decide(evaluation_of(model, cost), clean_findings(), policy_with(Limit(metric="cost", maximum=0.3)), TERMS)
    assert verdict.rows_needed is None
    assert verdict.rows_needed_note == "how many more test rows would decide is not known: there is no interval of cost"


def test_weighed_gates_have_rows_needed():
    """200 rows of each class, 4 false alarms: at 20 % positive precision is 0.91, from about 0.79."""
    model = from_counts(162, 4, 38, 196)
    shares = {"pos": 0.2}
    gates = (Gate(metric="precision", minimum=0.8),)
    policy = policy_with(gates=gates, prevalence=shares)
    evaluation = weigh_evaluation(evaluation_of(model), [model], TERMS, shares)
    verdict = decide(evaluation, clean_findings(), policy, TERMS)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert verdict.rows_needed is not None
    assert 50 < verdict.rows_needed < 5_000


def test_a_margin_to_another_model_has_rows_needed():
    model = from_counts(130, 20, 20, 130)
    other = replace(noisy(model, 0.86, source="production"), split="test")  # 0.847, the model 0.867
    evaluation = evaluate_sources([model, other], TERMS, main="finetuned")
    verdict = decide(evaluation, clean_findings(), policy_with(not_worse={"production": MARGIN}), TERMS)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert verdict.rows_needed is not None
    assert "would decide" in verdict.rows_needed_note


def test_an_open_floor_of_slices_says_how_many_rows_of_each():
    model = from_counts(90, 10, 10, 90)
    narrow = Slice(
        column="source", value="web", split="test", source="finetuned", num_examples=40, num_hits=34, accuracy=0.85, low=0.709,
        high=0.929, confidence=0.95, rest=0.9, p_value=0.5, is_worse=False, method="",
    )  # fmt: skip
    wide = replace(narrow, value="mail", num_examples=160, num_hits=146, accuracy=0.9125, low=0.86, high=0.95)
    policy = policy_with(Limit(metric="slice_accuracy", minimum=0.72))
    verdict = decide(evaluation_of(model), clean_findings(), policy, TERMS, slices=(narrow, wide))
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert list(verdict.class_rows_needed) == ["source = web"]
    assert 100 < (verdict.class_rows_needed["source = web"] or 0) < 1_000
    assert "more test rows of source = web would decide" in verdict.rows_needed_note


def test_earlier_rules_keep_their_words():
    model = from_counts(90, 20, 10, 80)
    cost = score_cost(model, TERMS, costs={"fn": 4.0, "fp": 1.0})
    policy = policy_with(Limit(metric="cost", maximum=0.40), rules=2)
    verdict = decide(evaluation_of(model, cost), clean_findings(), policy, replace(TERMS, rules=2))
    assert verdict.rows_needed is None
    assert verdict.rows_needed_note == "how many more test rows would decide cost is not computed"
