"""How many more rows: the same arithmetic as the figures, and a number that keeps its promise."""

import time
from dataclasses import replace

import numpy as np
import pytest
from judging import clean_findings, constant, evaluation_of, from_counts, from_pairs, noisy

from pretune.evaluate import evaluate_sources
from pretune.records import Outcome, Terms
from pretune.verdict import Gate, decide, load_policy
from pretune.verdict.gate_bounds import gate_bounds
from pretune.verdict.rows_needed import Question, find_rows_needed, smallest_reaching


def judge(model, *, look=1, policy=None):
    evaluation = evaluation_of(model, linear=0.55, look=look)
    return decide(evaluation, clean_findings(), policy or load_policy(), Terms(positive="pos", look=look))


@pytest.mark.parametrize(
    ("metric", "label"),
    [("accuracy", None), ("precision", "pos"), ("recall", "pos"), ("f1", "pos"), ("precision", "macro"), ("recall", "macro")],
)
def test_imagined_figures_have_the_intervals_of_real_ones(metric, label):
    """Only the mean F1 is approximated, by the wider mean of the classes' ends."""
    evaluation = evaluation_of(from_counts(90, 15, 10, 85), positive=None if label == "macro" else "pos")
    score = evaluation.find(metric, label)
    table = np.array([evaluation.confusions[0].counts], float)
    position = 1 if label == "pos" else None
    low, high, usable = gate_bounds(Gate(metric=metric, minimum=0.8), table, position, 0.95, 5)
    assert usable.all()
    assert (float(low[0]), float(high[0])) == pytest.approx((score.low, score.high))


@pytest.mark.parametrize("limit", [1, 31, 32, 1000, 20_000])
@pytest.mark.parametrize("threshold", [1, 30, 33, 900, 19_999, 30_000])
def test_the_search_finds_the_threshold_to_three_percent(threshold, limit):
    found = smallest_reaching(0.9, lambda rows: float(rows >= threshold), limit)
    if threshold > limit:
        assert found is None
    else:
        assert threshold <= found <= max(threshold + 1, 1.04 * threshold)


def test_a_model_far_from_its_gates_needs_few_rows():
    verdict = judge(from_counts(46, 4, 4, 46))
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert 20 <= verdict.rows_needed <= 5_000
    assert (
        f"{verdict.rows_needed:,} more labelled test rows, of which about {verdict.rows_needed // 2:,} pos,"
        in verdict.rows_needed_note
    )
    assert verdict.rows_needed_note in verdict.summary


def test_close_to_the_gate_no_number_is_given():
    verdict = judge(from_counts(170, 30, 30, 170))  # accuracy 0.85, its gate
    assert verdict.rows_needed is None
    assert "too close to the gate" in verdict.rows_needed_note


def test_looking_again_costs_rows():
    model = from_counts(46, 4, 4, 46)
    assert judge(model, look=3).rows_needed > judge(model, look=1).rows_needed


def test_the_number_keeps_its_promise():
    """200 truths drawn from what 100 rows allow: given the rows asked for, about nine in ten are decided."""
    policy = replace(load_policy(), better_than=())
    more, generator = judge(from_counts(46, 4, 4, 46), policy=policy).rows_needed, np.random.default_rng(5)
    num_decided = 0
    for _ in range(200):
        recall, specificity = generator.beta(46.5, 4.5, size=2)
        hits, rejections = generator.binomial(more // 2, [recall, specificity])
        pooled = from_counts(46 + hits, 4 + more // 2 - rejections, 4 + more // 2 - hits, 46 + rejections)
        evaluation = evaluate_sources([pooled], Terms(positive="pos", look=2, confidence=1 - 0.05 / 4), main="finetuned")
        verdict = decide(evaluation, clean_findings(policy), policy, Terms(positive="pos", look=2))
        num_decided += verdict.outcome is not Outcome.NOT_ENOUGH_EVIDENCE
    assert 170 <= num_decided <= 196


def test_classes_of_three_rows_are_not_thought_worse_than_they_look():
    """Forty classes, nine answers in ten right: by rules 3 each class had a miss of its own, and few rows seemed to decide."""
    classes = tuple(f"class-{n:02d}" for n in range(40))
    missed = set(range(0, 36, 3))
    answers = [
        (label, classes[n + 1] if n in missed and row == 0 else label) for n, label in enumerate(classes) for row in range(3)
    ]
    counts = evaluate_sources([from_pairs(answers, classes)], main="finetuned").confusions[0]
    questions = {rules: Question(counts, load_policy().gates, (), None, 0.975, rules=rules) for rules in (3, 4)}
    needed = {rules: find_rows_needed(question, load_policy()).rows for rules, question in questions.items()}
    assert needed[3] < 400 < 1_500 < needed[4]


def test_many_classes_take_seconds():
    classes = tuple(f"class-{n:02d}" for n in range(40))
    pairs = [(label, label if n % 8 else classes[n % 40]) for label in classes for n in range(25)]
    model = from_pairs(pairs, classes)
    evaluation = evaluate_sources([model, constant(model, classes[0]), noisy(model, 0.4)], main="finetuned")
    start = time.process_time()
    decide(evaluation, clean_findings(), load_policy())
    assert time.process_time() - start < 5
