"""The loss plot in characters, worked out by hand."""

import math
from dataclasses import replace

import pytest

from pretune.records import Step
from pretune.report.terminal.plot import HEIGHT, make_curve, plot_losses, smooth


def steps(*losses):
    return tuple(
        Step(index=i, loss=loss, num_targets=1, gradient_norm=1.0, learning_rate=1e-5) for i, loss in enumerate(losses)
    )  # fmt: skip


def test_the_highest_loss_is_on_the_first_line_and_the_lowest_on_the_last():
    lines = plot_losses(make_curve(steps(*([1.0] * 50 + [0.0] * 50)), ()), width=80)
    assert lines[0].startswith(" 1.000 ┤──")
    assert lines[HEIGHT - 1].startswith(" 0.000 ┤")
    assert lines[HEIGHT - 1].endswith("──")


def test_a_flat_loss_is_a_level_line():
    lines = plot_losses(make_curve(steps(*[0.5] * 20), ()), width=60)
    assert sum("──" in line for line in lines[:HEIGHT]) == 1


def test_nothing_measured_is_nothing_drawn():
    assert plot_losses(make_curve((), ()), width=80) == []


def test_a_loss_that_is_not_finite_is_left_out(history):
    broken = replace(history.validations[0], loss=math.nan)
    assert len(make_curve((), (broken, *history.validations[1:])).validation) == 2


@pytest.mark.parametrize("width", [20, 80, 200])
def test_lines_keep_to_the_width(history, width):
    assert max(map(len, plot_losses(make_curve(history.steps, history.validations), width=width))) <= max(width, 24)


def test_epoch_numbers_that_would_touch_are_left_out(history):
    many = tuple(replace(history.validations[0], epoch=i, step=i) for i in range(1, 101))
    names = plot_losses(make_curve((), many), width=80)[-1].split()
    assert names[:2] == ["epoch", "1"]
    assert len(names) < 40
    assert all(1 <= int(name) <= 100 for name in names[1:])


def test_smoothing_takes_the_mean_of_near_columns():
    # Ten steps in ten columns, one neighbour each side: column 5 is the mean of steps 4, 5 and 6.
    means = smooth([(float(i), float(i * i)) for i in range(10)], 0.0, 9.0, 10)
    assert means[5] == pytest.approx((16 + 25 + 36) / 3)
    assert means[0] == pytest.approx(0.5)
