"""Shares looked at again and again: the interval holds at every look, and what has not fallen rarely raises an alarm."""

import math

import numpy as np
import pytest

from pretune.intervals import find_fall, proportion_interval, sequential_interval

SERIES, LOOKS = 400, 100


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_interval_covers_the_share_at_every_look_at_once(share):
    hits = (np.random.default_rng(0).random((SERIES, LOOKS * 5)) < share).cumsum(axis=1)
    missed = 0
    for series in hits:
        ends = [sequential_interval(int(series[number - 1]), number, 0.05) for number in range(5, LOOKS * 5 + 1, 25)]
        missed += any(not low <= share <= high for low, high in ends)
    assert missed <= 0.05 * SERIES


def test_an_interval_of_a_fixed_sample_does_not():
    hits = (np.random.default_rng(0).random((SERIES, LOOKS * 5)) < 0.5).cumsum(axis=1)
    looks = range(5, LOOKS * 5 + 1, 25)
    missed = sum(any(not low <= 0.5 <= high for low, high in (proportion_interval(s[n - 1], n) for n in looks)) for s in hits)
    assert missed > 0.15 * SERIES


@pytest.mark.parametrize(("hits", "total"), [(0, 0), (0, 7), (7, 7), (3, 7), (9_000, 10_000)])
def test_the_interval_is_within_bounds_and_holds_what_was_seen(hits, total):
    low, high = sequential_interval(hits, total, 0.01)
    assert 0 <= low < high <= 1
    assert total == 0 or low <= hits / total <= high


def test_more_rows_make_the_interval_narrower_and_a_smaller_error_wider():
    def width(hits, total, error):
        low, high = sequential_interval(hits, total, error)
        return high - low

    assert width(900, 1000, 0.05) < width(90, 100, 0.05) < width(90, 100, 0.001)


def test_a_share_at_its_least_rarely_raises_an_alarm():
    """At an error of 10 % in 100 looks, since 1 % would take more series than a test has time for."""
    looks = np.random.default_rng(1).binomial(20, 0.85, (SERIES, LOOKS))
    alarms = sum(find_fall([(int(hits), 20) for hits in series], 0.85, error=0.1).is_alarm for series in looks)
    assert alarms <= 0.1 * SERIES


def test_a_share_that_fell_is_found_and_when_it_fell():
    generator = np.random.default_rng(2)
    hits = [*generator.binomial(50, 0.92, 30), *generator.binomial(50, 0.75, 10)]
    found = find_fall([(int(number), 50) for number in hits], 0.85, error=0.001)
    assert found.is_alarm
    assert 28 <= found.since <= 33


def test_a_good_past_does_not_hide_a_fall():
    """The interval of all rows so far still holds the gate; the bets that began later do not."""
    looks = [(4_750, 5_000), *[(70, 100)] * 4]
    low, high = sequential_interval(4_750 + 280, 5_400, 0.001)
    assert low < 0.85 < high or low > 0.85
    assert find_fall(looks, 0.85, error=0.001).is_alarm


def test_looks_without_rows_change_nothing():
    looks = [(0, 0), (7, 10), (0, 0), (9, 10)]
    with_empty, without = find_fall(looks, 0.9, error=0.01), find_fall([(7, 10), (9, 10)], 0.9, error=0.01)
    assert math.isclose(with_empty.evidence, without.evidence)
    assert not find_fall([], 0.9, error=0.01).is_alarm


@pytest.mark.parametrize("least", [0.0005, 0.01, 1.0])
def test_any_least_share_can_be_claimed(least):
    assert not find_fall([(10, 10)] * 5, least, error=0.01).is_alarm
