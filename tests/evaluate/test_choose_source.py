"""Validation chooses among the sources of a run."""

from dataclasses import replace

import pytest
from judging import from_counts, noisy

from pretune.errors import DataError
from pretune.evaluate.aims import Aim
from pretune.evaluate.choose_source import choose_source


def known(tp: int, fp: int, fn: int, tn: int, source: str):
    return replace(from_counts(tp, fp, fn, tn), source=source, split="validation")


def test_the_most_accurate_source_is_chosen_on_balanced_rows():
    found = choose_source(
        [known(40, 10, 10, 40, "finetuned"), known(45, 5, 5, 45, "encoder_linear"), known(41, 9, 9, 41, "linear")],
        Aim(positive=None),
    )
    assert (found.source, found.metric) == ("encoder_linear", "accuracy")
    assert found.values == {"linear": 0.82, "encoder_linear": 0.9, "finetuned": 0.8}


def test_of_equals_the_simplest_is_chosen():
    sources = [known(40, 10, 10, 40, name) for name in ("finetuned", "encoder_linear", "linear")]
    assert choose_source(sources, Aim(positive=None)).source == "linear"


def test_where_one_class_holds_most_rows_f1_decides():
    lazy, finder = known(0, 0, 10, 90, "linear"), known(8, 12, 2, 78, "finetuned")
    found = choose_source([lazy, finder], Aim(positive="pos"))
    assert (found.source, found.metric) == ("finetuned", "f1[pos]")  # accuracy is 0.90 and 0.86


def test_costs_decide_by_the_mean_cost():
    aim = Aim(positive="pos", goal="cost", costs={"fn": 10.0, "fp": 1.0})
    found = choose_source([known(40, 0, 10, 50, "linear"), known(50, 20, 0, 30, "finetuned")], aim)
    assert (found.source, found.values) == ("finetuned", {"linear": 1.0, "finetuned": 0.2})


def test_a_source_that_keeps_the_constraint_goes_before_one_that_does_not():
    aim = Aim(positive="pos", goal="precision", keep={"recall": 0.9})
    precise, keeping = known(20, 0, 30, 50, "finetuned"), known(46, 20, 4, 30, "linear")
    assert choose_source([precise, keeping], aim).source == "linear"


@pytest.mark.parametrize("goal", ["precision", "recall", "f1"])
def test_a_goal_without_a_positive_class_decides_by_its_mean(goal):
    model = known(40, 10, 10, 40, "finetuned")
    found = choose_source([model, replace(noisy(model, 0.95), split="validation")], Aim(positive=None, goal=goal))
    assert (found.source, found.metric) == ("linear", f"{goal}[macro]")


def test_without_a_candidate_nothing_is_chosen():
    with pytest.raises(DataError, match="no source to choose from"):
        choose_source([known(1, 0, 0, 1, "majority")], Aim(positive=None))
