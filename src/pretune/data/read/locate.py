"""Locate: is what the user typed a catalogue name, a path or an id on the hub?"""

import importlib.util
from pathlib import Path

from pretune.data.catalogue.entries import Entry
from pretune.data.catalogue.fetch import find_entry, list_names, near_names
from pretune.data.read.files import format_of
from pretune.data.read.hub import looks_like_id
from pretune.errors import DataError

_SHOWN = 3


def locate(source: str | Path) -> Entry | Path | str:
    """Return the catalogue's entry, the path that exists, or the id of a data set on the hub.

    A catalogue name is the catalogue's, also where a file or folder has that name (``./NAME``, or a ``Path``, means
    the file). Then comes a path that exists, then the hub where ``datasets`` is installed; a name that is nearly one of
    the catalogue or of a file here is taken for a slip, not sent to the hub.

    Raises:
        DataError: There is no such thing; the message says what was looked for where, and what is near.
    """
    name = str(source)
    entry = find_entry(name) if isinstance(source, str) else None
    if entry is not None:
        return _data_entry(entry)
    path = Path(source).expanduser()
    if name.strip() and is_there(path):
        return path
    files_near, near_entries = near_files(path), near_names(name, list_names("data"))
    is_id = isinstance(source, str) and looks_like_id(name) and format_of(path) is None and not files_near and not near_entries
    if is_id and importlib.util.find_spec("datasets") is not None:
        return name
    near = [*files_near, *near_entries][:_SHOWN]
    looked = f"a file or folder {name!r} (in {path.absolute().parent}) and a catalogue name"
    hub = '; for an id on the Hugging Face hub: `pip install "pretune[hub]"`' if is_id else ""
    raise DataError(
        f"there is no {name!r}; looked for {looked}",
        expected="a file, a folder, or one of the catalogue: " + ", ".join(list_names("data")),
        fix=(f"did you mean {' or '.join(map(repr, near))}?" if near else "check the spelling and the folder you are in") + hub,
    )


def is_there(path: Path) -> bool:
    """Whether anything is at that path; a name that no file can have is a name of nothing."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a NUL
        return False


def _data_entry(entry: Entry) -> Entry:
    if entry.kind == "data":
        return entry
    raise DataError(
        f"{entry.name!r} is a model of the catalogue, not data",
        expected="one of the data sets: " + ", ".join(list_names("data")),
        fix=f"name the data first, and the model with --model {entry.name}",
    )


def near_files(path: Path) -> list[str]:
    """Files beside a missing one whose names are near, or the first missing folder on the way to it."""
    folder = path.parent
    if not is_there(folder) or not folder.is_dir():
        return []
    names = sorted(item.name for item in folder.iterdir() if not item.name.startswith("."))
    stems = {Path(name).stem: name for name in names}
    near = near_names(path.name, names) or [stems[stem] for stem in near_names(path.stem, list(stems))]
    return [str(folder / name) for name in near]
