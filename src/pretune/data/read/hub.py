"""Hub: data sets of the Hugging Face hub, and folders in the hub's layout, through the ``datasets`` package."""

import re
from pathlib import Path
from typing import Any

from pretune.data.read.arrow import from_batches
from pretune.data.read.folders import check_hub_folder
from pretune.data.read.table import Origin, RawTable
from pretune.errors import DataError, require

# "owner/name", "owner/name/config" or "name", each with ":split" or without.
_ID = re.compile(r"[\w.-]+(?:/[\w.-]+){0,2}(?::\w+)?")
SPLITS = {
    "data": ("train",),
    "train": ("train",),
    "validation": ("validation", "valid", "dev"),
    "test": ("test",),
}


def looks_like_id(name: str) -> bool:
    """Whether ``name`` has the form of a data set's id on the hub."""
    return _ID.fullmatch(name) is not None and not name.startswith(".")


def read_hub(name: str, role: str, *, folder: Path | None = None) -> RawTable:
    """Return the rows of one split of a data set; row 1 is the first.

    Args:
        name: An id, ``owner/name``, ``owner/name/config``, each also with ``:split``; for a folder its name.
        role: Which split to read where none is named: ``data`` and ``train`` read ``train``.
        folder: A folder that ``save_to_disk`` wrote, or one of table files that ``load_dataset`` reads.

    Raises:
        DataError: It cannot be had, or has no such split; the message lists the splits.
        MissingPackageError: ``datasets`` is not installed.
    """
    loaded, origin, notes = open_hub(name, role, folder=folder)
    datasets = require("datasets", extra="hub")
    classes = {
        column: list(feature.names) for column, feature in loaded.features.items() if isinstance(feature, datasets.ClassLabel)
    }
    try:
        table = loaded.with_format("arrow")[:]
        raw = from_batches(iter([table]), table.schema, origin, classes)
    except DataError:
        raise
    except (
        OSError,
        ValueError,
        RuntimeError,
        TypeError,
        KeyError,
        require("pyarrow", extra="parquet").ArrowException,
    ) as error:
        raise _unloadable(folder or name, folder, error) from error
    raw.notes.extend(notes)
    return raw


def open_hub(name: str, role: str, *, folder: Path | None = None) -> tuple[Any, Origin, list[str]]:
    """Return one split of a data set as the ``datasets`` package maps it, where it comes from, and what to tell.

    Args and errors are those of ``read_hub``.
    """
    datasets = require("datasets", extra="hub")
    if folder is not None:
        check_hub_folder(folder, name)
    dataset_id, _, wanted = name.partition(":") if folder is None else (name, "", "")
    loaded = _load(datasets, dataset_id, folder)
    notes = []
    if isinstance(loaded, dict):
        split = _choose_split(list(loaded), wanted, role, name)
        others = [other for other in loaded if other != split]
        if others:
            notes.append(f"read the split {split!r} of {dataset_id}; it also has {', '.join(map(repr, others))}")
        loaded = loaded[split]
        short = f"{dataset_id.replace('/', '-')}-{split}"
    else:
        short = dataset_id.replace("/", "-")
    return loaded, Origin(shown=dataset_id, name=short, role=role, format="data set"), notes


def _load(datasets: Any, dataset_id: str, folder: Path | None) -> Any:
    try:
        if folder is None:
            owner_name, config = _divided(dataset_id)
            return datasets.load_dataset(owner_name, config)
        written = (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()
        return datasets.load_from_disk(str(folder)) if written else datasets.load_dataset(str(folder))
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, datasets.exceptions.DatasetsError) as error:
        raise _unloadable(folder or dataset_id, folder, error) from error


def _unloadable(shown: str | Path, folder: Path | None, error: BaseException) -> DataError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return DataError(
        f"{shown} could not be loaded as a Hugging Face data set: {reason}",
        expected="a folder of that kind" if folder else "an id on the hub, and a network connection",
        fix="check the folder's files" if folder else "check the spelling (owner/name, owner/name/config) and the network",
    )


def _divided(dataset_id: str) -> tuple[str, str | None]:
    parts = dataset_id.split("/")
    return "/".join(parts[:2]), parts[2] if len(parts) == 3 else None


def _choose_split(splits: list[str], wanted: str, role: str, name: str) -> str:
    names = (wanted,) if wanted else SPLITS.get(role, ("train",))
    found = next((split for split in names if split in splits), None)
    if found is None and not wanted and len(splits) == 1:
        return splits[0]
    if found is None:
        raise DataError(
            f"{name} has no split {names[0]!r}",
            expected="one of " + ", ".join(map(repr, splits)),
            fix=f"name it as {name.partition(':')[0]}:{splits[0]}",
        )
    return found
