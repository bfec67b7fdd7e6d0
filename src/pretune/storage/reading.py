"""Reading: returns what pretune wrote, or raises an error that names the file."""

import json
from pathlib import Path
from typing import Any

from pretune.errors import StorageError
from pretune.storage.room import storage_errors


def read_lines(path: Path) -> list[str]:
    """Return the complete lines of an appended file; a torn last line is dropped, a missing file is empty."""
    if not path.exists():
        return []
    with storage_errors(path):
        data = path.read_bytes()
        return data[: data.rfind(b"\n") + 1].decode("utf-8", "surrogatepass").split("\n")[:-1]


def read_json(path: Path) -> Any:
    """Read JSON that pretune wrote.

    Raises:
        StorageError: The file is absent, unreadable or not JSON.
    """
    with storage_errors(path):
        text = path.read_bytes().decode("utf-8", "surrogatepass")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{path} is not valid JSON: {error}", fix="restore the file: it was changed by hand") from error
