"""Calibration: measured without what chance adds, and mended where it is poor."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scored import from_chances

from pretune.evaluate.temperature import calibrate, calibration_error, fit_temperature, log_loss


def drawn(num_rows, *, temperature=1.0, seed=0):
    """Return predictions that are calibrated once their log odds are divided by ``temperature``."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(0, 2.5, num_rows)
    is_positive = generator.random(num_rows) < 1 / (1 + np.exp(-odds))
    return from_chances(1 / (1 + np.exp(-odds * temperature)), is_positive)


def test_overconfidence_is_found_and_its_temperature_too():
    found = calibrate(drawn(1000, temperature=2.0))
    assert found.is_scaled
    assert found.temperature == pytest.approx(2.0, rel=0.15)
    assert found.error > 0.07
    assert found.error_after < 0.05
    assert found.loss_after < found.loss


def test_underconfidence_is_found_as_well():
    found = calibrate(drawn(1000, temperature=0.4))
    assert found.is_scaled
    assert found.temperature == pytest.approx(0.4, rel=0.15)


def test_calibrated_probabilities_are_left_alone_in_nearly_every_sample():
    assert sum(calibrate(drawn(300, seed=seed)).is_scaled for seed in range(60)) <= 4
    assert sum(calibrate(drawn(1000, seed=seed)).is_scaled for seed in range(60)) == 0


def test_the_temperature_is_the_one_with_the_least_loss():
    generator = np.random.default_rng(3)
    logits, labels = generator.normal(0, 3, (400, 4)), generator.integers(0, 4, 400)
    best = minimize_scalar(lambda t: log_loss(logits / np.exp(t), labels), bounds=(np.log(0.05), np.log(20)), method="bounded")
    assert log_loss(logits / fit_temperature(logits, labels), labels) == pytest.approx(best.fun, abs=1e-6)


def test_with_few_mistakes_nothing_is_scaled_however_far_off_the_confidence_is():
    found = calibrate(from_chances(np.full(200, 0.6), np.ones(200, bool)))
    assert found.error == pytest.approx(0.4)
    assert not found.is_scaled
    assert "0 mistakes in 200 rows are too few" in found.why


def test_it_can_be_switched_off_and_says_what_it_saw():
    found = calibrate(drawn(1000, temperature=2.0), is_wanted=False)
    assert not found.is_scaled
    assert "switched off" in found.why


def test_a_constant_error_is_measured_exactly_but_for_chance():
    confidence, is_right = np.full(1000, 0.9), np.arange(1000) % 10 < 7
    assert calibration_error(confidence, is_right) == pytest.approx(0.2, abs=0.01)


def test_the_order_of_rows_of_one_confidence_does_not_matter():
    confidence, is_right = np.repeat([0.7, 0.9], 500), np.arange(1000) % 500 < 400
    order = np.random.default_rng(0).permutation(1000)
    assert calibration_error(confidence, is_right) == calibration_error(confidence[order], is_right[order])
    assert calibration_error(confidence, is_right) == pytest.approx(0.1, abs=0.01)


def test_probabilities_of_zero_and_one_do_no_harm():
    given = from_chances(np.repeat([0.0, 1.0], 100), np.tile([True, False, False, False], 50))
    found = calibrate(given)
    assert np.isfinite([found.error, found.loss, found.temperature]).all()
    assert calibrate(replace(given, predicted=given.labels)) == found, "it reads labels and probabilities only"
