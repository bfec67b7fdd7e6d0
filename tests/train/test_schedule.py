"""The learning rate's factor, step by step, against tables worked out by hand."""

import pytest

from pretune.train.schedule import make_schedule

# 8 steps, of which 2 warm up: 6 are left to fall over.
TABLES = {
    "linear": [1 / 2, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6],
    "constant": [1 / 2, 1, 1, 1, 1, 1, 1, 1],
    # (1 - cos(pi x)) / 2 at x = 6/6 ... 1/6
    "cosine": [1 / 2, 1, 1, 0.9330127, 0.75, 0.5, 0.25, 0.0669873],
}


@pytest.mark.parametrize("decay", TABLES)
def test_the_rate_rises_and_falls_as_worked_out_by_hand(decay):
    factor = make_schedule(num_steps=8, warmup_share=0.25, decay=decay)
    assert [factor(step) for step in range(8)] == pytest.approx(TABLES[decay])


@pytest.mark.parametrize("decay", TABLES)
def test_without_warm_up_the_first_step_has_the_peak_rate(decay):
    assert make_schedule(num_steps=5, warmup_share=0.0, decay=decay)(0) == 1.0


@pytest.mark.parametrize("decay", TABLES)
@pytest.mark.parametrize(("num_steps", "share"), [(1, 0.0), (1, 0.06), (2, 0.5), (10, 0.9), (1_000, 0.06)])
def test_no_planned_step_is_wasted_on_a_rate_of_zero(decay, num_steps, share):
    factor = make_schedule(num_steps=num_steps, warmup_share=share, decay=decay)
    assert all(0 < factor(step) <= 1 for step in range(num_steps))


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_the_rate_is_zero_from_the_end_on(decay):
    factor = make_schedule(num_steps=8, decay=decay)
    assert factor(8) == pytest.approx(0.0)
    assert factor(100) == pytest.approx(0.0)
