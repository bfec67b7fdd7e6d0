"""Digests of every finished file of a run, and of the last lines of the files that grow."""

import json
from collections.abc import Collection
from pathlib import Path

from pretune import storage
from pretune.hashing import known_digest

# The parts of a run that have digests; data has them where a task reads rows, since a prepared corpus has digests of its own.
PARTS = ("model", "linear", "encoder_linear", "predictions")
GROWING = "data/openings.jsonl"
CARD = "model/README.md"  # a page, drawn again from the record; like the others it is signed


def digests_of_run(path: Path, task: str, *names: str, but: Collection[str] = ()) -> dict[str, str]:
    """Return the SHA-256 of every file that lies still once a run is finished, by its name in the folder.

    Args:
        path: Of the run.
        task: Of the run.
        names: Files and folders of the run; all, unless given.
        but: Files that are left out.
    """
    parts = [path / name for name in names or (*PARTS, *(() if task == "pretrain" else ("data",)))]
    found = sorted(file for part in parts for file in ([part] if part.is_file() else part.rglob("*")) if file.is_file())
    kept = {file.relative_to(path): file for file in found}
    return {
        name.as_posix(): known_digest(file)
        for name, file in kept.items()
        if name.as_posix() not in (GROWING, CARD, *but) and not any(part.endswith(storage.ASIDE) for part in name.parts)
    }


def last_opening(path: Path) -> str:
    """Return the hash of the last opening in a run's list, ``""`` where there is none or it cannot be read."""
    lines = storage.read_lines(path)
    try:
        return str(json.loads(lines[-1])["hash"]) if lines else ""
    except (ValueError, TypeError, KeyError):
        return ""
