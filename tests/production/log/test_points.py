"""What a logger is told of events and records."""

from dataclasses import replace

import pytest

from pretune.production.log.points import facts_of, figures_of, flat, point_of, points_of, settled
from pretune.records import (
    History,
    Milestone,
    Outcome,
    PretrainHistory,
    RunRecord,
    Score,
    SeedSpread,
    Step,
    Validation,
    Verdict,
)

STEP = Step(index=7, loss=0.5, num_targets=4, gradient_norm=1.5, learning_rate=0.01)
LOOK = Validation(
    epoch=1, step=8, training_loss=0.6, training_accuracy=None, loss=0.4, accuracy=0.9, metric="macro_f1", metric_value=0.8,
    learning_rate=0.01, seconds=1.0,
)  # fmt: skip
MILESTONE = Milestone(
    step=8, num_tokens=512, training_loss=3.0, loss=2.5, accuracy=0.4, perplexity=12.2, learning_rate=0.1, seconds=1.0,
    tokens_per_second=512.0,
)  # fmt: skip


def score(
    metric: str, value: float | None, *, source: str = "finetuned", label: str | None = None, low: float | None = 0.1
) -> Score:
    high = None if low is None else 0.9
    fields = {"split": "test", "confidence": 0.95, "method": "wilson", "num_examples": 10}
    return Score(metric=metric, label=label, source=source, value=value, low=low, high=high, **fields)


def test_a_step_is_its_loss_rate_and_gradient_norm():
    point = point_of({"event": "step", **STEP.to_json()})
    assert point is not None
    assert point.step == 7
    assert point.values == {"training/loss": 0.5, "training/learning_rate": 0.01, "training/gradient_norm": 1.5}
    assert point.mark == ("training/loss", 7)


def test_a_validation_has_the_metric_that_chooses_and_nothing_that_is_undefined():
    point = point_of({"event": "validation", **LOOK.to_json()})
    assert point is not None
    assert point.values == {
        "validation/loss": 0.4, "validation/accuracy": 0.9, "epoch/training_loss": 0.6, "validation/macro_f1": 0.8,
    }  # fmt: skip
    assert point.step == 8


def test_a_milestone_is_logged_at_its_step():
    point = point_of({"event": "milestone", **MILESTONE.to_json()})
    assert point is not None
    assert point.step == 8
    assert point.values["validation/perplexity"] == 12.2


@pytest.mark.parametrize("kind", ["stage", "note", "progress", "begun", "training"])
def test_other_events_have_no_numbers(kind):
    assert point_of({"event": kind, "loss": 1.0, "step": 1}) is None


def test_a_loss_that_is_not_finite_is_left_out():
    assert point_of({"event": "step", "index": 0, "loss": None, "learning_rate": None, "gradient_norm": None}) is None


def test_the_record_of_a_run_gives_the_points_that_its_events_gave():
    record = RunRecord(run="x", status="judged", history=History(steps=(STEP,), validations=(LOOK,)))
    told = [point_of({"event": "step", **STEP.to_json()}), point_of({"event": "validation", **LOOK.to_json()})]
    assert [(item.step, item.values) for item in points_of(record)] == [(item.step, item.values) for item in told if item]
    seeds = SeedSpread(metric="accuracy", results=(), spreads=(), kept=3, rule="", collapse_rule="")
    kept = list(points_of(replace(record, seeds=seeds)))
    assert next(iter(kept[0].values)) == "seed-3/training/loss"


def test_the_milestones_of_a_pretraining_are_points_and_those_of_a_models_past_are_none():
    history = PretrainHistory(objective="masked", milestones=(MILESTONE,))
    record = RunRecord(run="x", status="pretrained", task="pretrain", pretraining=history)
    assert [point.step for point in points_of(record)] == [8]
    assert list(points_of(replace(record, task="classify"))) == []


def test_figures_come_with_both_ends_and_names_that_every_logger_takes():
    record = RunRecord(
        run="x",
        status="judged",
        scores=(
            score("accuracy", 0.5),
            score("recall", 0.25, label="not urgent?\n"),
            score("accuracy", 0.4, source="linear", low=None),
            score("precision", None),
        ),
    )
    assert figures_of(record) == {
        "test/accuracy": 0.5, "test/accuracy.low": 0.1, "test/accuracy.high": 0.9,
        "test/recall/not_urgent_": 0.25, "test/recall/not_urgent_.low": 0.1, "test/recall/not_urgent_.high": 0.9,
        "test/linear/accuracy": 0.4,
    }  # fmt: skip


def test_classes_that_differ_in_signs_that_no_logger_takes_stay_apart():
    scores = tuple(
        score("recall", 0.1 * number, label=label, low=None) for number, label in enumerate(["a?", "a!", "..", "b/../c"])
    )
    names = figures_of(RunRecord(run="x", status="judged", scores=scores))
    assert list(names) == ["test/recall/a_", "test/recall/a__2", "test/recall/_", "test/recall/b_.._c"]


def test_the_facts_name_the_verdict():
    verdict = Verdict(outcome=Outcome.SHIP, summary="it holds", reasons=())
    facts = facts_of(RunRecord(run="x", status="judged", device="cpu", verdict=verdict))
    assert facts.pop("verdict.summary") == "it holds"
    assert facts == {"status": "judged", "device": "cpu", "verdict": "ship", "look": "1", "judged": "finetuned"}


def test_settings_become_one_table_and_what_was_decided_is_told_apart():
    assert flat({"a": {"b": None, "c": (), "d": [1, 2]}, "e": True}) == {"a.d": "1, 2", "e": True}
    assert settled({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == {"b.settled": 3, "c": 4}
