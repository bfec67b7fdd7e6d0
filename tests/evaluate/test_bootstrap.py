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
    found = bootstrap._acceleration(np.array([7.0, 3.0]), lambda tables: tables[:, 1] / tables.sum(axis=1))
    assert found == pytest.approx(expected)
