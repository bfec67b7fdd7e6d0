"""Planted in the history: a model that learns its rows by heart, and one that was stopped too early or never learned."""

from dataclasses import replace

import pytest

from judging import from_pairs, history_of, validation
from pretune.diagnose.overfitting import check_overfitting
from pretune.diagnose.undertraining import check_undertraining
from pretune.records import Severity


@pytest.mark.parametrize(("training", "severity"), [(0.96, Severity.OK), (0.98, Severity.WARNING)])
def test_a_gap_above_ten_points_is_overfitting(clean_evidence, training, severity):
    history = history_of(validation(1, 0.6, 0.5), validation(2, 0.1, 0.45, training=training, accuracy=0.87))
    finding = check_overfitting(replace(clean_evidence, history=history))
    assert finding.severity is severity
    assert finding.measured == pytest.approx(training - 0.87)
    assert ("--dropout" in finding.fix) is (severity is Severity.WARNING)


def test_the_gap_is_that_of_the_kept_epoch(clean_evidence):
    """Epoch 3 has learned by heart, but epoch 1 was kept."""
    epochs = (validation(1, 0.5, 0.40), validation(2, 0.3, 0.45, training=0.97), validation(3, 0.1, 0.6, training=0.99))
    finding = check_overfitting(replace(clean_evidence, history=history_of(*epochs)))
    assert finding.severity is Severity.NOTE
    assert finding.measured == pytest.approx(0.03)
    assert "after epoch 1, which was kept; validation loss says: overfitting since epoch 2" in finding.summary


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
    finding = check_undertraining(replace(clean_evidence, history=history_of(*epochs)))
    assert finding.severity is Severity.WARNING
    assert "did not learn" in finding.summary
