"""Tests at levels of 1e-5: exact where few texts show a change, ranks elsewhere, and units that belong together."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, mannwhitneyu

from pretune.production.watch.compared import EXACT, RANKS, Counted, compare_shares, compare_values, count

ALONE = np.arange(100_000)


def alone(*sets):
    return tuple(ALONE[: len(item)] for item in sets)


@pytest.mark.parametrize(("before", "now"), [((10, 1000), (30, 1000)), ((0, 800), (20, 2000)), ((300, 600), (30, 50))])
def test_the_p_value_of_shares_is_fishers_twice_the_smaller_tail(before, now):
    found = compare_shares(Counted(*before), Counted(*now), 1e-5)
    table = [[now[0], now[1] - now[0]], [before[0], before[1] - before[0]]]
    tails = [float(fisher_exact(table, alternative=side).pvalue) for side in ("less", "greater")]
    assert found.p_value == pytest.approx(min(1, 2 * min(tails)), rel=1e-6)
    assert found.low < found.change < found.high


def test_the_p_value_of_ranks_is_that_of_scipy_with_ties():
    generator = np.random.default_rng(0)
    before, now = generator.poisson(8, 400).astype(float), generator.poisson(9, 300).astype(float)
    found = compare_values(before, now, alone(before, now), 1e-5)
    known = mannwhitneyu(now, before, alternative="two-sided", use_continuity=False, method="asymptotic")
    assert (found.p_value, found.method) == (pytest.approx(known.pvalue, rel=1e-6), RANKS)
    assert found.change == pytest.approx(known.statistic / (400 * 300) - 0.5)


def test_a_rare_value_is_compared_exactly():
    """A variance estimated from no hit at all would call 20 in 2,000 against 0 in 800 a matter of 4.5 deviations."""
    before, now = np.zeros(800), np.array([1.0] * 20 + [0.0] * 1980)
    found = compare_values(before, now, alone(before, now), 1e-5)
    assert found.method == EXACT
    assert found.p_value == pytest.approx(compare_shares(Counted(0, 800), Counted(20, 2000), 1e-5).p_value)


@pytest.mark.parametrize("kind", ["poisson", "rare", "normal"])
def test_equal_laws_give_small_p_values_as_rarely_as_they_say(kind):
    generator, small = np.random.default_rng(3), 0
    draw = {
        "poisson": lambda size: generator.poisson(3, size).astype(float),
        "rare": lambda size: (generator.random(size) < 0.01).astype(float),
        "normal": lambda size: generator.normal(size=size),
    }[kind]
    for _ in range(1_000):
        before, now = draw(900), draw(120)
        small += compare_values(before, now, alone(before, now), 1e-5).p_value <= 0.01
    assert small <= 22  # 10 expected; 22 is exceeded once in 3,000


def test_copies_say_less_than_as_many_texts():
    generator = np.random.default_rng(4)
    before, distinct = generator.normal(size=1_000), generator.normal(0.25, 1, 100)
    now, units = np.repeat(distinct, 20), np.repeat(np.arange(100), 20)
    by_unit = compare_values(before, now, (ALONE[:1_000], units), 1e-5)
    by_row = compare_values(before, now, alone(before, now), 1e-5)
    assert by_row.p_value < 1e-5 < by_unit.p_value
    assert by_unit.high - by_unit.low > by_row.high - by_row.low


def test_copies_rarely_raise_an_alarm_without_a_change():
    generator, small = np.random.default_rng(5), 0
    for _ in range(400):
        before, now = generator.normal(size=500), np.repeat(generator.normal(size=100), 10)
        found = compare_values(before, now, (ALONE[:500], np.repeat(np.arange(100), 10)), 1e-3)
        small += found.p_value <= 0.01
    assert small <= 12


def test_what_a_share_rests_on_counts_units():
    is_hit = np.repeat(np.random.default_rng(6).random(200) < 0.3, 5)
    assert count(is_hit, ALONE[:1_000]).total == 1_000
    assert count(is_hit, np.repeat(np.arange(200), 5)).total < 250


def test_too_few_units_tell_nothing():
    is_hit = np.random.default_rng(7).random(500) < 0.3
    assert count(is_hit, np.repeat(np.arange(5), 100)) is None
    rare = is_hit & (np.arange(500) % 40 == 0)
    assert compare_values(rare.astype(float), np.zeros(500), (np.repeat(np.arange(5), 100), ALONE[:500]), 1e-5) is None
