"""Every threshold at once gives what deciding row by row gives."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from pretune.evaluate.ladder import MAX_THRESHOLDS, between, build_ladder, count, count_largest
from pretune.intervals import wilson_bounds


def three_classes(num_rows, seed, *, digits=2):
    """Return probabilities with ties, labels, and the ladder of class 0."""
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet([0.6, 0.8, 1.0], size=num_rows).round(digits)
    labels = np.where(generator.random(num_rows) < 0.6, shares.argmax(axis=1), generator.integers(0, 3, num_rows))
    others = shares.copy()
    others[:, 0] = -1
    other = others.argmax(axis=1)
    return shares, labels, other, build_ladder(shares[:, 0], labels == 0, other == labels, shares.argmax(axis=1) == 0)


@pytest.mark.parametrize("seed", range(8))
def test_figures_of_every_threshold_are_those_of_scikit_learn(seed):
    shares, labels, other, ladder = three_classes(120, seed)
    counts = count(ladder.cells[None])
    for place, threshold in enumerate(ladder.thresholds):
        predicted = np.where(shares[:, 0] >= threshold, 0, other)
        found = {metric: counts.value(metric)[0, place] for metric in ("precision", "recall", "f1", "accuracy")}
        wanted = {
            "precision": precision_score(labels == 0, predicted == 0, zero_division=0),
            "recall": recall_score(labels == 0, predicted == 0),
            "f1": f1_score(labels == 0, predicted == 0),
            "accuracy": accuracy_score(labels, predicted),
        }
        assert found == pytest.approx(wanted)
        missed, alarms = (labels == 0) & (predicted != 0), (labels != 0) & (predicted == 0)
        assert counts.cost(7, 2)[0, place] == pytest.approx((7 * missed + 2 * alarms).mean())


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_class_is_counted_from_the_same_tables(seed):
    shares, labels, _, ladder = three_classes(150, seed)
    found, predicted = count_largest(ladder.cells[None]), shares.argmax(axis=1)
    assert found.value("accuracy")[0, 0] == pytest.approx(accuracy_score(labels, predicted))
    assert found.value("recall")[0, 0] == pytest.approx(recall_score(labels == 0, predicted == 0))
    assert found.value("precision")[0, 0] == pytest.approx(precision_score(labels == 0, predicted == 0))


def test_the_lower_end_is_that_of_wilson():
    _, _, _, ladder = three_classes(200, 0)
    counts = count(ladder.cells[None])
    assert counts.low("precision") == pytest.approx(wilson_bounds(counts.hits, counts.called, 0.95)[0])


def test_thresholds_fall_and_the_last_one_calls_every_row():
    _, _, _, ladder = three_classes(200, 1)
    assert (np.diff(ladder.thresholds) < 0).all()
    assert ladder.thresholds[-1] == 0.0
    assert count(ladder.cells[None]).called[0, -1] == 200


def test_with_very_many_probabilities_neighbours_are_taken_together_and_no_row_is_lost():
    chances = np.random.default_rng(0).random(3 * MAX_THRESHOLDS)
    is_positive = chances > 0.7
    ladder = build_ladder(chances, is_positive, ~is_positive, chances > 0.5)
    assert len(ladder.thresholds) == MAX_THRESHOLDS
    assert ladder.cells.sum() == len(chances)
    called = count(ladder.cells[None]).called[0]
    assert called.tolist() == [(chances >= threshold).sum() for threshold in ladder.thresholds]


@pytest.mark.parametrize(
    ("below", "above"), [(0.1, 0.1000000001), (0.0, 5e-300), (0.9999999999999998, 1.0), (0.3, 0.30000000000000004)]
)
def test_a_threshold_lies_above_the_one_and_not_above_the_other_however_near_they_are(below, above):
    assert below < between(below, above) <= above
