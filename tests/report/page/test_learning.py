"""Both phases of learning, drawn from what was recorded."""

import math
from dataclasses import replace

import pytest

from pretune.records import History, PretrainHistory, Step
from pretune.report.page.learning import COLUMNS, learning_plots, timeline_plots


def steps(number, loss=5.0):
    return [Step(index=i, loss=loss, num_targets=9, gradient_norm=1.0 + i, learning_rate=1e-3) for i in range(number)]


def by_title(plots):
    return {plot.title: plot for plot in plots}


def test_a_fine_tuning_has_its_loss_accuracy_rate_and_gradient(history):
    plots = by_title(learning_plots(history))
    assert list(plots) == ["Loss", "Accuracy", "Learning rate", "Gradient norm"]
    assert [series.name for series in plots["Loss"].series] == ["training loss", "validation loss"]
    assert plots["Loss"].series[1].said_y == "0.371|0.352|0.402"
    assert plots["Accuracy"].series[1].said_y == "0.839|0.853|0.849"
    assert plots["Loss"].rules[0][1] == plots["Loss"].x_ticks[1][0], "the kept epoch is the second"


def test_a_chart_says_in_words_what_it_shows(history):
    label = by_title(learning_plots(history))["Loss"].label
    assert "validation loss from 0.371 to 0.402 (lowest 0.352, highest 0.402)" in label


def test_the_last_gradients_of_many_steps_are_seen(history):
    plot = by_title(learning_plots(replace(history, steps=tuple(steps(5_000)))))["Gradient norm"]
    said = [float(value.replace(",", "")) for value in plot.series[0].said_y.split("|")]
    assert len(said) <= COLUMNS
    assert said[-1] > 4_800


def test_without_steps_the_epochs_are_drawn_alone(history):
    assert list(by_title(learning_plots(replace(history, steps=())))) == ["Loss", "Accuracy"]
    assert learning_plots(History()) == ()


def test_both_phases_have_loss_and_what_was_guessed(pretraining, history):
    plots = by_title(timeline_plots(pretraining, history))
    assert list(plots) == ["Pre-training: loss of masked words", "Fine-tuning: loss of the task", "Pre-training: guessed right"]
    left = plots["Pre-training: loss of masked words"]
    assert [mark for _, mark in left.x_ticks] == ["800K", "1.6M", "2.4M", "3.2M", "4M", "4.8M"]
    assert max(float(value) for _, value in left.y_ticks) >= 7.0
    assert max(float(value) for _, value in plots["Fine-tuning: loss of the task"].y_ticks) < 2.0


def test_every_update_is_drawn_where_it_is_known(pretraining):
    assert list(by_title(timeline_plots(pretraining, None, steps(600))))[-2:] == ["Learning rate", "Gradient norm"]


def test_a_loss_that_is_not_finite_breaks_nothing(pretraining, history):
    broken = replace(pretraining.milestones[2], loss=None, training_loss=math.nan, accuracy=math.nan)
    changed = replace(pretraining, milestones=(*pretraining.milestones[:2], broken, *pretraining.milestones[3:]))
    plots = by_title(timeline_plots(changed, history))
    assert len(plots["Pre-training: loss of masked words"].series[1].dots) == 5
    assert len(plots["Pre-training: guessed right"].series[0].dots) == 5


@pytest.mark.parametrize("pretraining", [None, PretrainHistory(objective="masked")])
def test_nothing_learned_is_nothing_drawn(pretraining):
    assert timeline_plots(pretraining, None) == ()
