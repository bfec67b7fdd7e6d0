"""Where the marks of a plot go, worked out by hand."""

from itertools import pairwise

import pytest

from pretune.report.page.plot import TICK_ROOM, Axis, Frame, Rule, Series, make_plot, round_axis, share_axis

X = Axis("step", 0.0, 10.0, tuple((float(place), str(place)) for place in range(11)), "step {:.0f}".format)


def test_points_span_the_plot_and_the_highest_is_at_the_top():
    plot = make_plot([Series("a", "training", ((0.0, 0.0), (10.0, 1.0)))], X, share_axis("share"), title="t", label="l")
    frame = Frame()
    bottom, right = frame.height - frame.bottom, frame.width - frame.right
    assert plot.series[0].line == f"{frame.left:g},{bottom:g} {right:g},{frame.top:g}"


def test_every_point_says_its_values():
    plot = make_plot([Series("a", "training", ((1.0, 0.25), (2.0, 0.5)))], X, share_axis("share"), title="t", label="l")
    series = plot.series[0]
    assert (series.at, series.said_x, series.said_y) == ("step ", "1|2", "0.250|0.500")


def test_what_lies_beyond_an_axis_is_held_at_its_end():
    plot = make_plot([Series("a", "b", ((5.0, 7.0),), radius=2.0)], X, share_axis("share"), title="t", label="l")
    assert plot.series[0].dots == ((pytest.approx(46 + (420 - 46 - 20) / 2), Frame().top),)


def test_marks_that_would_touch_are_left_out():
    plot = make_plot([Series("a", "b", ((5.0, 0.5),))], X, share_axis("share"), title="t", label="l")
    places = [place for place, _ in plot.x_ticks]
    assert min(b - a for a, b in pairwise(places)) >= TICK_ROOM


def test_a_point_alone_is_a_dot_and_an_empty_series_is_not_drawn():
    plot = make_plot([Series("a", "b", ((5.0, 0.5),)), Series("none", "b", ())], X, share_axis("y"), title="t", label="l")
    (only,) = plot.series
    assert (only.line, len(only.dots)) == ("", 1)


def test_an_interval_stands_at_its_point():
    series = Series("a", "b", ((2.0, 0.5), (4.0, 0.5)), spans=(None, (0.4, 0.6)))
    ((x, low, high),) = make_plot([series], X, share_axis("y"), title="t", label="l").series[0].spans
    assert x == pytest.approx(46 + 0.4 * 354, abs=0.1)
    assert low > high  # downwards on the page


def test_a_rule_is_placed_as_points_are():
    plot = make_plot([], X, share_axis("y"), title="t", label="l", rules=[Rule("guess", (0.0, 0.0), (10.0, 1.0))])
    assert plot.rules == (("guess", 46.0, 196.0, 400.0, 12.0),)


def test_small_ticks_have_short_names():
    assert [name for _, name in round_axis("", [0.0, 1e-5]).ticks] == ["0", "2.5e-6", "5e-6", "7.5e-6", "1e-5"]


@pytest.mark.parametrize(("start", "first"), [(0.0, 0.0), (0.5, 0.5), (0.8, 0.8), (0.3, 0.4)])
def test_a_share_axis_ends_at_one(start, first):
    axis = share_axis("y", start)
    assert axis.ticks[-1] == (1.0, "1.0")
    assert axis.ticks[0][0] == pytest.approx(first)
