"""The overfitting experiment with a tiny model: the learner's tries, the cured model, and the careful step after it."""

from dataclasses import replace

import pytest

from pretune.data.seal.seal import TrainingData
from pretune.records import Example
from pretune.run.trace import Trace
from pretune.tasks.learn.lesson import Left, fill, put
from pretune.tasks.learn.lessons import overfitting
from pretune.tasks.learn.lessons.overfitting import OVERFITTING, say_epochs
from pretune.tasks.learn.play import play
from pretune.tasks.learn.progress import lesson_folder, read_progress
from pretune.tasks.learn.tries import Try, read_tries


@pytest.fixture
def tiny_lesson(monkeypatch, tiny_checkpoint, separable_rows):
    """The lesson on 120 generated rows with a tiny model; it counts as cured from 0.5 on."""
    rows = [Example(id=str(place), text=text, label=label) for place, (text, label) in enumerate(separable_rows(160))]
    data = TrainingData(train=tuple(rows[:120]), validation=tuple(rows[120:]), classes=("bad", "good"))
    monkeypatch.setattr(overfitting, "clear_reviews", lambda: data)
    monkeypatch.setattr("pretune.tasks.learn.tries.MODEL", str(tiny_checkpoint("bert")))
    monkeypatch.setattr(overfitting, "MIN_VALIDATION", 0.4)
    monkeypatch.setattr(overfitting, "MAX_TRAINING", 1.1)
    monkeypatch.setattr(overfitting, "OVERFITS", {"epochs": "2", "lr": "1e-3"})
    return replace(OVERFITTING, needs=())


@pytest.mark.slow
def test_the_experiment_is_made_from_start_to_end(tiny_lesson, pupil):
    answers = {"overfits": ["0.1", "0.1"], "unfreeze": ["a"]}
    teacher = pupil(*answers["overfits"], "model=smollm2", "tries", "freeze=last-1 epochs=1 lr=1e-3", "a", "0.1", "a", "a")
    progress = play(tiny_lesson, teacher, Trace())
    assert progress.is_over(tiny_lesson)
    assert any("not a setting that may be changed" in text for text in teacher.said)
    tries = read_tries(lesson_folder("overfitting") / "tries.jsonl")
    assert [item.settings for item in tries] == [{"freeze": "last-1", "epochs": "1", "lr": "1e-3"}]
    assert {"p_value_2", "p_value_3", "cured_validation", "over_training"} <= progress.facts.keys()
    titles = [table.title for table in teacher.tables]
    assert titles.count("Side by side") == 1
    assert titles[-1] == "One epoch further"
    for step in tiny_lesson.steps:
        assert "{" not in fill(step.say + step.then, progress.facts)


def test_tries_are_kept_when_the_learner_stops_and_the_next_ones_follow(tiny_lesson, pupil, monkeypatch):
    monkeypatch.setattr(overfitting, "MIN_VALIDATION", 1.1)
    for number in (1, 2):
        with pytest.raises(Left):
            play(tiny_lesson, pupil(*(["0.1", "0.1"] if number == 1 else []), "freeze=all epochs=1"), Trace())
        tries = read_tries(lesson_folder("overfitting") / "tries.jsonl")
        assert [item.name for item in tries] == [f"try {place}" for place in range(1, number + 1)]
    assert read_progress("overfitting").done == ("question", "overfits")


def test_every_question_can_be_put_with_exactly_one_right_answer():
    facts = {
        "over_training": 0.99, "over_validation": 0.86, "over_gap": 0.13, "over_loss": 0.6, "cured_training": 0.9,
        "cured_validation": 0.87, "cured_gap": 0.03, "cured_loss": 0.33, "p_value_2": 0.4, "difference_2": 0.002,
    }  # fmt: skip
    for seed in range(20):
        for item in OVERFITTING.questions.values():
            question = put(item, facts, seed)
            assert question is not None
            right = [option for option in question.options if option.is_right]
            assert len(right) == 1 if question.options else question.number is not None


@pytest.mark.parametrize(
    ("over", "cured"), [((0.87, 0.3), (0.86, 0.4)), ((0.87, 0.6), (0.86, 0.3)), ((0.86, 0.6), (0.87, 0.3))]
)
def test_which_model_to_take_is_asked_whatever_came_out(over, cured):
    facts = dict(zip(("over_validation", "over_loss", "cured_validation", "cured_loss"), (*over, *cured), strict=True))
    question = put(OVERFITTING.questions["finetuning.learn_which"], facts)
    assert question is not None
    assert sum(option.is_right for option in question.options) == 1


@pytest.mark.parametrize(("losses", "is_named"), [((0.3, 0.5), True), ((0.5, 0.3), False)])
def test_a_loss_that_rises_while_accuracy_stands_still_is_named(losses, is_named):
    made = Try(name="a", training=1.0, validation=0.9, low=0.88, high=0.92, loss=0.5, held=(0.88, 0.9), losses=losses)
    said = say_epochs(made)
    assert f"from 0.880 after the first epoch to 0.900, and validation loss from {losses[0]:.3f} to {losses[1]:.3f}" in said
    assert ("the loss shows it first" in said) is is_named
