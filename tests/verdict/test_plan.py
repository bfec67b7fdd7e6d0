"""A plan: test rows before any is labelled, from what is hoped for."""

import json

import numpy as np
import pytest
from running import call

from pretune.errors import UsageError
from pretune.intervals import proportion_bounds
from pretune.verdict import Gate, load_policy
from pretune.verdict.plan import Expected, plan_rows

ACCURACY = (Gate(metric="accuracy", minimum=0.85),)


def test_about_as_many_rows_as_the_normal_approximation_says():
    """(1.96 √(0.85 · 0.15) + 1.28 √(0.9 · 0.1))² / 0.05² = 468."""
    found = plan_rows(Expected(accuracy=0.9), ACCURACY, load_policy())
    assert 440 <= found.rows <= 520
    assert found.table_rows == pytest.approx(found.rows / 0.15, rel=0.03)


@pytest.mark.parametrize("accuracy", [0.78, 0.9, 0.95])
def test_so_many_rows_decide_in_nine_of_ten_cases(accuracy):
    found = plan_rows(Expected(accuracy=accuracy), ACCURACY, load_policy())
    hits = np.random.default_rng(7).binomial(found.rows, accuracy, 4_000)
    low, high = proportion_bounds(hits, np.full(4_000, found.rows), 0.95)
    assert ((low >= 0.85) | (high < 0.85)).mean() > 0.88
    assert (found.ships > 0.99) == (accuracy > 0.85)


def test_a_rare_class_and_rows_in_groups_take_more():
    gates = (Gate(metric="recall", minimum=0.8),)
    common, rare = (plan_rows(Expected(recall=0.9, prevalence=share), gates, load_policy()) for share in (0.5, 0.05))
    assert rare.rows > 8 * common.rows
    assert rare.positives == round(rare.rows * 0.05)
    grouped = plan_rows(Expected(recall=0.9), gates, load_policy(), effect=2.0)
    assert grouped.rows == pytest.approx(2 * common.rows, rel=0.1)


def test_a_later_look_takes_more():
    first, second = (plan_rows(Expected(accuracy=0.9), ACCURACY, load_policy(), look=look) for look in (1, 2))
    assert second.rows > first.rows


def test_a_model_at_its_gate_is_never_decided():
    assert plan_rows(Expected(accuracy=0.8505), ACCURACY, load_policy()).rows is None


@pytest.mark.parametrize(
    "expected",
    [
        Expected(precision=0.9),
        Expected(accuracy=0.9, precision=0.9, recall=0.9),
        Expected(precision=0.1, recall=0.9),
        Expected(),
    ],
)
def test_figures_that_do_not_go_together_are_refused(expected):
    with pytest.raises(UsageError):
        plan_rows(expected, ACCURACY, load_policy())


def test_the_command_says_it_in_a_sentence_and_as_json(capsys):
    assert call("plan", "--accuracy", "0.9", "--gate", "0.85") == 0
    assert "test rows decide accuracy of at least 0.85" in capsys.readouterr().out
    assert call("plan", "--precision", "0.88", "--recall", "0.9", "--prevalence", "0.13", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["positives"] == round(found["rows"] * 0.13)


@pytest.mark.parametrize(
    "flags", [(), ("--gate", "0.85"), ("--accuracy", "90"), ("--accuracy", "0.9", "--recall", "0.9", "--gate", "0.8")]
)
def test_the_command_refuses_what_it_cannot_plan(flags):
    assert call("plan", *flags) == 2
