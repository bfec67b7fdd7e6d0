"""How far rows of a unit agree, as far as few units can tell."""

import numpy as np
import pytest

from pretune.intervals import agreement_limit, intraclass_correlation


def drawn(num, size, share, alike, seed):
    total, generator = (1 - alike) / alike, np.random.default_rng(seed)
    return generator.binomial(size, generator.beta(share * total, (1 - share) * total, num)).astype(float)


@pytest.mark.parametrize(("num", "size", "share"), [(10, 30, 0.95), (20, 30, 0.85), (50, 10, 0.80)])
def test_the_true_agreement_is_below_the_limit_about_as_often_as_it_says(num, size, share):
    """0.85 is asked for; 200 draws have a standard error of 3 points, and few mistakes leave it to the prior."""
    below = [agreement_limit(drawn(num, size, share, 0.2, seed), np.full(num, float(size))) > 0.2 for seed in range(200)]
    assert 0.75 < np.mean(below) < 0.99


def test_with_many_units_the_limit_is_the_estimate_and_a_little_more():
    hits, units = drawn(2_000, 10, 0.9, 0.1, 0), np.repeat(np.arange(2_000), 10)
    values = (np.tile(np.arange(10), 2_000) < np.repeat(hits, 10)).astype(float)
    estimate = intraclass_correlation(values, units)
    assert estimate < agreement_limit(hits, np.full(2_000, 10.0)) < estimate + 0.01


def test_rows_that_do_not_agree_have_a_limit_near_nothing_where_there_are_many():
    hits = np.random.default_rng(0).binomial(50, 0.9, 2_000).astype(float)
    assert agreement_limit(hits, np.full(2_000, 50.0)) < 0.002


def test_units_of_one_row_say_nothing_of_agreement():
    """The prior is uniform, so the limit is its own."""
    assert agreement_limit(np.array([1.0, 0.0, 1.0, 1.0]), np.ones(4)) == pytest.approx(0.85, abs=0.001)


def test_hits_and_misses_are_alike():
    sizes = np.full(12, 20.0)
    hits = drawn(12, 20, 0.9, 0.3, 1)
    assert agreement_limit(hits, sizes) == pytest.approx(agreement_limit(sizes - hits, sizes))
