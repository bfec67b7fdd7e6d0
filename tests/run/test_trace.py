"""The trace: told to listeners at once, kept line by line on disk."""

import json
from pathlib import Path
from typing import Any

import pytest

from pretune import storage
from pretune.records import Step, Validation
from pretune.run.trace import Trace

STEP = Step(index=3, loss=0.5, num_targets=32, gradient_norm=1.5, learning_rate=1e-4)
VALIDATION = Validation(
    epoch=1, step=3, training_loss=0.5, training_accuracy=None, loss=0.4, accuracy=0.8, metric="accuracy", metric_value=0.8,
    learning_rate=1e-4, seconds=1.5,
)  # fmt: skip


def events_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in storage.read_lines(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "trace.jsonl"


def test_a_stage_is_one_event_with_shapes_and_seconds(path: Path) -> None:
    with Trace(path).stage("split", "10 rows × 2 columns") as stage:
        stage.done, stage.shape_out, stage.example = "divided", "7 + 2 + 1 rows", "a film"
        stage.notes.append("one group")
    (event,) = events_in(path)
    assert event.pop("time") > 0
    assert event.pop("seconds") >= 0
    assert len(event.pop("chain")) == 16
    assert event == {
        "event": "stage", "stage": "split", "shape_in": "10 rows × 2 columns", "done": "divided",
        "shape_out": "7 + 2 + 1 rows", "example": "a film", "notes": ["one group"],
    }  # fmt: skip


def test_a_stage_that_fails_leaves_no_event(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Trace(path).stage("split"):
        _ = 1 / 0
    assert events_in(path) == []


def test_steps_reach_the_disk_with_the_next_durable_event_and_in_order(path: Path) -> None:
    trace = Trace(path)
    trace.step(STEP)
    assert events_in(path) == []
    trace.validation(VALIDATION)
    trace.note("stopped early")
    assert [event["event"] for event in events_in(path)] == ["step", "validation", "note"]


def test_records_can_be_read_back_from_their_events(path: Path) -> None:
    trace = Trace(path)
    trace.step(STEP)
    trace.validation(VALIDATION)
    step, validation = events_in(path)
    assert (Step.from_json(step), Validation.from_json(validation)) == (STEP, VALIDATION)


def test_listeners_hear_everything_at_once_progress_too() -> None:
    heard: list[dict[str, Any]] = []
    trace = Trace(None, (heard.append,))
    with trace.stage("read"):
        trace.progress("rows", 1, 10, "rows")
        trace.step(STEP)
    assert [event["event"] for event in heard] == ["stage_started", "progress", "step", "stage"]
    assert heard[1] == {"event": "progress", "what": "rows", "done": 1, "total": 10, "unit": "rows"}


def test_progress_is_not_kept(path: Path) -> None:
    trace = Trace(path)
    trace.progress("rows", 1, 10)
    trace.note("done")
    assert [event["event"] for event in events_in(path)] == ["note"]


def test_a_second_trace_continues_the_file_of_a_run_that_was_cut_off(path: Path) -> None:
    Trace(path).note("first")
    with path.open("a") as file:
        file.write('{"event": "no')
    Trace(path).note("second")
    assert [event["text"] for event in events_in(path)] == ["first", "second"]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_null_in_the_file(path: Path, loss: float) -> None:
    trace = Trace(path)
    trace.step(Step(index=0, loss=loss, num_targets=1, gradient_norm=loss, learning_rate=1e-4))
    trace.note("diverged")
    assert (events_in(path)[0]["loss"], events_in(path)[0]["gradient_norm"]) == (None, None)
