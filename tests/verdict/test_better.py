"""A source of the run that is better than the judged one is named first, with the command that uses it."""

from dataclasses import replace

import pytest
from judging import clean_findings, constant, from_counts, noisy

from pretune.evaluate import evaluate_sources
from pretune.records import Outcome, Terms
from pretune.verdict import decide, load_policy
from pretune.verdict.better import find_better
from pretune.verdict.weigh import say_source

WEAK = from_counts(60, 40, 40, 60)


def verdict_of(model, *others, rules=3, main="finetuned"):
    evaluation = evaluate_sources([model, constant(model), *others], Terms(positive=None), main=main)
    return decide(evaluation, clean_findings(), replace(load_policy(), rules=rules))


def test_an_encoder_that_is_proven_better_is_the_first_thing_that_is_said():
    verdict = verdict_of(WEAK, noisy(WEAK, 0.55), noisy(WEAK, 0.97, source="encoder_linear", seed=1))
    assert (verdict.outcome, verdict.better_source) == (Outcome.DO_NOT_SHIP, "encoder_linear")
    assert verdict.summary.startswith(
        "Do not ship: the encoder-linear baseline, which is in the run, did better on the same 200 rows:"
    )
    assert "`pretune predict RUN/encoder_linear`" in verdict.summary
    assert "--choose best" in verdict.summary


def test_the_better_of_two_better_sources_is_named():
    verdict = verdict_of(WEAK, noisy(WEAK, 0.98, seed=3), noisy(WEAK, 0.85, source="encoder_linear", seed=1))
    assert verdict.better_source == "linear"
    assert "`pretune predict RUN/linear`" in verdict.summary


def test_a_source_ahead_by_ten_points_on_few_rows_is_named_with_its_doubt():
    model = from_counts(6, 4, 4, 6)
    best = replace(from_counts(8, 2, 2, 8), source="encoder_linear")
    # the same rows, answered by chance better
    best = replace(best, ids=model.ids, labels=model.labels, predicted=tuple(
        label if at % 5 else ("pos" if label == "neg" else "neg") for at, label in enumerate(model.labels)))  # fmt: skip
    verdict = verdict_of(model, noisy(model, 0.5), best)
    assert verdict.better_source == "encoder_linear"
    assert "these few rows do not prove it" in verdict.summary


@pytest.mark.parametrize("accuracy", [0.50, 0.60])
def test_a_source_that_is_no_better_is_not_named(accuracy):
    verdict = verdict_of(WEAK, noisy(WEAK, accuracy), noisy(WEAK, accuracy, source="encoder_linear", seed=1))
    assert verdict.better_source is None
    assert "in the run, did better" not in verdict.summary


def test_a_model_that_ships_says_so_and_what_is_better():
    good = from_counts(900, 100, 100, 900)
    verdict = verdict_of(good, noisy(good, 0.7), noisy(good, 0.99, source="encoder_linear", seed=1))
    assert verdict.outcome is Outcome.SHIP
    assert verdict.summary.startswith("Ship, but the encoder-linear baseline, which is in the run, did better")
    assert "The judged model: on 2,000 test rows" in verdict.summary


def test_rules_before_name_no_better_source_so_that_old_runs_recompute():
    verdict = verdict_of(WEAK, noisy(WEAK, 0.55), noisy(WEAK, 0.97, source="encoder_linear", seed=1), rules=2)
    assert verdict.better_source is None
    assert "in the run, did better" not in verdict.summary


def test_an_audit_keeps_no_model_to_point_at():
    model = replace(WEAK, source="audited")
    evaluation = evaluate_sources([model, constant(model), noisy(model, 0.97)], main="audited")
    assert find_better(evaluation, load_policy("audit"), None) is None


def test_a_chosen_source_is_named_in_its_verdict():
    good = replace(from_counts(930, 70, 70, 930), source="encoder_linear")
    verdict = verdict_of(good, noisy(good, 0.7), noisy(good, 0.6, source="finetuned", seed=2), main="encoder_linear")
    assert verdict.summary.startswith("Ship: the encoder-linear baseline, which validation chose; on 2,000 test rows")


@pytest.mark.parametrize(("rules", "words"), [(2, "the untuned encoder"), (3, "the encoder-linear baseline")])
def test_a_baseline_keeps_the_word_that_verdicts_by_earlier_rules_have(rules, words):
    assert say_source("encoder_linear", rules) == words
