"""The exports of a run, as they were judged."""

import json
from pathlib import Path

from pretune.errors import StorageError
from pretune.records import JudgedExport

FOLDER, JUDGED = "export", "judged.json"


def read_exports(run: Path) -> tuple[JudgedExport, ...]:
    """Return what is known of each exported form of a run, by name.

    Raises:
        StorageError: A file is damaged.
    """
    return tuple(map(read_judged, sorted((run / FOLDER).glob(f"*/{JUDGED}"))))


def read_judged(file: Path) -> JudgedExport:
    """Return what is known of one exported form.

    Raises:
        StorageError: The file is damaged.
    """
    try:
        return JudgedExport.from_json(json.loads(file.read_bytes()))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise StorageError(f"{file} is damaged: {error}", fix="export again, or remove its folder") from error
