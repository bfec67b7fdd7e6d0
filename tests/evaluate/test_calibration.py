"""Brier score and calibration error: against scikit-learn, without bias, and intervals that cover."""

from functools import partial

import numpy as np
import pytest
from judging import CLASSES
from sklearn.metrics import brier_score_loss

from pretune.evaluate import score_predictions
from pretune.evaluate.calibration import calibration_interval, calibration_score
from pretune.evaluate.codes import rows_of
from pretune.records import Predictions, Score


def claimed(shares, came_true):
    """Predictions of "pos" with these probabilities."""
    return Predictions(
        source="finetuned", split="test", classes=CLASSES, ids=tuple(map(str, range(len(shares)))),
        labels=tuple(CLASSES[int(item)] for item in came_true), predicted=tuple(CLASSES[int(item > 0.5)] for item in shares),
        probabilities=tuple((1 - item, item) for item in shares.tolist()),
    )  # fmt: skip


def drawn(size, temperature, generator):
    """Probabilities that are right at temperature 1, too sure above."""
    logits = generator.normal(size=size) * 1.5
    return 1 / (1 + np.exp(-logits * temperature)), generator.random(size) < 1 / (1 + np.exp(-logits))


def calibration_of(predictions):
    """The calibration error alone, which is fast."""
    make = partial(Score, split="test", source="finetuned", confidence=0.95, look=1)
    return calibration_score(make, rows_of(predictions))


def find(scores, metric):
    return next(score for score in scores if score.metric == metric)


def test_the_brier_score_of_two_classes_is_that_of_scikit_learn():
    shares, came_true = drawn(300, 2.0, np.random.default_rng(0))
    score = find(score_predictions(claimed(shares, came_true)), "brier")
    assert score.value == pytest.approx(brier_score_loss(came_true, shares))
    assert score.low < score.value < score.high


def test_a_calibrated_model_has_no_error_on_average():
    """The plain estimate would be 0.08 here, by chance alone: 15 bins of 67 rows."""
    generator = np.random.default_rng(0)
    squares = [calibration_of(claimed(*drawn(1000, 1.0, generator))) for _ in range(60)]
    assert np.mean([score.value**2 for score in squares]) ** 0.5 < 0.03
    assert np.mean([score.low == 0 for score in squares]) > 0.9
    assert min(score.high for score in squares) > 0.02, "never of zero width"


def test_an_error_put_in_is_found():
    """Every probability 0.1 too high."""
    generator = np.random.default_rng(0)
    rates = generator.uniform(0.2, 0.8, size=5000)
    score = find(score_predictions(claimed(rates + 0.1, generator.random(5000) < rates)), "calibration_error")
    assert score.low < 0.1 < score.high
    assert score.low > 0.08


@pytest.mark.parametrize("temperature", [1.0, 1.5, 3.0])
def test_the_interval_of_the_calibration_error_covers_the_truth(temperature):
    generator = np.random.default_rng(1)
    truth = calibration_of(claimed(*drawn(100_000, temperature, generator))).value
    truth = 0.0 if temperature == 1 else truth
    found = [calibration_of(claimed(*drawn(400, temperature, generator))) for _ in range(300)]
    assert np.mean([score.low <= truth + 1e-9 and truth <= score.high for score in found]) > 0.91


def test_of_more_than_two_classes_the_answer_is_held_against_how_often_it_is_right():
    """All answers claim 0.9, and 60 of 100 are right."""
    classes = ("a", "b", "c")
    right = [True] * 60 + [False] * 40
    labels = tuple(classes[number % 3] for number in range(100))
    predicted = tuple(
        name if is_right else classes[(classes.index(name) + 1) % 3] for name, is_right in zip(labels, right, strict=True)
    )
    table = tuple(tuple(0.9 if name == said else 0.05 for name in classes) for said in predicted)
    made = Predictions(
        source="m", split="test", classes=classes, ids=tuple(map(str, range(100))), labels=labels, predicted=predicted,
        probabilities=table,
    )  # fmt: skip
    score = find(score_predictions(made), "calibration_error")
    assert score.value == pytest.approx((0.3**2 - 0.6 * 0.4 / 99) ** 0.5)
    assert "over 1 bins" in score.method, "equal probabilities stay in one bin"


def test_no_gap_at_all_leaves_room_above():
    low, high = calibration_interval(np.zeros(3), np.eye(3) * 0.01, np.full(3, 1 / 3), 0.95)
    assert low == 0 < high


def test_without_probabilities_there_is_none():
    made = claimed(np.full(50, 0.7), np.arange(50) % 2 == 0)
    for name in ("loss", "brier", "calibration_error", "roc_area", "pr_area"):
        found = find(score_predictions(Predictions(**{**_fields(made), "probabilities": None})), name)
        assert (found.value, found.method) == (None, "undefined: the predictions came without probabilities")


def _fields(made):
    return {name: getattr(made, name) for name in made.__slots__}
