"""Planted in the history: a model that learns its rows by heart, and one that was stopped too early or never learned."""

import random
from dataclasses import replace

import pytest
from judging import from_pairs, history_of, validation

from pretune.diagnose.memorized import check_memorized
from pretune.diagnose.overfitting import check_overfitting, check_rising_loss
from pretune.diagnose.undertraining import check_learning, check_undertraining
from pretune.records import History, Severity, Step


@pytest.mark.parametrize(
    ("training", "severity"),
    [(0.96, Severity.OK), (0.98, Severity.NOTE), (1.0, Severity.NOTE)],  # 300 rows leave ± 0.04
)
def test_a_gap_above_ten_points_is_noted_and_warns_only_where_it_is_sure(clean_evidence, training, severity):
    history = history_of(validation(1, 0.6, 0.5), validation(2, 0.1, 0.45, training=training, accuracy=0.87))
    evidence = replace(clean_evidence, history=history, predictions=())
    finding = check_overfitting(evidence)
    assert finding.severity is severity
    assert finding.measured == pytest.approx(training - 0.87, abs=1 / 300)
    assert ("--dropout" in finding.fix) is (severity is not Severity.OK)
    larger = replace(evidence, train=evidence.train * 20, validation=evidence.validation * 20)
    surely = check_overfitting(larger).severity  # 6,000 rows leave ± 0.01
    assert surely is (Severity.OK if severity is Severity.OK else Severity.WARNING)


def test_the_gap_is_that_of_the_kept_epoch(clean_evidence):
    """Epoch 3 has learned by heart, but epoch 1 was kept."""
    epochs = (validation(1, 0.5, 0.40), validation(2, 0.3, 0.60, training=0.97), validation(3, 0.1, 0.8, training=0.99))
    evidence = replace(clean_evidence, history=history_of(*epochs), predictions=())
    finding = check_overfitting(evidence)
    assert finding.severity is Severity.OK
    assert finding.measured == pytest.approx(0.03)
    assert "after epoch 1, which was kept" in finding.summary
    rising = check_rising_loss(evidence)
    assert rising.severity is Severity.NOTE
    assert "since epoch 2 validation loss rises (0.400 to 0.800) while training loss falls (0.500 to 0.100)" in rising.summary


def test_a_kept_epoch_after_the_rise_warns_and_says_what_to_set(clean_evidence):
    epochs = (validation(1, 0.5, 0.40), validation(2, 0.3, 0.60), validation(3, 0.1, 0.8))
    history = replace(history_of(*epochs), best_epoch=3)
    finding = check_rising_loss(replace(clean_evidence, history=history))
    assert (finding.severity, finding.measured) == (Severity.WARNING, pytest.approx(1.0))
    assert "--epochs 1" in finding.fix
    assert "--set finetune.label_smoothing=0.1" in finding.fix


def test_a_rise_that_chance_explains_is_none(clean_evidence):
    """300 rows, 0.6 nats a row: 0.07 is two standard errors."""
    history = replace(history_of(validation(1, 0.5, 0.40), validation(2, 0.3, 0.46)), best_epoch=2)
    assert check_rising_loss(replace(clean_evidence, history=history)).severity is Severity.OK


def test_a_loss_that_rises_with_training_is_not_overfitting(clean_evidence):
    history = history_of(validation(1, 0.5, 0.40), validation(2, 0.9, 0.80))
    assert check_rising_loss(replace(clean_evidence, history=history)).severity is Severity.OK


def test_rows_fitted_against_all_other_evidence_are_memorized(clean_evidence):
    """30 of 600 training rows: the model is sure of a label that models without these rows reject."""
    rows = clean_evidence.train
    other = {"neg": "pos", "pos": "neg"}

    def shares(label, share):
        return (share, 1 - share) if label == "neg" else (1 - share, share)

    own = clean_evidence.find("train", "finetuned")
    own = replace(own, predicted=own.labels, probabilities=tuple(shares(row.label, 0.97) for row in rows))
    unseen = clean_evidence.find("train", "out_of_fold")
    rejected = tuple(shares(other[row.label], 0.95) if n % 20 == 0 else shares(row.label, 0.80) for n, row in enumerate(rows))
    unseen = replace(unseen, probabilities=rejected)
    rest = tuple(item for item in clean_evidence.predictions if item.split != "train")
    finding = check_memorized(replace(clean_evidence, predictions=(*rest, own, unseen)))
    assert finding.severity is Severity.WARNING
    assert finding.examples == ("train-0", "train-20", "train-40", "train-60", "train-80")
    alone = check_memorized(replace(clean_evidence, predictions=(own, unseen)))
    assert alone.severity is Severity.UNKNOWN


def test_without_out_of_fold_predictions_nothing_is_said_of_memory(clean_evidence):
    rest = tuple(item for item in clean_evidence.predictions if item.source != "out_of_fold")
    assert check_memorized(replace(clean_evidence, predictions=rest)).severity is Severity.NOT_APPLICABLE


def test_predictions_on_both_splits_come_before_the_history(clean_evidence):
    known = replace(from_pairs([("pos", "pos")] * 99 + [("pos", "neg")]), split="train")
    unseen = replace(from_pairs([("pos", "pos")] * 80 + [("pos", "neg")] * 20), split="validation")
    finding = check_overfitting(replace(clean_evidence, predictions=(known, unseen)))
    assert finding.severity is Severity.WARNING
    assert finding.measured == pytest.approx(0.19)
    assert "95 % interval" in finding.summary


def test_one_epoch_is_noted(clean_evidence):
    assert check_undertraining(replace(clean_evidence, history=history_of(validation(1, 0.6, 0.5)))).severity is Severity.NOTE


def test_a_loss_still_falling_at_the_end_warns(clean_evidence):
    epochs = (validation(1, 0.69, 0.60), validation(2, 0.6, 0.50), validation(3, 0.5, 0.42))
    finding = check_undertraining(replace(clean_evidence, history=history_of(*epochs)))
    assert (finding.severity, finding.fix) == (Severity.WARNING, "--epochs 6")


def test_a_model_that_never_learned_is_told(clean_evidence):
    epochs = tuple(validation(n, 0.693, 0.693, training=0.5, accuracy=0.5) for n in (1, 2, 3))
    epochs = (*epochs, validation(4, 0.693, 0.692, training=0.5, accuracy=0.5))
    finding = check_learning(replace(clean_evidence, history=history_of(*epochs)))
    assert finding.severity is Severity.WARNING
    assert "did not learn" in finding.summary


def step(index, loss, norm=1.0, rate=1e-5):
    return Step(index=index, loss=loss, num_targets=32, gradient_norm=norm, learning_rate=rate)


def test_steps_whose_loss_stays_where_it_was_did_not_learn(clean_evidence):
    generator = random.Random(0)
    steps = tuple(step(n, 0.693 + generator.gauss(0, 0.02)) for n in range(100))
    finding = check_learning(replace(clean_evidence, history=History(steps=steps)))
    assert finding.severity is Severity.WARNING
    assert "--lr" in finding.fix


@pytest.mark.parametrize(("norm", "rate", "why"), [(0.0, 1e-5, "everything was frozen"), (1.0, 0.0, "learning rate was 0")])
def test_training_in_which_nothing_can_move_blocks(clean_evidence, norm, rate, why):
    steps = tuple(step(n, 0.7 - 0.001 * n, norm, rate) for n in range(30))
    finding = check_learning(replace(clean_evidence, history=History(steps=steps)))
    assert finding.severity is Severity.BLOCKING
    assert why in finding.summary


def test_figures_that_are_the_same_to_the_last_digit_block(clean_evidence):
    epochs = tuple(validation(n, 0.7 - n / 100, 0.6931, accuracy=0.5) for n in (1, 2))
    finding = check_learning(replace(clean_evidence, history=history_of(*epochs)))
    assert finding.severity is Severity.BLOCKING


def test_a_fall_that_few_validation_rows_explain_is_not_steep(clean_evidence):
    epochs = (validation(1, 0.69, 0.60), validation(2, 0.6, 0.50), validation(3, 0.5, 0.46))
    history = history_of(*epochs)
    assert check_undertraining(replace(clean_evidence, history=history)).severity is Severity.WARNING  # 300 rows: ± 0.035
    fewer = replace(clean_evidence, history=history, validation=clean_evidence.validation[:50])
    assert check_undertraining(fewer).severity is Severity.OK


def test_a_loss_that_rose_is_not_said_to_have_fallen_by_less_than_nothing(clean_evidence):
    """0.40 to 0.45 is a rise of 12.5 %."""
    evidence = replace(clean_evidence, history=history_of(validation(1, 0.5, 0.40), validation(2, 0.3, 0.45)))
    assert check_undertraining(evidence).summary == "in the last epoch the validation loss rose by 12.5%"


def test_a_training_loss_that_rose_is_said_to_rise(clean_evidence):
    steps = tuple(step(index, loss=0.5 + 0.01 * index) for index in range(40))
    finding = check_learning(replace(clean_evidence, history=replace(history_of(validation(1, 0.5, 0.4)), steps=steps)))
    assert "training loss rose by" in finding.summary
    assert "-" not in finding.summary


@pytest.mark.parametrize(
    ("kept", "words"), [(1, "epoch 1 was kept, where it was lowest"), (2, "epoch 2 was kept, where it had hardly risen")]
)
def test_where_the_kept_epoch_stands_beside_the_rise_is_said(clean_evidence, kept, words):
    epochs = (validation(1, 0.5, 0.40), validation(2, 0.3, 0.41), validation(3, 0.1, 0.8))
    history = replace(history_of(*epochs), best_epoch=kept)
    assert words in check_rising_loss(replace(clean_evidence, history=history)).summary


def test_a_rise_within_the_limit_is_named_beside_it(clean_evidence):
    history = replace(history_of(validation(1, 0.5, 0.40), validation(2, 0.3, 0.42)), best_epoch=2)
    assert "rose by 5.0% after it, which is within" in check_rising_loss(replace(clean_evidence, history=history)).summary
