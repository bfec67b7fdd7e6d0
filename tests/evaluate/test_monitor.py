"""The figure that chooses the best epoch, against scikit-learn, and where there is none."""

import numpy as np
import pytest
from sklearn import metrics

from pretune.configs import MONITORS
from pretune.errors import UsageError
from pretune.evaluate.monitor import OF_POSITIVE, check_monitor, monitored

CLASSES = ("ham", "eggs", "spam")
REFERENCES = {
    "macro_f1": lambda truth, found: metrics.f1_score(truth, found, average="macro"),
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "mcc": metrics.matthews_corrcoef,
    "precision": lambda truth, found: metrics.precision_score(truth == 2, found == 2, zero_division=0),
    "recall": lambda truth, found: metrics.recall_score(truth == 2, found == 2),
    "f1": lambda truth, found: metrics.f1_score(truth == 2, found == 2),
}


def test_every_monitor_is_either_computed_here_or_known_without():
    assert {*REFERENCES, "goal", "last", "loss", "accuracy"} == set(MONITORS)


@pytest.mark.parametrize("metric", REFERENCES)
@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_scikit_learn(metric, seed):
    draws = np.random.default_rng(seed)
    truth = draws.integers(0, 3, 50)
    found = np.where(draws.random(50) < 0.6, truth, draws.integers(0, 3, 50))
    value = monitored(metric, truth, found, num_classes=3, positive=2)
    assert value == pytest.approx(REFERENCES[metric](truth, found))
    assert 0 < value <= 1


@pytest.mark.parametrize("metric", REFERENCES)
def test_answers_that_are_all_alike_give_a_number(metric):
    """A model that begins by calling everything ham must not end the training."""
    assert np.isfinite(monitored(metric, np.array([0, 1, 2]), np.zeros(3, int), num_classes=3, positive=2))


def test_averages_leave_out_classes_without_rows():
    assert monitored("balanced_accuracy", np.array([0, 1]), np.array([0, 2]), num_classes=3) == 0.5


@pytest.mark.parametrize("metric", OF_POSITIVE)
def test_a_metric_of_the_positive_class_needs_one(metric):
    with pytest.raises(UsageError, match=f"metric is {metric}, and there is no positive class"):
        check_monitor(metric, np.array([0, 1, 2]), CLASSES, None)
    with pytest.raises(UsageError, match=f"{metric} of 'spam', and no validation row"):
        check_monitor(metric, np.array([0, 1, 1]), CLASSES, "spam")
    check_monitor(metric, np.array([0, 1, 2]), CLASSES, "spam")


def test_correlation_needs_two_classes_in_validation():
    with pytest.raises(UsageError, match="mcc, and all 2 validation rows are 'eggs'"):
        check_monitor("mcc", np.array([1, 1]), CLASSES, None)
    check_monitor("accuracy", np.array([1, 1]), CLASSES, None)
