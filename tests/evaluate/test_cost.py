"""The mean cost of a row."""

import pytest
from judging import constant, from_counts

from pretune.evaluate.cost import score_cost
from pretune.records import Terms

COSTS = {"fn": 10.0, "fp": 1.0}


def test_the_cost_is_the_mean_over_all_rows():
    found = score_cost(from_counts(90, 15, 10, 85), Terms(positive="pos"), costs=COSTS)
    assert found.value == pytest.approx((10 * 10 + 15) / 200)
    assert 0 <= found.low < found.value < found.high


def test_saying_no_to_every_row_costs_every_positive():
    assert score_cost(constant(from_counts(90, 15, 10, 85)), Terms(positive="pos"), costs=COSTS).value == pytest.approx(
        10 * 100 / 200
    )


@pytest.mark.parametrize(("counts", "reason"), [((10, 0, 0, 90), "rarer side has 10"), ((50, 0, 0, 50), "no mistake is made")])
def test_where_resting_on_too_little_there_is_no_interval(counts, reason):
    found = score_cost(from_counts(*counts), Terms(positive="pos"), costs=COSTS)
    assert (found.low, found.high) == (None, None)
    assert reason in found.method
