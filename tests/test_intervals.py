"""Intervals: against scipy, never of zero width, and covering what they claim to."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pretune.intervals import (
    average_bounds,
    clopper_pearson_bounds,
    f1_bounds,
    proportion_bounds,
    proportion_interval,
    wilson_bounds,
)


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (3, 25), (10, 10), (90, 105), (500, 1000)])
@pytest.mark.parametrize("confidence", [0.95, 0.9875])
@pytest.mark.parametrize(("bounds", "method"), [(wilson_bounds, "wilson"), (clopper_pearson_bounds, "exact")])
def test_both_intervals_are_those_of_scipy(bounds, method, hits, total, confidence):
    known = binomtest(hits, total).proportion_ci(confidence, method=method)
    assert [float(end) for end in bounds(hits, total, confidence)] == pytest.approx([known.low, known.high], abs=1e-9)


@pytest.mark.parametrize(("hits", "method"), [(20, "exact"), (21, "wilson"), (79, "wilson"), (80, "exact")])
def test_the_exact_interval_is_taken_up_to_twenty_hits_or_misses(hits, method):
    known = binomtest(hits, 100).proportion_ci(0.95, method=method)
    assert proportion_interval(hits, 100) == pytest.approx((known.low, known.high), abs=1e-9)


@pytest.mark.parametrize("total", [1, 5, 40, 1000])
@pytest.mark.parametrize("all_right", [True, False])
def test_no_interval_has_zero_width(total, all_right):
    hits = total if all_right else 0
    for low, high in (
        proportion_bounds(hits, total, 0.95),
        f1_bounds(hits, total, 0.95),
        average_bounds([hits] * 2, [total] * 2, 0.95),
    ):
        assert high > low


def test_nothing_is_known_from_no_rows():
    assert proportion_interval(0, 0) == (0.0, 1.0)


def test_a_smaller_error_makes_the_interval_wider():
    low, high = proportion_interval(80, 100, 0.95)
    wider_low, wider_high = proportion_interval(80, 100, 0.9875)
    assert wider_low < low < high < wider_high


@pytest.mark.parametrize(("rows", "share", "recall", "specificity"), [(200, 0.5, 0.9, 0.85), (1000, 0.05, 0.85, 0.99)])
def test_intervals_of_averages_and_of_f1_cover_the_truth(rows, share, recall, specificity):
    """3,000 simulated test sets; 93 % leaves room for the simulation's own noise around 95 %."""
    shares = np.array([share * recall, share * (1 - recall), (1 - share) * (1 - specificity), (1 - share) * specificity])
    tables = np.random.default_rng(0).multinomial(rows, shares, size=3000).reshape(-1, 2, 2)
    truth = shares.reshape(2, 2)
    for axis in (2, 1):  # recall, then precision
        expected = (truth.diagonal() / truth.sum(axis=axis - 1)).mean()
        low, high = average_bounds(np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=axis), 0.95)
        assert ((low <= expected) & (expected <= high)).mean() > 0.93
    hits, involved = tables[:, 0, 0], tables[:, 0].sum(axis=1) + tables[:, 1, 0]
    low, high = f1_bounds(hits, involved, 0.95)
    expected = 2 * truth[0, 0] / (truth[0].sum() + truth[:, 0].sum())
    assert ((low <= expected) & (expected <= high)).mean() > 0.93
