"""Goals, constraints and costs, as users write them."""

import pytest

from pretune.errors import UsageError
from pretune.evaluate.aims import make_aim, parse_costs, parse_keep

GATES = {"precision": 0.8, "recall": 0.5}


def aim(**given):
    return make_aim(
        **({"positive": "spam", "goal": None, "default_goal": "balanced", "gates": GATES, "keep": None, "cost": None} | given)
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, {}),
        ("recall=0.95", {"recall": 0.95}),
        (" recall = 1 ", {"recall": 1.0}),
        ("recall=.9,precision=.8", {"recall": 0.9, "precision": 0.8}),
    ],
)
def test_constraints_are_read(text, found):
    assert parse_keep(text) == found


@pytest.mark.parametrize(
    "text", ["", "recall", "recall=", "recall=x", "recal=0.9", "recall=95", "recall=0", "recall=-1", "recall=nan", "recall=inf",
             "recall=0.9,recall=0.8", "recall=0.9,", "accuracy=0.9", "recall=0.9=0.9"],
)  # fmt: skip
def test_a_constraint_that_cannot_be_is_one_message(text):
    with pytest.raises(UsageError, match="--keep"):
        parse_keep(text)


@pytest.mark.parametrize("text", ["fn=10", "fn=10,fp=0", "fn=-1,fp=1", "fn=1e999,fp=1", "tp=1,fp=1", "fn=10;fp=1", "10,1", ""])
def test_costs_that_cannot_be_are_one_message(text):
    with pytest.raises(UsageError, match="--cost"):
        parse_costs(text)


def test_costs_alone_set_the_goal():
    found = aim(cost="fp=1,fn=10")
    assert (found.goal, found.costs, found.is_asked) == ("cost", {"fn": 10.0, "fp": 1.0}, True)


def test_without_a_word_of_the_user_the_policy_s_goal_is_not_asked_for():
    assert (aim().goal, aim().is_asked) == ("balanced", False)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"goal": "cost"}, "without costs"),
        ({"goal": "f1", "cost": "fn=1,fp=1"}, "--cost with --goal f1"),
        ({"goal": "recall", "keep": "recall=0.9"}, "its own constraint"),
        ({"positive": None, "keep": "recall=0.9"}, "--positive"),
        ({"positive": None, "cost": "fn=1,fp=1"}, "--positive"),
    ],
)
def test_what_contradicts_itself_is_one_message_with_a_fix(given, words):
    with pytest.raises(UsageError, match=words) as caught:
        aim(**given)
    assert caught.value.fix


def test_a_goal_of_one_figure_is_held_back_by_the_other_gate_unless_the_user_names_a_constraint():
    assert aim(goal="precision").floors == {"recall": 0.5}
    assert aim(goal="recall").floors == {"precision": 0.8}
    assert aim(goal="precision", keep="recall=0.9").floors == {}
    assert aim(goal="balanced").floors == {}
