"""Planted in the predictions: false confidence, seeds that differ, and adaptation that did not help or forgot."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from generated import make_examples, make_predictions

from pretune.diagnose.adaptation import check_forgetting, check_one_sided, check_yardstick
from pretune.diagnose.calibration import check_calibration, measure_calibration
from pretune.diagnose.stability import check_stability
from pretune.records import Evidence, Severity

ROWS = make_examples("test", 1000, 0)
OTHER = {"neg": "pos", "pos": "neg"}


def sharpen(predictions, power):
    """Return probabilities raised to a power: above 1 the model claims more than it knows, below 1 less."""
    shares = np.array(predictions.probabilities) ** power
    shares /= shares.sum(axis=1, keepdims=True)
    return replace(predictions, probabilities=tuple(map(tuple, shares.tolist())))


@pytest.mark.parametrize(("power", "words"), [(3.0, "surer than right"), (0.3, "less sure than right")])
@pytest.mark.parametrize("seed", range(3))
def test_false_confidence_is_found(power, words, seed):
    tested = sharpen(make_predictions(ROWS, 0.80, seed=seed), power)
    finding = check_calibration(Evidence(predictions=(tested,)))
    assert finding.severity is Severity.WARNING
    assert words in finding.summary


def test_calibrated_twins_raise_no_alarm():
    twins = [make_predictions(ROWS[:250], 0.6 + 0.3 * seed / 60, seed=seed) for seed in range(60)]
    alarms = sum(check_calibration(Evidence(predictions=(tested,))).severity is not Severity.OK for tested in twins)
    assert alarms <= 2


def test_calibration_holds_one_draw_at_a_time():
    tested = make_predictions(make_examples("test", 20_000, 0), 0.8)
    tracemalloc.start()
    measure_calibration(tested)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000  # all 500 draws take 80 MB


def test_calibration_needs_probabilities_and_rows():
    tested = make_predictions(ROWS, 0.8)
    assert check_calibration(Evidence(predictions=(replace(tested, probabilities=None),))).severity is Severity.NOT_APPLICABLE
    assert check_calibration(Evidence(predictions=(make_predictions(ROWS[:100], 0.8),))).severity is Severity.NOT_APPLICABLE


def seeds(*accuracies, first=0):
    """Return one model a seed; they agree on half of the rows."""
    return tuple(make_predictions(ROWS, accuracy, source=f"seed-{n}", seed=first + n) for n, accuracy in enumerate(accuracies))


def test_a_seed_that_fails_is_found():
    finding = check_stability(Evidence(predictions=seeds(0.90, 0.89, 0.75)))
    assert finding.severity is Severity.WARNING
    assert "(seed-2)" in finding.summary


def test_equal_seeds_raise_no_alarm():
    twins = [Evidence(predictions=seeds(0.85, 0.85, 0.85, first=10 * number)) for number in range(60)]
    assert sum(check_stability(evidence).severity is not Severity.OK for evidence in twins) <= 2


def test_one_seed_says_nothing_of_stability():
    assert check_stability(Evidence(predictions=seeds(0.9))).severity is Severity.NOT_APPLICABLE


def test_a_loss_that_improved_alone_is_the_wrong_yardstick(clean_evidence, clean_evaluation):
    before = replace(clean_evidence.find("test", "finetuned"), source="before")
    finding = check_yardstick(
        replace(clean_evidence, predictions=(clean_evidence.find("test", "finetuned"), before)), clean_evaluation
    )
    assert finding.severity is Severity.WARNING
    assert "-16.7%" in finding.summary


def test_recall_bought_with_precision_is_one_sided(clean_evidence, clean_evaluation):
    """Before: 100 of 150 found and 10 false alarms; after: 140 found and 70 false alarms."""
    labels = ("pos",) * 150 + ("neg",) * 150
    tested = replace(clean_evidence.find("test", "finetuned"), labels=labels, probabilities=None)
    before = replace(tested, source="before", predicted=("pos",) * 100 + ("neg",) * 50 + ("pos",) * 10 + ("neg",) * 140)
    after = replace(tested, predicted=("pos",) * 140 + ("neg",) * 10 + ("pos",) * 70 + ("neg",) * 80)
    finding = check_one_sided(replace(clean_evidence, predictions=(before, after)), clean_evaluation)
    assert finding.severity is Severity.WARNING
    assert "recall was bought with precision" in finding.summary


def test_equal_models_are_rarely_called_one_sided(clean_evaluation):
    alarms = 0
    for seed in range(100):
        pair = (make_predictions(ROWS, 0.85, seed=seed), make_predictions(ROWS, 0.85, source="before", seed=1000 + seed))
        alarms += check_one_sided(Evidence(positive="pos", predictions=pair), clean_evaluation).severity is not Severity.OK
    assert alarms <= 5


@pytest.mark.parametrize(("after", "severity"), [(1.04, Severity.OK), (1.06, Severity.WARNING)])
def test_a_loss_on_general_text_that_rose_is_forgetting(clean_evidence, after, severity):
    language = tuple(
        replace(item, value=after) if (item.split, item.source) == ("general", "pretrained") else item
        for item in clean_evidence.language
    )
    assert check_forgetting(replace(clean_evidence, language=language)).severity is severity


@pytest.mark.parametrize(("lost", "severity"), [(0, Severity.OK), (15, Severity.OK), (100, Severity.WARNING)])
def test_a_general_task_that_fell_is_forgetting(lost, severity):
    rows = make_examples("general", 1000, 0)
    before = replace(make_predictions(rows, 0.9, source="before"), predicted=tuple(row.label for row in rows))
    said = tuple(OTHER[row.label] if n < lost else row.label for n, row in enumerate(rows))
    after = replace(before, source="pretrained", predicted=said)
    assert check_forgetting(Evidence(predictions=(before, after))).severity is severity


def test_without_pre_training_none_of_these_questions_arises(clean_evidence):
    bare = replace(clean_evidence, predictions=(), language=())
    for check in (check_yardstick, check_one_sided, check_forgetting):
        assert check(bare, None).severity is Severity.NOT_APPLICABLE
