"""Folders: the tables that lie in one, read as one table; of files named for a split, those of the split that is asked for."""

from pathlib import Path
from typing import NamedTuple

from pretune.data.read.files import format_of
from pretune.data.read.folders import check_hub_folder, is_written_by_datasets
from pretune.data.read.hub import SPLITS
from pretune.data.read.walk import Skipped, entries_of
from pretune.wording.counts import counted, listed

_TABLES = ("csv", "tsv", "json lines", "parquet")
_SHOWN = 5


class FolderTables(NamedTuple):
    """Which files of a folder are read, and what there is to say of the others."""

    read: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def tables_in(folder: Path, role: str) -> FolderTables | None:
    """Return the tables that lie in a folder itself; ``None`` where it has none, or is one of the ``datasets`` package.

    Args:
        folder: A path; one of a file has none.
        role: ``data``, ``train``, ``validation`` or ``test``: where files are named so, only that one is read.

    Raises:
        DataError: Something in it leads out of the folder, or is no file.
    """
    if not folder.is_dir() or is_written_by_datasets(folder):
        return None
    skipped = Skipped()
    tables = [item for item in entries_of(folder, skipped) if item.is_file() and format_of(item) in _TABLES]
    if not tables:
        return None
    check_hub_folder(folder, folder.name)
    own = [item for item in tables if _split_of(item) in SPLITS.get(role, ())]
    chosen = own if own and any(_split_of(item) for item in tables) else tables
    others = [item.name for item in tables if item not in chosen]
    notes = [f"{folder.name}: {counted(len(chosen), 'table')} read as one"] if len(chosen) > 1 else []
    notes += [f"{folder.name}: {listed(others, _SHOWN)} not read; --validation and --test name given splits"] if others else []
    return FolderTables(tuple(chosen), (*skipped.note(folder.name), *notes))


def _split_of(file: Path) -> str | None:
    """The split that a file's name begins with, such as ``train-00000.parquet``."""
    stem = file.name.casefold().split(".")[0].split("-")[0].split("_")[0]
    return stem if any(stem in names for names in SPLITS.values()) else None
