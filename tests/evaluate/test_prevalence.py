"""Figures at the class shares of production: stratified estimates, with the intervals that belong to them."""

from dataclasses import replace

import numpy as np
import pytest
from judging import clean_findings, constant, from_counts, from_pairs

from pretune.configs import JudgeConfig
from pretune.configs.shares import parse_shares
from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.evaluate.aims import Aim
from pretune.evaluate.asked import add_asked
from pretune.evaluate.at_prevalence import weigh_evaluation
from pretune.evaluate.class_shares import fill_shares
from pretune.evaluate.codes import Rows
from pretune.evaluate.decide import apply_threshold
from pretune.evaluate.prevalence import f1_at, precision_at, strata_of
from pretune.evaluate.threshold import aim_of, choose_threshold
from pretune.intervals import proportion_interval
from pretune.intervals.weighed import combined_bounds, ratio_bounds
from pretune.records import Predictions, Terms
from pretune.verdict import decide
from pretune.verdict.policy import policy_of

TERMS = Terms(positive="pos")


def weighed(model, asked, *others, terms=TERMS, costs=None, metrics=()):
    sources = [model, constant(model, model.classes[0]), *others]
    evaluation = add_asked(evaluate_sources(sources, terms, main="finetuned"), sources, metrics, terms, costs)
    return weigh_evaluation(evaluation, sources, terms, asked, costs)


def with_chances(model: Predictions, seed: int = 0) -> Predictions:
    generator = np.random.default_rng(seed)
    chances = np.clip([generator.normal(0.7 if said == "pos" else 0.3, 0.1) for said in model.predicted], 0.01, 0.99)
    return replace(model, probabilities=tuple((1 - chance, chance) for chance in chances.tolist()))


def test_precision_accuracy_and_f1_follow_bayes_rule():
    found = weighed(from_counts(400, 50, 100, 450), {"": 0.01})  # recall 0.8, false alarms 0.1
    precision = 0.01 * 0.8 / (0.01 * 0.8 + 0.99 * 0.1)
    assert found.value("precision", "pos") == pytest.approx(precision)
    assert found.value("accuracy") == pytest.approx(0.01 * 0.8 + 0.99 * 0.9)
    assert found.value("f1", "pos") == pytest.approx(2 * precision * 0.8 / (precision + 0.8))
    assert found.value("recall", "pos") == 0.8
    assert found.find("recall", "pos") == evaluate_sources([from_counts(400, 50, 100, 450)], TERMS, main="finetuned").find(
        "recall", "pos"
    )


def test_at_the_tests_own_shares_every_value_stays():
    model = with_chances(from_counts(90, 30, 10, 170))
    plain = evaluate_sources([model, constant(model)], TERMS, main="finetuned")
    found = weighed(model, {"": 1 / 3})
    for score in plain.scores:
        if score.source == "finetuned" and score.metric in ("accuracy", "precision", "f1", "loss", "brier", "pr_area"):
            other = found.find(score.metric, score.label)
            if other.method.startswith("no interval and no value"):
                continue
            assert other.value == pytest.approx(score.value), score.name


def test_alerts_and_costs_are_weighed():
    costs = {"fn": 10.0, "fp": 1.0}
    found = weighed(from_counts(400, 50, 100, 450), {"": 0.01}, costs=costs, metrics=("alerts",))
    assert found.value("alerts") == pytest.approx(0.01 * 0.8 + 0.99 * 0.1)
    assert found.value("cost") == pytest.approx(0.01 * 10 * 0.2 + 0.99 * 0.1)


@pytest.mark.parametrize(("num_positive", "num_others", "share"), [(50, 450, 0.005), (200, 1800, 0.05), (500, 500, 0.02)])
def test_intervals_of_weighed_figures_cover_and_hardly_ever_lie_above_the_truth(num_positive, num_others, share):
    generator, recall, alarms, draws = np.random.default_rng(0), 0.8, 0.02, 300
    precision = share * recall / (share * recall + (1 - share) * alarms)
    truth = (precision, 2 * precision * recall / (precision + recall))
    above, missed = [0, 0], [0, 0]
    labels = np.repeat([1, 0], [num_positive, num_others])
    for _ in range(draws):
        rates = np.where(labels == 1, recall, alarms)
        rows = Rows(("neg", "pos"), labels, (generator.random(len(labels)) < rates).astype(int), None, None)
        strata = strata_of(rows, {"pos": share, "neg": 1 - share}, 0.95)
        for at, (_, (low, high), _) in enumerate((precision_at(strata, 1), f1_at(strata, 1))):
            above[at] += low > truth[at]
            missed[at] += not low <= truth[at] <= high
    assert max(above) <= 0.045 * draws
    assert max(missed) <= 0.08 * draws


def test_what_is_not_weighed_has_no_value_and_says_so():
    found = weighed(with_chances(from_counts(90, 30, 10, 170)), {"": 0.01})
    assert [found.find(name).value for name in ("mcc", "calibration_error")] == [None, None]
    assert "not weighed by class shares" in found.find("mcc").method
    assert found.find("pr_area", "pos").low is None
    assert "weighs as much as" in found.find("pr_area", "pos").method


def test_gates_hold_for_the_weighed_figures():
    model = with_chances(from_counts(450, 25, 50, 475))
    plain, rare = policy_of(JudgeConfig()), policy_of(JudgeConfig(prevalence="0.01"))
    for policy, holds in ((plain, True), (rare, False)):
        verdict = decide(weighed(model, policy.prevalence), clean_findings(), policy, TERMS)
        assert next(item.holds for item in verdict.reasons if item.name == "precision[pos]") is holds
    assert "accuracy" not in {item.name for item in verdict.reasons}  # 99 % of production is of one class


def test_a_source_that_is_better_at_the_tests_shares_may_be_worse_at_productions():
    model = from_counts(450, 60, 50, 440)  # finds more, with more false alarms
    pairs = list(zip(model.labels, model.predicted, strict=True))
    quiet = ["neg" if at % 3 == 0 or label == "neg" else said for at, (label, said) in enumerate(pairs)]
    other = replace(model, source="linear", predicted=tuple(quiet))
    plain = weighed(model, {}, other).comparisons
    rare = weighed(model, {"": 0.005}, other).comparisons
    of = [next(item for item in found if item.b == "linear" and item.metric == "accuracy") for found in (plain, rare)]
    assert of[0].difference > 0 > of[1].difference
    assert of[1].p_value < 0.01
    assert of[1].high < 0


def test_two_that_answer_alike_are_not_proven_equal_or_different():
    model = from_counts(450, 60, 50, 440)
    found = weighed(model, {"": 0.005}, replace(model, source="linear")).comparisons
    alike = [item for item in found if item.b == "linear"]
    assert {item.metric for item in alike} == {"accuracy", "f1[pos]"}
    assert all(item.p_value == 1.0 and item.low < 0 < item.high for item in alike)


def test_several_classes_are_weighed_by_all_their_shares():
    counts = {("a", "a"): 80, ("a", "b"): 20, ("b", "b"): 60, ("b", "c"): 40, ("c", "c"): 90, ("c", "a"): 10}
    pairs = [pair for pair, count in counts.items() for _ in range(count)]
    model = from_pairs(pairs, ("a", "b", "c"))
    found = weighed(model, {"a": 0.5, "b": 0.4}, terms=Terms())
    assert found.value("accuracy") == pytest.approx(0.5 * 0.8 + 0.4 * 0.6 + 0.1 * 0.9)
    precision = np.mean([0.4 / (0.4 + 0.01), 0.24 / (0.24 + 0.1), 0.09 / (0.09 + 0.16)])
    assert found.value("precision", "macro") == pytest.approx(precision)
    assert found.find("precision", "macro").low < precision < found.find("precision", "macro").high


@pytest.mark.parametrize("text", ["5", "-0.1", "a=0.7,b=0.6", "a=0.2,a=0.2", "=0.2", "much"])
def test_shares_that_cannot_be_meant_are_refused(text):
    with pytest.raises(UsageError, match="--prevalence"):
        parse_shares(text)
    with pytest.raises(UsageError, match="--prevalence"):
        JudgeConfig(prevalence=text)


@pytest.mark.parametrize(
    ("asked", "positive", "said"),
    [({"": 0.1}, None, "without a positive class"), ({"x": 0.1}, None, "of 'x'"), ({"a": 0.1, "b": 0.2}, None, "leaves 0.7")],
)
def test_shares_that_do_not_fit_the_rows_are_refused(asked, positive, said):
    with pytest.raises(UsageError, match=said):
        fill_shares(asked, ["a", "b"], ["a", "b"], positive)


def test_the_rest_is_shared_as_the_rows_have_it():
    assert fill_shares({"": 0.1}, ["a"] * 5 + ["b"] * 2 + ["c"] * 4, ["a", "b", "c"], "a") == pytest.approx(
        {"a": 0.1, "b": 0.3, "c": 0.6}
    )


def test_the_threshold_is_chosen_for_production():
    generator = np.random.default_rng(0)
    is_positive = np.arange(2000) < 1000
    logits = generator.normal(size=2000) + 2.5 * is_positive
    chances = 1 / (1 + np.exp(1.25 - logits))
    known = Predictions(
        source="finetuned", split="validation", classes=("neg", "pos"), ids=tuple(map(str, range(2000))),
        labels=tuple(np.where(is_positive, "pos", "neg").tolist()),
        predicted=tuple(np.where(chances >= 0.5, "pos", "neg").tolist()),
        probabilities=tuple(zip((1 - chances).tolist(), chances.tolist(), strict=True)),
    )  # fmt: skip
    gates = {"precision": 0.5, "recall": 0.5}
    choices = [choose_threshold(known, Aim(positive="pos", gates=gates, prevalence=share)) for share in (None, 0.02)]
    calls = [sum(said == "pos" for said in apply_threshold(known, choice).predicted) for choice in choices]
    assert calls[1] < 0.8 * calls[0]
    assert choose_threshold(known, aim_of(choices[1])) == choices[1]
    precision = next(item.value for item in choices[1].reached if item.metric == "precision")
    assert precision > 0.4  # at 2 % positives; on these rows it is 0.97


def test_bounds_of_one_stratum_are_its_own_and_of_a_ratio_contain_it():
    low, high = proportion_interval(80, 100)
    assert np.allclose(combined_bounds([1.0, 0.0], [0.8, 0.1], [low, 0.0], [high, 0.5]), (low, high))
    part, whole = (np.array(0.8), np.array(0.7), np.array(0.88)), (np.array(0.0), np.array(0.0), np.array(0.03))
    found = ratio_bounds(part, whole)
    assert 10 < found[0] < 0.8 / 0.03
    assert found[1] == np.inf


def test_a_mean_over_rows_that_are_all_alike_has_no_interval_and_says_why():
    model = from_counts(50, 0, 0, 450)
    sure = tuple((0.0, 1.0) if said == "pos" else (1.0, 0.0) for said in model.predicted)
    found = weighed(replace(model, probabilities=sure), {"": 0.01})
    for metric, label in (("precision", "macro"), ("brier", None)):
        score = found.find(metric, label)
        assert (score.low, score.method) == (None, "no interval: all rows of each class are alike")
