"""Validation chooses among the sources of a run."""

from dataclasses import replace

import pytest
from judging import from_counts, from_pairs, noisy

from pretune.errors import DataError
from pretune.evaluate.aims import Aim
from pretune.evaluate.choose_source import CAUTIOUS, choose_source


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


def test_class_shares_of_production_decide_in_place_of_those_of_validation():
    """Each validation row of neg stands for 19 × more than one of pos: few false alarms count for more than few misses."""
    careful, eager = known(30, 1, 20, 49, "finetuned"), known(45, 5, 5, 45, "linear")
    assert choose_source([careful, eager], Aim(positive="pos")).source == "linear"
    found = choose_source([careful, eager], Aim(positive="pos", prevalence=0.05), {"": 0.05})
    assert (found.source, found.metric) == ("finetuned", "f1[pos]")
    recall, alarms = 0.6, 19 * 0.02  # for each row of pos there are 19 of neg
    assert found.values["finetuned"] == pytest.approx(2 * recall / (recall + alarms + 1))
    assert "weighed by class shares" in found.rule


def test_costs_are_weighed_by_class_shares():
    aim = Aim(positive="pos", goal="cost", costs={"fn": 10.0, "fp": 1.0})
    found = choose_source([known(40, 0, 10, 50, "linear"), known(50, 20, 0, 30, "finetuned")], aim, {"pos": 0.01})
    assert found.source == "linear"
    assert found.values == pytest.approx({"linear": 0.01 * 0.2 * 10, "finetuned": 0.99 * 0.4})


def test_a_precision_that_validation_keeps_and_production_does_not_is_no_longer_kept():
    aim = Aim(positive="pos", at={"precision": 0.8}, gates={"recall": 0.5, "precision": 0.8})
    finder, careful = known(480, 25, 20, 475, "finetuned"), known(300, 1, 200, 499, "linear")
    assert choose_source([finder, careful], aim).source == "finetuned"
    assert choose_source([finder, careful], aim, {"pos": 0.05}).source == "linear"


def test_several_classes_are_weighed_by_the_shares_that_were_named():
    pairs = [("a", "a")] * 20 + [("b", "b")] * 10 + [("b", "a")] * 10 + [("c", "c")] * 20
    other = [("a", "a")] * 12 + [("a", "b")] * 8 + [("b", "b")] * 20 + [("c", "c")] * 20
    sources = [
        replace(from_pairs(p, ("a", "b", "c"), name), split="validation")
        for p, name in ((pairs, "linear"), (other, "finetuned"))
    ]
    assert choose_source(sources, Aim(positive=None)).source == "finetuned"
    found = choose_source(sources, Aim(positive=None), {"b": 0.1, "a": 0.6})
    assert (found.source, found.metric) == ("linear", "accuracy")
    assert found.values == pytest.approx({"linear": 0.6 + 0.1 * 0.5 + 0.3, "finetuned": 0.6 * 0.6 + 0.1 + 0.3})


def test_without_a_candidate_nothing_is_chosen():
    with pytest.raises(DataError, match="no source to choose from"):
        choose_source([known(1, 0, 0, 1, "majority")], Aim(positive=None))


def test_few_rows_do_not_take_another_model_for_a_few_more_that_it_has_right():
    sources = [known(7, 3, 3, 7, "finetuned"), known(8, 2, 2, 8, "encoder_linear"), known(7, 3, 3, 7, "linear")]
    found = choose_source(sources, Aim(positive=None))
    assert (found.source, found.rule.endswith(CAUTIOUS)) == ("finetuned", True)
    before = choose_source(sources, Aim(positive=None), is_cautious=False)
    assert (before.source, CAUTIOUS in before.rule) == ("encoder_linear", False)


def test_few_rows_take_another_model_that_is_clearly_better():
    model = known(20, 0, 0, 20, "linear")
    sources = [model, replace(noisy(model, 0.6, source="finetuned"), split="validation")]
    assert choose_source(sources, Aim(positive=None)).source == "linear"


def test_few_rows_do_not_keep_a_model_that_never_finds_the_rare_class():
    lazy, finder = known(0, 0, 4, 46, "finetuned"), known(3, 4, 1, 42, "linear")
    found = choose_source([lazy, finder], Aim(positive="pos"))
    assert (found.source, found.metric, CAUTIOUS in found.rule) == ("linear", "f1[pos]", False)  # accuracy is 0.92 and 0.90


def test_few_rows_are_not_counted_where_they_weigh_differently():
    sources = [known(10, 0, 1, 30, "finetuned"), known(11, 3, 0, 27, "linear")]
    costs = Aim(positive="pos", goal="cost", costs={"fn": 10.0, "fp": 1.0})
    for found in (choose_source(sources, costs), choose_source(sources, Aim(positive="pos"), {"pos": 0.99})):
        assert (found.source, CAUTIOUS in found.rule) == ("linear", False)


def test_few_rows_take_another_model_that_alone_keeps_what_was_asked():
    aim, sources = Aim(positive="pos", keep={"recall": 0.9}), [known(15, 0, 5, 20, "finetuned"), known(19, 9, 1, 11, "linear")]
    found = choose_source(sources, aim)
    assert (found.source, found.metric, CAUTIOUS in found.rule) == ("linear", "accuracy", True)
    assert choose_source(sources, replace(aim, keep={})).source == "finetuned"


def test_many_rows_are_trusted():
    sources = [known(40, 10, 10, 40, "finetuned"), known(41, 9, 9, 41, "linear")]
    found = choose_source(sources, Aim(positive=None))
    assert (found.source, CAUTIOUS in found.rule) == ("linear", False)


def test_few_rows_without_a_fine_tuned_model_choose_as_many_do():
    found = choose_source([known(7, 3, 3, 7, "linear"), known(8, 2, 2, 8, "encoder_linear")], Aim(positive=None))
    assert (found.source, CAUTIOUS in found.rule) == ("encoder_linear", False)
