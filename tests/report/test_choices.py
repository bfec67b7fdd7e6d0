"""Budget, range test and seeds in the report: everything that was chosen can be read there."""

import math
import re
from dataclasses import replace

import pytest

from pretune.records import (
    BudgetChoice,
    BudgetOption,
    RangePoint,
    RangeTest,
    SeedResult,
    SeedSpread,
    Spread,
    StepTiming,
)  # fmt: skip
from pretune.report.choices import describe_budget, make_range_plot
from pretune.report.page.html import render_html
from pretune.report.terminal.text import draw_seeds

OPTION = BudgetOption(
    freeze="last-2", epochs=3, max_length=96, has_encoder_linear=True, seconds=250.0, cost=2.1, share_cut=0.09
)
CHOICE = BudgetChoice(
    seconds=300.0, covers="run", margin=0.15, given=("epochs",), chosen=OPTION, best=OPTION, gave_up=("all <layers>",),
    timings=(StepTiming(freeze="last-2", num_tokens=30, seconds=0.2),), seconds_taken=321.0,
)  # fmt: skip
TEST = RangeTest(
    learning_rate=1.1e-4, lowest_at=1.1e-3, rule="a rule",
    points=tuple(RangePoint(learning_rate=10 ** (i / 20 - 6), loss=0.7 - i / 300, smoothed=0.7 - i / 300) for i in range(80)),
)  # fmt: skip
SPREAD = SeedSpread(
    metric="macro_f1",
    results=tuple(
        SeedResult(
            seed=seed, accuracy=0.9, balanced_accuracy=0.8, metric_value=0.85, loss=0.3, best_epoch=2, has_collapsed=seed == 1
        )
        for seed in (0, 1)
    ),
    spreads=(Spread(metric="macro_f1", mean=0.85, low=0.8, high=0.9, deviation=0.0707),), kept=0, rule="a rule",
    collapse_rule="collapsed: so and so",
)  # fmt: skip


def test_the_report_shows_all_three(record):
    page = render_html(replace(record, budget=CHOICE, seeds=SPREAD, history=replace(record.history, range_test=TEST)))
    page = re.sub(r"</?a\b[^>]*>", "", page)  # terms are links
    for words in (
        "Budget",
        "all &lt;layers&gt;",
        "21 s over the budget",
        "Seeds",
        "0.071",
        "collapsed",
        "range test",
        "0.00011",
    ):
        assert words in page, words
    for heading in ('id="budget"', 'id="seeds"', 'id="range-test"'):
        assert page.count(heading) == 1
        assert heading not in render_html(record)


def test_a_budget_that_was_kept_says_so():
    said = dict(describe_budget(replace(CHOICE, seconds_taken=280.0, gave_up=(), given=())))
    assert said["given up"] == "nothing"
    assert said["taken"] == "4 min 40 s"
    assert "kept as given" not in said


@pytest.mark.parametrize("losses", [[0.7, 0.5, 90.0], [0.7, 0.7], [5.0, 1.0, 1.5]])
def test_a_curve_lies_inside_its_plot(losses):
    points = tuple(
        RangePoint(learning_rate=10.0**-index, loss=loss, smoothed=loss) for index, loss in enumerate(losses, start=1)
    )
    plot = make_range_plot(replace(TEST, points=points[::-1], learning_rate=0.01, lowest_at=0.1))
    numbers = [float(part) for point in plot.series[0].line.split() for part in point.split(",")]
    assert all(0 <= number <= plot.frame.width for number in numbers)
    assert all(math.isfinite(y) for y, _ in plot.y_ticks)


def test_a_curve_needs_two_points():
    assert make_range_plot(replace(TEST, points=TEST.points[:1])) is None


def test_the_terminal_names_kept_and_collapsed_seeds(capsys):
    from pretune.cli.show import show

    show(draw_seeds(SPREAD))
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("kept", "collapsed", "0.071", "macro f1"))


def test_a_budget_of_an_earlier_version_is_read_by_the_word_that_it_used():
    old = OPTION.to_json()
    old["has_untuned"] = old.pop("has_encoder_linear")
    assert BudgetOption.from_json(old) == OPTION
    assert not BudgetOption.from_json({**old, "has_untuned": False}).has_encoder_linear
