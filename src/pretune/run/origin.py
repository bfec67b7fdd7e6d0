"""Where a model came from: the record of the pre-training run that made it, if pretune did."""

from pathlib import Path
from typing import Any

from pretune.errors import PretuneError
from pretune.records import RunRecord
from pretune.run import RunFolder


def stages_before(model: str) -> list[dict[str, Any]]:
    """Return the stages of the pre-training that made this model, for the trace of a run that fine-tunes it."""
    if origin_of(model) is None:
        return []
    place = Path(model)
    folder = RunFolder(place if (place / "run.json").is_file() else place.parent)
    return [event for event in folder.read_events() if event.get("event") == "stage"]


def origin_of(model: str) -> RunRecord | None:
    """Return the record of the pre-training whose model this is (the run's folder, or ``model/`` in it), or ``None``."""
    place = Path(model)
    for folder in (place, place.parent):
        if (folder / "run.json").is_file() and (folder / "model").is_dir() and place in (folder, folder / "model"):
            try:
                record = RunFolder(folder).read_record()
            except PretuneError:
                return None
            return record if record.task == "pretrain" and record.pretraining is not None else None
    return None
