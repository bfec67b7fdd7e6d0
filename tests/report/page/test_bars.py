"""The geometry of bars, worked out by hand."""

from dataclasses import replace

import pytest

from pretune.report.page.bars import BAR_WIDTH, choose_start, make_difference_bar, make_interval_bar


def test_an_interval_bar_keeps_its_place_on_a_scale_from_a_half(record):
    score = replace(record.scores[1], value=0.75, low=0.7, high=0.8)
    drawn = make_interval_bar(score, 0.6, start=0.5)
    assert (drawn.point, drawn.left, drawn.width, drawn.gate) == pytest.approx(
        (BAR_WIDTH * 0.5, BAR_WIDTH * 0.4, BAR_WIDTH * 0.2, BAR_WIDTH * 0.2)
    )  # fmt: skip


@pytest.mark.parametrize(("gate", "state"), [(0.7, "clear"), (0.75, "open"), (0.8, "open"), (0.81, "short"), (None, "free")])
def test_a_bar_is_coloured_by_its_whole_interval(record, gate, state):
    assert make_interval_bar(replace(record.scores[1], value=0.75, low=0.7, high=0.8), gate).state == state


@pytest.mark.parametrize("changed", [{"metric": "loss"}, {"value": None}])
def test_what_is_no_share_gets_no_bar(record, changed):
    assert make_interval_bar(replace(record.scores[1], **changed), 0.8) is None


def test_the_scale_begins_below_every_figure_and_gate(record):
    low = replace(record.scores[1], value=0.75, low=0.71, high=0.8)
    assert choose_start([low], [0.85]) == pytest.approx(0.6)  # 0.71 - 0.02 = 0.69, down to 0.6
    assert choose_start([replace(low, value=0.0, low=0.0)], []) == 0.0
    assert choose_start([replace(low, value=0.99, low=0.98)], []) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("low", "high", "holds", "state"), [(0.1, 0.3, True, "clear"), (-0.1, 0.3, None, "open"), (-0.3, -0.1, True, "clear")]
)
def test_a_difference_is_drawn_around_nothing_and_coloured_by_what_follows(record, low, high, holds, state):
    item = replace(record.comparisons[0], difference=(low + high) / 2, low=low, high=high)
    drawn = make_difference_bar(item, holds)
    assert drawn.state == state
    assert drawn.gate == pytest.approx(BAR_WIDTH / 2, abs=0.01)
    assert drawn.left + drawn.width <= BAR_WIDTH


def test_no_difference_at_all_is_drawn_in_the_middle(record):
    drawn = make_difference_bar(replace(record.comparisons[0], difference=0.0, low=None, high=None), None)
    assert drawn.point == drawn.gate
