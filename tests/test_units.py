"""What rows of units are worth: known answers, and coverage of the intervals that follow."""

import numpy as np
import pytest

from pretune.intervals import intraclass_correlation, proportion_interval, skewed_mean_interval, unit_means, widening, worth_of


def draw(sizes, share, alike, generator):
    """Draw right answers of units whose rates follow a beta distribution."""
    total = (1 - alike) / alike
    rates = generator.beta(share * total, (1 - share) * total, len(sizes))
    units = np.repeat(np.arange(len(sizes)), sizes)
    return generator.random(len(units)) < rates[units], units


def misses(sizes, share, alike, *, sets=600):
    """Return how often the interval of the share lies above the truth, and below it; ``None`` counts as neither."""
    generator, above, below = np.random.default_rng(3), 0, 0
    for _ in range(sets):
        hits, units = draw(sizes, share, alike, generator)
        worth = worth_of(hits, units, 0.95)
        if worth.is_known:
            low, high = proportion_interval(hits.sum() * worth.share, len(hits) * worth.share)
            above, below = above + (low > share), below + (high < share)
    return above / sets, below / sets


def test_rows_that_stand_alone_are_worth_themselves():
    worth = worth_of(np.array([True, False, True]), np.array([4, 7, 9]), 0.95)
    assert (worth.share, worth.effect, worth.num_units, worth.is_known) == (1.0, 1.0, 3, True)


def test_ten_copies_of_every_text_are_worth_a_tenth():
    hits = np.repeat(np.arange(40) % 4 > 0, 10)
    worth = worth_of(hits, np.repeat(np.arange(40), 10), 0.95)
    assert worth.effect == pytest.approx(10)
    assert worth.share == 1 / worth.effect


def test_pairs_that_differ_within_and_not_between_lose_nothing_but_for_their_number():
    worth = worth_of(np.tile([True, False], 50), np.repeat(np.arange(50), 2), 0.95)
    assert 1.0 < worth.effect < 1.05
    assert worth.share == 1 / worth.effect
    earlier = worth_of(np.tile([True, False], 50), np.repeat(np.arange(50), 2), 0.95, by_moments=True)
    assert earlier.effect == 1.0
    assert 0.95 < earlier.share < 1.0


@pytest.mark.parametrize("sizes", [[40] * 9, [400] + [5] * 40])
def test_few_units_or_one_that_outweighs_the_others_have_no_interval(sizes):
    hits, units = draw(sizes, 0.85, 0.1, np.random.default_rng(0))
    assert not worth_of(hits, units, 0.95).is_known


def test_few_texts_with_copies_count_as_one_row_each():
    worth = worth_of(np.array([True, True, False, True, True]), np.array([0, 0, 1, 2, 3]), 0.95)
    assert worth.is_known
    assert worth.share * 5 == pytest.approx(25 / 7)  # (2 + 1 + 1 + 1)² / (4 + 1 + 1 + 1)


@pytest.mark.parametrize(
    ("sizes", "alike", "share"),
    [
        ([30] * 10, 0.1, 0.85),
        ([30] * 12, 0.3, 0.85),
        ([15] * 20, 0.3, 0.85),
        ([100, 60, 30] + [8] * 60, 0.1, 0.85),
        ([20] * 10 + [1] * 50, 0.9, 0.85),
        ([30] * 10, 0.3, 0.95),
        ([20] * 15, 0.3, 0.95),
        ([30] * 20, 0.1, 0.95),
    ],
)
def test_intervals_over_units_cover(sizes, alike, share):
    """600 sets have a standard error of 0.7 points at 3 %; by moments 4 to 13 % of the last three lay above."""
    above, below = misses(sizes, share, alike)
    assert above + below < 0.065
    assert above < 0.045


def test_without_the_agreement_within_units_a_few_large_ones_would_be_trusted_too_far():
    """The units' sums alone: 10 texts of 20 copies beside 50 single ones miss a fifth of the time."""
    sizes, generator, above = [20] * 10 + [1] * 50, np.random.default_rng(3), 0
    for _ in range(300):
        hits, units = draw(sizes, 0.85, 0.99, generator)
        sums, counts, share = np.bincount(units, hits), np.bincount(units), hits.mean()
        between = 60 / 59 * ((sums - share * counts) ** 2).sum()
        worth = min(1.0, share * (1 - share) * len(hits) / max(between, 1e-12))
        above += proportion_interval(hits.sum() * worth, len(hits) * worth)[0] > 0.85
    assert above / 300 > 0.10
    assert misses(sizes, 0.85, 0.99, sets=300)[0] < 0.05


@pytest.mark.parametrize(("values", "alike"), [([1, 1, 0, 0], 1.0), ([1, 0, 1, 0], 0.0), ([0, 0, 0, 0], 0.0)])
def test_intraclass_correlation_of_two_pairs(values, alike):
    assert intraclass_correlation(np.array(values, float), np.array([0, 0, 1, 1])) == alike


def test_means_of_units_keep_the_mean_and_are_widened_where_sums_say_too_little():
    units, values = np.array([0] * 20 + list(range(1, 41))), np.r_[np.ones(20), np.tile([0.0, 1.0], 20)]
    assert unit_means(values, units).mean() == pytest.approx(values.mean())
    assert widening(values, units) >= 1.0
    plain, wide = (skewed_mean_interval(unit_means(values, units, widened=flag), 0.95) for flag in (False, True))
    assert wide[1] - wide[0] >= plain[1] - plain[0]
