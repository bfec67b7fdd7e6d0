"""The bootstrap on counts."""

import numpy as np
import pytest

from pretune.evaluate import bootstrap
from pretune.evaluate.bootstrap import bca_interval, chunks_of
from pretune.intervals import wilson_bounds


def share_of_first(tables):
    return tables[:, 0] / tables.sum(axis=1)


def test_for_a_proportion_it_agrees_with_wilson():
    low, high = bca_interval([700, 300], share_of_first, confidence=0.95)
    assert (low, high) == pytest.approx([float(end) for end in wilson_bounds(700, 1000, 0.95)], abs=0.003)


def test_the_same_seed_gives_the_same_interval_however_it_is_chunked(monkeypatch):
    whole = bca_interval([70, 30], share_of_first, confidence=0.95)
    assert whole == bca_interval([70, 30], share_of_first, confidence=0.95)
    monkeypatch.setattr(bootstrap, "MAX_COUNTS", 501)
    assert whole == bca_interval([70, 30], share_of_first, confidence=0.95)


def test_where_all_draws_agree_there_is_no_interval():
    assert bca_interval([50, 0], share_of_first, confidence=0.95) is None


def test_chunks_sum_to_the_total():
    assert sum(chunks_of(10_000, 3_000)) == 10_000
    assert max(chunks_of(10_000, 3_000)) * 3_000 <= bootstrap.MAX_COUNTS


def test_leaving_out_a_cell_at_a_time_is_the_jackknife():
    """The acceleration from counts equals that from rows, left out one by one."""
    rows = np.repeat([0, 1], [7, 3])
    left_out = np.array([np.delete(rows, index).mean() for index in range(10)])
    pulls = left_out.mean() - left_out
    expected = (pulls**3).sum() / (6 * (pulls**2).sum() ** 1.5)
    rows, (values,) = bootstrap._left_out(np.array([7.0, 3.0]), lambda tables: (tables[:, 1] / tables.sum(axis=1))[None])
    found = bootstrap._acceleration(rows, values)
    assert found == pytest.approx(expected)


def test_units_of_one_row_each_are_resampled_like_rows():
    """700 and 300 rows, each a unit of its own, against the two cells."""
    by_unit = np.repeat([[1.0, 0.0], [0.0, 1.0]], [700, 300], axis=0)
    found = bca_interval(by_unit, share_of_first, confidence=0.95)
    assert found == pytest.approx(bca_interval([700, 300], share_of_first, confidence=0.95), abs=0.003)


def test_units_of_ten_equal_rows_widen_the_interval_by_the_root_of_ten():
    by_unit = np.repeat([[10.0, 0.0], [0.0, 10.0]], [70, 30], axis=0)
    low, high = bca_interval(by_unit, share_of_first, confidence=0.95)
    alone_low, alone_high = bca_interval([700, 300], share_of_first, confidence=0.95)
    assert (high - low) / (alone_high - alone_low) == pytest.approx(10**0.5, rel=0.05)


def test_figures_of_one_call_share_their_draws_and_equal_those_of_two_calls():
    both = bootstrap.bca_intervals(
        [70, 30], lambda t: np.stack([t[:, 0] / t.sum(axis=1), t[:, 1] / t.sum(axis=1)]), confidence=0.95
    )
    assert both[0] == bca_interval([70, 30], share_of_first, confidence=0.95)
    assert both[1] == pytest.approx((1 - both[0][1], 1 - both[0][0]), abs=0.01)


def test_many_groups_are_put_together_and_stay_whole():
    units = np.repeat(np.arange(5_000), 2)
    merged = bootstrap.merge_units(units)
    assert (merged[::2] == merged[1::2]).all()
    assert np.bincount(merged).tolist() == [10] * bootstrap.MAX_UNITS
