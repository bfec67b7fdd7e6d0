"""Weights & Biases: offline, in ``wandb/`` beside the run, unless ``WANDB_MODE`` says otherwise."""

import os
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from pretune.production.log.points import About, Ending, Point

PROJECT = "pretune"  # unless WANDB_PROJECT says otherwise
STEP = "step"  # what every number is drawn over: wandb's own steps only rise, and a point that was missed may come later
# The file of a run is a log of LevelDB: blocks that hold chunks, each with checksum, length and kind, after 7 bytes of its own.
BLOCK, HEAD, START = 32 * 1024, 7, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


class WandB:
    """One run of Weights & Biases.

    Args:
        about: The run. A log that is continued is a further part of the newest one of the same folder.
    """

    def __init__(self, about: About) -> None:
        import wandb

        place = Path(os.environ.get("WANDB_DIR") or about.beside) / "wandb"
        stem = sha256(str(about.path.resolve()).encode()).hexdigest()[:8]
        parts = sorted(place.glob(f"*run-*-{stem}*/run-*.wandb"), key=lambda file: file.parent.name) if about.is_resumed else []
        name = parts[-1].stem.removeprefix("run-") if parts else f"{stem}{int(time.time()):x}"
        self._known = {mark for part in parts if part.stem == f"run-{name}" for mark in _read(part)}
        mode: Any = os.environ.get("WANDB_MODE") or "offline"
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            name=about.run,
            id=name,
            dir=str(place.parent),
            config=about.parameters,
            resume="allow",
            mode=mode,
            settings=wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True, x_disable_meta=True),
        )
        self._run.define_metric("*", step_metric=STEP)

    def known(self) -> set[tuple[str, int]]:
        """Return the numbers that the files of its earlier parts hold."""
        return self._known

    def write(self, points: list[Point]) -> None:
        """Add numbers."""
        for point in points:
            self._run.log({STEP: point.step, **point.values})

    def finish(self, ending: Ending) -> None:
        """Add figures and facts to the summary, and the files as an artifact."""
        import wandb

        self._run.config.update(ending.parameters, allow_val_change=True)
        self._run.summary.update(ending.figures | ending.facts)
        if ending.files:
            artifact = wandb.Artifact(f"{self._run.id}-report", type="report")
            for file in ending.files:
                artifact.add_file(str(file))
            self._run.log_artifact(artifact)
        self._run.finish(exit_code=0 if ending.is_complete else 1)


def _read(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the marks of the points in the file of one part, as far as it was written."""
    from wandb.proto import wandb_internal_pb2

    for data in _records(file.read_bytes()):
        record: Any = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") != "history":
            continue
        values = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        if STEP in values:
            yield from ((name, int(values[STEP])) for name in values if name != STEP)


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log of LevelDB; one that a kill has cut off is not there."""
    at, parts = START, list[bytes]()
    while at + HEAD <= len(data):
        left = BLOCK - at % BLOCK
        if left < HEAD:
            at += left
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        chunk = data[at + HEAD : at + HEAD + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(chunk) < length:
            return
        parts = [chunk] if kind in (FULL, FIRST) else [*parts, chunk]
        at += HEAD + length
        if kind in (FULL, LAST):
            yield b"".join(parts)
