"""The trace: what happened, stage by stage and step by step. Sent to listeners, kept in ``trace.jsonl``."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import StorageError
from pretune.records import PredictionTrace, Record, Step, Validation

Events = list[dict[str, Any]]
Listener = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Stage:
    """One row of the pipeline trace, filled in while the stage runs.

    Shapes are words such as ``"10,605 rows × 3 columns"`` or ``"7,424 texts × 26 tokens"``.
    """

    name: str
    shape_in: str = ""
    done: str = ""
    shape_out: str = ""
    example: str = ""
    notes: list[str] = field(default_factory=list)


class Trace:
    """An open trace.

    Args:
        path: The file to append to; ``None`` holds events back until ``keep_in`` names one.
        listeners: Called with every event; the command line draws from them.
    """

    def __init__(self, path: Path | None = None, listeners: tuple[Listener, ...] = ()) -> None:
        self._path, self._listeners = path, listeners
        self._waiting: list[str] = []

    def keep_in(self, path: Path, *, begin: bool = False) -> None:
        """Append to ``path`` from now on, what was held back first.

        Args:
            path: ``trace.jsonl`` of a run.
            begin: Mark a fresh attempt, so that events of one that was cut off are told apart.
        """
        if begin:
            self._waiting.insert(0, json.dumps({"time": round(time.time(), 3), "event": "begun"}))
        self._path = path
        self._flush()

    @contextmanager
    def stage(self, name: str, shape_in: str = "") -> Iterator[Stage]:
        """Time a block; its shapes, counts and example become one durable event when it ends well."""
        row, start = Stage(name, shape_in), time.perf_counter()
        self._tell({"event": "stage_started", "stage": name})
        yield row
        seconds = round(time.perf_counter() - start, 3)
        event = {"event": "stage", "stage": name, "shape_in": row.shape_in, "done": row.done, "shape_out": row.shape_out}
        self._write({**event, "seconds": seconds, "example": row.example, "notes": row.notes}, durable=True)

    def step(self, step: Step) -> None:
        """Keep one optimizer update; steps reach the disk with the next durable event."""
        self._write({"event": "step", **step.to_json()}, durable=False)

    def training(self, name: str) -> None:
        """Name the training that comes next, where a run has several: one per seed, fold or proof."""
        self._write({"event": "training", "name": name}, durable=False)

    def validation(self, validation: Validation) -> None:
        """Keep one row of the training trace."""
        self._write({"event": "validation", **validation.to_json()}, durable=True)

    def prediction(self, prediction: PredictionTrace) -> None:
        """Keep one text followed through the layers."""
        self._write({"event": "prediction", **prediction.to_json()}, durable=True)

    def keep(self, kind: str, record: Record) -> None:
        """Keep a record whole, under a name of its own."""
        self._write({"event": kind, **record.to_json()}, durable=True)

    def note(self, text: str) -> None:
        """Keep one sentence that the user should see: a guess, a default, something dropped."""
        self._write({"event": "note", "text": text}, durable=True)

    def adopt(self, event: dict[str, Any]) -> None:
        """Keep a stage that another run made before; nobody is told again."""
        self._waiting.append(json.dumps(event, ensure_ascii=False, allow_nan=False))

    def progress(self, what: str, done: int, total: int, unit: str = "") -> None:
        """Tell how far long work is; this is for eyes only and not kept."""
        self._tell({"event": "progress", "what": what, "done": done, "total": total, "unit": unit})

    def _write(self, event: dict[str, Any], *, durable: bool) -> None:
        self._waiting.append(json.dumps({"time": round(time.time(), 3), **_finite(event)}, ensure_ascii=False, allow_nan=False))
        if durable:
            self._flush()
        self._tell(event)

    def _flush(self) -> None:
        if self._path is not None and self._waiting:
            storage.append_chained(self._path, self._waiting)
            self._waiting.clear()

    def _tell(self, event: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener(event)


def _finite(event: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in event.items()}


def read_events(path: Path, *, head: str = "") -> Events:
    """Return the events of a trace, those of the last attempt where the run was begun again.

    Args:
        path: ``trace.jsonl`` of a run.
        head: The digest of a line that must be there; see ``RunRecord.heads``.

    Raises:
        StorageError: A line was changed.
    """
    events = [_parse_event(path, number, line) for number, line in enumerate(storage.read_chained(path, head=head), 1)]
    begun = [index for index, event in enumerate(events) if event["event"] == "begun"]
    return events[begun[-1] :] if begun else events


def _parse_event(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise StorageError(
            f"line {number} of {path} is damaged",
            expected="an event as pretune wrote it",
            fix="restore the file, or make the run again",
        )
    event.pop("chain", None)
    return event
