"""The choice of a threshold: what it reaches, when it refuses, and that it does not follow noise."""

from dataclasses import replace

import numpy as np
import pytest
from scored import draw, from_chances

from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.evaluate.aims import Aim
from pretune.evaluate.decide import apply_threshold, decide_by
from pretune.evaluate.threshold import aim_of, choose_threshold
from pretune.records import Predictions, ThresholdChoice

GATES = {"precision": 0.8, "recall": 0.8}
UNASKED = Aim(positive="pos", gates=GATES, is_asked=False)


def reached(choice: ThresholdChoice, metric: str):
    return next(item for item in choice.reached if item.metric == metric)


def test_rows_of_one_group_are_drawn_together_so_the_threshold_is_less_sure():
    """300 rows, each there ten times: drawn one by one they would pass for 3,000."""
    one = draw(300, skill=1.0)
    many = replace(one, ids=tuple(f"{id}/{copy}" for copy in range(10) for id in one.ids), labels=one.labels * 10,
                   predicted=one.predicted * 10, probabilities=one.probabilities * 10)  # fmt: skip
    groups = {id: id.partition("/")[0] for id in many.ids}
    aim = Aim(positive="pos", goal="precision", keep={"recall": 0.5})
    apart, together = choose_threshold(many, aim), choose_threshold(many, aim, groups=groups)
    assert together.high - together.low > apart.high - apart.low
    assert together == choose_threshold(many, aim, groups=groups)


def test_what_was_chosen_can_be_chosen_again_from_the_record():
    for aim in (UNASKED, Aim(positive="pos", goal="cost", costs={"fn": 5.0, "fp": 1.0}, gates={"recall": 0.8})):
        choice = choose_threshold(draw(300), aim)
        assert choose_threshold(draw(300), aim_of(ThresholdChoice.from_json(choice.to_json()))) == choice


def test_a_shifted_model_gets_its_threshold_back_without_being_asked():
    choice = choose_threshold(draw(800, shift=2.0), UNASKED)
    assert choice.threshold == pytest.approx(1 / (1 + np.exp(-2.0)), abs=0.1), "log odds were moved by 2"
    assert choice.low <= choice.threshold <= choice.high
    assert min(reached(choice, "precision").value, reached(choice, "recall").value) > 0.8
    assert reached(choice, "precision").before < 0.6


def test_a_model_whose_middle_is_right_keeps_the_largest_class_unless_asked():
    kept = choose_threshold(draw(400, share=0.5), UNASKED)
    assert kept.threshold is None
    assert "short of 90%" in kept.note
    assert kept.table, "the trade-off is shown all the same"
    assert choose_threshold(draw(400, share=0.5), replace(UNASKED, is_asked=True)).threshold is not None


def test_noise_moves_an_unasked_threshold_in_few_of_many_samples():
    moved = [choose_threshold(draw(150, share=0.5, seed=seed), UNASKED).threshold is not None for seed in range(12)]
    assert sum(moved) <= 3


@pytest.mark.parametrize("least", [0.6, 0.9, 0.97])
def test_precision_is_sought_under_the_recall_that_shall_be_kept(least):
    given = draw(500, skill=1.5)
    choice = choose_threshold(given, Aim(positive="pos", goal="precision", keep={"recall": least}))
    assert reached(choice, "recall").value >= least
    assert 0 < choice.kept_share <= 1
    assert f"recall at least {least:g}" in choice.rule
    stricter = choose_threshold(given, Aim(positive="pos", goal="precision", keep={"recall": 0.5}))
    assert reached(stricter, "precision").value >= reached(choice, "precision").value


def test_recall_is_sought_under_the_precision_that_shall_be_kept():
    choice = choose_threshold(draw(500, skill=2.5), Aim(positive="pos", goal="recall", keep={"precision": 0.9}))
    assert reached(choice, "precision").value >= 0.9
    assert reached(choice, "recall").value > 0.5


def test_a_constraint_that_no_threshold_holds_is_said_and_the_nearest_is_taken():
    generator = np.random.default_rng(0)
    given = from_chances(generator.random(400), generator.random(400) < 0.3)  # no skill: precision stays near 0.3
    choice = choose_threshold(given, Aim(positive="pos", goal="recall", keep={"precision": 0.99, "recall": 0.9}))
    assert "no threshold holds the constraint" in choice.note
    assert choice.threshold is not None
    assert choice.kept_share == 0.0


def test_without_a_constraint_precision_does_not_end_in_a_model_that_finds_next_to_nothing():
    choice = choose_threshold(draw(1000), Aim(positive="pos", goal="precision", gates={"precision": 0.8, "recall": 0.5}))
    assert reached(choice, "recall").value > 0.5
    assert "the lower end of recall at least 0.5" in choice.rule


def test_a_dear_miss_lowers_the_threshold_and_a_dear_alarm_raises_it():
    given = draw(400, skill=1.0)
    dear_miss, dear_alarm = (
        choose_threshold(given, Aim(positive="pos", goal="cost", costs=costs))
        for costs in ({"fn": 10, "fp": 1}, {"fn": 1, "fp": 10})
    )
    assert dear_miss.threshold < 0.5 < dear_alarm.threshold
    cost = reached(dear_miss, "cost")
    assert cost.value < cost.before
    assert cost.expected > cost.value, "choosing and measuring on the same rows flatters"


def test_only_the_ratio_of_costs_matters():
    given = draw(200)
    thresholds = {
        choose_threshold(given, Aim(positive="pos", goal="cost", costs={"fn": 5 * unit, "fp": unit})).threshold
        for unit in (1e-9, 1.0, 1e9)
    }
    assert len(thresholds) == 1


@pytest.mark.parametrize("goal", ["balanced", "precision", "recall", "f1", "a goal of a policy"])
def test_the_choice_does_not_depend_on_the_order_of_rows_or_on_when_it_is_made(goal):
    given = draw(200)
    order = np.random.default_rng(1).permutation(200)
    shuffled = replace(
        given,
        **{name: tuple(getattr(given, name)[i] for i in order) for name in ("ids", "labels", "predicted", "probabilities")},
    )
    aim = Aim(positive="pos", goal=goal, gates=GATES)
    assert choose_threshold(given, aim) == choose_threshold(given, aim) == choose_threshold(shuffled, aim)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"probabilities": None}, "without probabilities"),
        ({"labels": ("pos",) * 19 + ("neg",) * 381}, "only 19 validation rows are pos, 20 are needed"),
        ({"labels": ("neg",) * 400}, "only 0 validation rows are pos"),
        ({"labels": ("pos",) * 395 + ("neg",) * 5}, "only 5 validation rows are not pos"),
    ],
)
def test_where_nothing_can_be_chosen_the_largest_class_stays_and_the_note_says_why(changed, words):
    choice = choose_threshold(replace(draw(400), **changed), replace(UNASKED, is_asked=True))
    assert (choice.threshold, choice.table) == (None, ())
    assert words in choice.note


def test_without_a_positive_class_the_largest_class_decides():
    choice = choose_threshold(draw(400), Aim(positive=None, goal="precision"))
    assert (choice.threshold, choice.positive) == (None, None)
    assert "no class is the positive one" in choice.note


def test_no_rows_are_too_few():
    empty = replace(draw(400), ids=(), labels=(), predicted=(), probabilities=())
    assert choose_threshold(empty, UNASKED).threshold is None
    assert apply_threshold(empty, choose_threshold(empty, UNASKED)) == empty


def test_probabilities_that_are_all_the_same_leave_one_threshold():
    given = from_chances(np.full(100, 0.3), np.arange(100) < 40)
    choice = choose_threshold(given, Aim(positive="pos", goal="f1"))
    assert choice.threshold == 0.0
    assert reached(choice, "recall").value == 1.0


def test_test_rows_are_refused():
    with pytest.raises(UsageError, match="chosen on test rows"):
        choose_threshold(replace(draw(400), split="test"), UNASKED)


def test_rows_that_cannot_be_scored_are_errors():
    with pytest.raises(UsageError, match="no class 'spam'"):
        choose_threshold(draw(400), Aim(positive="spam"))
    given = draw(400)
    with pytest.raises(MissingLabelsError):
        choose_threshold(replace(given, labels=(None, *given.labels[1:])), UNASKED)
    with pytest.raises(DataError):
        choose_threshold(replace(given, labels=("odd", *given.labels[1:])), UNASKED)


def test_what_is_applied_reaches_what_was_promised():
    given = draw(600, shift=1.0)
    choice = choose_threshold(given, Aim(positive="pos", goal="f1"))
    decided = apply_threshold(given, choice)
    hits = sum(a == b == "pos" for a, b in zip(decided.labels, decided.predicted, strict=True))
    assert hits / decided.predicted.count("pos") == pytest.approx(reached(choice, "precision").value)
    assert hits / decided.labels.count("pos") == pytest.approx(reached(choice, "recall").value)
    assert apply_threshold(decided, replace(choice, threshold=None)).predicted == given.predicted


def test_with_three_classes_the_threshold_is_about_one_and_the_largest_other_class_takes_the_rest():
    shares = ((0.5, 0.3, 0.2), (0.1, 0.2, 0.7), (0.2, 0.45, 0.35))
    given = Predictions(
        source="a", split="s", classes=("x", "y", "z"), ids=("1", "2", "3"), labels=("x", "y", "z"),
        predicted=("x", "z", "y"), probabilities=shares,
    )  # fmt: skip
    assert decide_by(given, "y", 0.25).predicted == ("y", "z", "y")
    assert decide_by(given, "y", 0.5).predicted == ("x", "z", "z")
    assert decide_by(given, None, 0.25).predicted == ("x", "z", "y")


def test_table_and_curve_go_from_few_rows_called_to_all_of_them():
    choice = choose_threshold(draw(600, skill=1.0), Aim(positive="pos", goal="f1"))
    assert 8 <= len(choice.table) <= 11
    assert choice.threshold in [point.threshold for point in choice.table]
    recalls = [point.recall for point in choice.curve]
    assert recalls == sorted(recalls)
    assert recalls[-1] == 1.0
    assert len(choice.curve) <= 120
