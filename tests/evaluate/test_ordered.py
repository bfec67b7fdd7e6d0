"""Ordered classes: how far off the answers are."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from pretune.evaluate.ordered import ordered_values, score_ordered
from pretune.records import Predictions, Terms

STARS = np.array(list("12345"))


def draw(count: int, noise: float, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = generator.choice(5, count, p=(0.1, 0.1, 0.2, 0.3, 0.3))
    return labels, np.clip(np.round(labels + generator.normal(0, noise, count)), 0, 4).astype(int)


def predictions_of(labels: np.ndarray, said: np.ndarray) -> Predictions:
    return Predictions(
        source="audited", split="test", classes=tuple(STARS), ids=tuple(map(str, range(len(labels)))),
        labels=tuple(STARS[labels]), predicted=tuple(STARS[said]),
    )  # fmt: skip


def test_both_figures_are_those_of_scikit_learn():
    labels, said = draw(500, 0.8, np.random.default_rng(0))
    error, kappa = score_ordered(predictions_of(labels, said))
    assert error.value == pytest.approx(mean_absolute_error(labels, said))
    assert kappa.value == pytest.approx(cohen_kappa_score(labels, said, weights="quadratic"))
    assert error.low < error.value < error.high
    assert kappa.low < kappa.value < kappa.high


def test_intervals_cover_the_truth():
    """95 % of 300, and three standard errors."""
    generator = np.random.default_rng(1)
    truth = score_ordered(predictions_of(*draw(400_000, 0.8, generator)))
    covered = np.zeros(2)
    for _ in range(300):
        found = score_ordered(predictions_of(*draw(200, 0.8, generator)))
        covered += [score.low <= true.value <= score.high for score, true in zip(found, truth, strict=True)]
    assert (covered >= 0.91 * 300).all()


def test_groups_widen_both():
    labels, said = draw(600, 0.8, np.random.default_rng(0))
    labels, said = np.repeat(labels[:100], 6), np.repeat(said[:100], 6)
    groups = {str(number): str(number // 6) for number in range(600)}
    alone, grouped = (score_ordered(predictions_of(labels, said), Terms(groups=kept)) for kept in ({}, groups))
    for one, other in zip(alone, grouped, strict=True):
        assert other.high - other.low > 2 * (one.high - one.low)


def test_without_mistakes_there_is_no_interval_and_the_reason_is_given():
    labels, _ = draw(200, 0.8, np.random.default_rng(0))
    error, kappa = score_ordered(predictions_of(labels, labels))
    assert (error.value, error.low, kappa.value, kappa.low) == (0, None, 1, None)
    assert "answered wrongly has 0 rows" in kappa.method


def test_names_and_two_numbers_have_no_order():
    assert ordered_values(("0", "1")) is None
    assert ordered_values(("low", "middle", "high")) is None
    assert ordered_values(("1", "2", "inf")) is None
