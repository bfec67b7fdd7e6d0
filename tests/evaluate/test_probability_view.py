"""What the report draws of probabilities, counted by hand and against scikit-learn."""

from dataclasses import replace

import pytest
from sklearn.metrics import roc_curve

from pretune.errors import UsageError
from pretune.evaluate.probability_view import view_probabilities
from pretune.records import Predictions


def make(rows, classes=("neg", "pos")):
    """Build predictions of (label, probability of the last class) pairs."""
    share = tuple((*[(1 - p) / (len(classes) - 1)] * (len(classes) - 1), p) for _, p in rows)
    answers = tuple(classes[max(range(len(classes)), key=one.__getitem__)] for one in share)
    return Predictions(
        source="finetuned", split="validation", classes=classes, ids=tuple(map(str, range(len(rows)))),
        labels=tuple(label for label, _ in rows), predicted=answers, probabilities=share,
    )  # fmt: skip


ROWS = [("pos", 0.9), ("neg", 0.8), ("pos", 0.7), ("neg", 0.2), ("neg", 0.1)] * 12


def test_the_curve_is_that_of_scikit_learn():
    view = view_probabilities(make(ROWS))
    false, found, _ = roc_curve([label == "pos" for label, _ in ROWS], [p for _, p in ROWS], drop_intermediate=False)
    ours = [((point.num_called - point.recall * 24) / 36, point.recall) for point in view.curve]
    assert ours == [pytest.approx(pair) for pair in list(zip(false, found, strict=True))[1:]]


def test_bins_hold_probability_against_frequency():
    view = view_probabilities(make([("pos", 0.9)] * 18 + [("neg", 0.9)] * 2 + [("neg", 0.1)] * 20))
    assert [(item.num_examples, item.came_true) for item in view.bins] == [(20, 0.0), (20, 0.9)]
    assert [item.claimed for item in view.bins] == pytest.approx([0.1, 0.9])
    assert all(item.low <= item.came_true <= item.high for item in view.bins)


def test_the_curve_is_of_the_class_that_is_asked_for():
    view = view_probabilities(make(ROWS), "neg")
    assert (view.label, view.claimed, view.num_positives) == ("neg", "pos", 36)


def test_many_classes_without_a_positive_one_have_bins_alone():
    view = view_probabilities(make([("c", 0.9), ("a", 0.5)] * 20, classes=("a", "b", "c")))
    assert (view.label, view.claimed, view.curve) == (None, None, ())
    assert sum(item.num_examples for item in view.bins) == 40


def test_without_probabilities_there_is_nothing_to_draw():
    assert view_probabilities(replace(make(ROWS), probabilities=None)) is None


def test_test_rows_are_refused():
    with pytest.raises(UsageError, match="test rows"):
        view_probabilities(replace(make(ROWS), split="test"))
