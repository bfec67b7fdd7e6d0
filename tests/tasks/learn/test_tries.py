"""Tries: which settings may be changed, what a try is worth, and what is said of two of them."""

from dataclasses import replace

import pytest

from pretune.errors import UsageError
from pretune.tasks.learn.lessons.overfitting import ANSWER, OVERFITS, is_cured, say_accuracy, say_distance
from pretune.tasks.learn.reasons import say_reasons
from pretune.tasks.learn.tries import KNOBS, Try, build, keep_try, parse_settings, read_tries, side_by_side

MADE = Try(name="a", training=0.9, validation=0.86, low=0.84, high=0.88, loss=0.3, learned=(0.8,), held=(0.86,))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("freeze=all", {"freeze": "all"}),
        ("lr = 5e-5, dropout=0.2", {"lr": "5e-5", "dropout": "0.2"}),
        ("--freeze=last-2 --label-smoothing=0.1", {"freeze": "last-2", "label_smoothing": "0.1"}),
    ],
)
def test_settings_are_read_as_people_type_them(typed, found):
    assert parse_settings(typed) == found


@pytest.mark.parametrize(
    "typed",
    ["", "model=smollm2", "rows=9000", "max_length=9", "epochs", "epochs=0", "epochs=90", "epochs=many", "lr=-1", "dropout=1.5",
     "freeze=half", "freeze=all:2,none:1", "decay=up", "stop=0", "epochs=1e3", "lr=nan"],
)  # fmt: skip
def test_other_settings_are_refused_with_a_message(typed):
    with pytest.raises(UsageError) as caught:
        parse_settings(typed)
    assert caught.value.expected or caught.value.fix


def test_early_stopping_chooses_by_loss_and_its_absence_keeps_the_last_epoch():
    assert build({"stop": "1"})["config"].monitor == "loss"
    assert build({"stop": "1"})["config"].patience == 1
    assert build({})["config"].monitor == "last"


@pytest.mark.parametrize("settings", [OVERFITS, ANSWER], ids=["overfits", "answer"])
def test_the_settings_of_the_lesson_can_be_typed(settings):
    assert parse_settings(" ".join(f"{name}={value}" for name, value in settings.items())) == settings


@pytest.mark.parametrize(
    ("training", "validation", "cured", "says"),
    [
        (0.90, 0.85, True, "That is it"),
        (0.92, 0.86, False, "Nearly"),
        (0.80, 0.79, False, "too little"),
        (0.99, 0.84, False, "by heart"),
    ],
)
def test_a_try_is_cured_at_the_limits_that_are_told(training, validation, cured, says):
    made = replace(MADE, training=training, validation=validation)
    assert is_cured(made) is cured
    assert says in say_distance(made)


def test_tries_survive_the_disk_and_damaged_lines_are_left_out(tmp_path):
    path = tmp_path / "tries.jsonl"
    keep_try(path, MADE)
    with path.open("a") as file:
        file.write("half a li\n")
    keep_try(path, replace(MADE, name="b"))
    assert [item.name for item in read_tries(path)] == ["a", "b"]
    assert read_tries(path)[0] == MADE


def test_two_runs_stand_side_by_side_with_what_differs():
    table = side_by_side([replace(MADE, settings=OVERFITS), replace(MADE, name="b", settings=ANSWER)], "Both")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["gap"] == ("+0.040", "+0.040")
    assert rows["epochs"] == (OVERFITS["epochs"], ANSWER["epochs"])
    assert set(rows) & set(KNOBS) == set(OVERFITS) | set(ANSWER)


def test_each_change_has_its_reason_and_what_stays_has_none():
    said = say_reasons(OVERFITS, ANSWER, 22_000_000, 22_000_000)
    for name in ("epochs", "lr", "dropout", "label_smoothing", "weight_decay"):
        assert f"({name} " in said
    assert "weights can change" not in said
    assert "fewer weights can change" in say_reasons({}, {"freeze": "all"}, 10, 1)
    assert "Nothing" in say_reasons({}, {}, 1, 1)


def test_a_cure_that_costs_accuracy_says_so():
    assert "rose by 0.010" in say_accuracy(MADE, replace(MADE, validation=0.87))
    assert "fell by 0.020" in say_accuracy(MADE, replace(MADE, validation=0.84))
