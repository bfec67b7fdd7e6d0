"""Damage: what is wrong with a folder that is not a whole run, and which parts of it are still usable."""

from pathlib import Path

from pretune import storage
from pretune.errors import PretuneError, StorageError, UsageError

# What a run has in data/ before run.json says that it was begun.
_OWN_DATA = {"receipt.json", "train.jsonl", "validation.jsonl", "test.sealed.jsonl"}
# What each part is good for where the record is lost.
PARTS = {
    "model": "`pretune predict RUN/model` answers with it, and `pretune verify RUN/model` checks it",
    "linear": "`pretune predict RUN/linear` answers with it",
    "predictions": "`pretune audit` reads each table and gives the same figures",
    "data": "the rows, with the test still sealed; the same command makes them again",
    "report.html": "it shows what was found",
    "README.md": "the model card",
}


def no_run(path: Path) -> PretuneError:
    """Return what is to be said of a folder without a record: it is no run's, or it is that of a damaged run."""
    if any((path / name).exists() for name in ("trace.jsonl", "predictions", "data/train.jsonl", "data/test.sealed.jsonl")):
        return damaged(path, f"{path}/run.json is missing")
    if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
        got = f"{path} is not a run folder: it has no run.json"
    else:
        got = f"{path} is not a run folder: it does not exist" if not path.exists() else f"{path} is an empty folder"
    return UsageError(
        got,
        expected="a folder that `pretune run` or `pretune finetune` made, such as runs/reviews-minilm",
        fix="check the name; `ls runs` lists yours",
    )


def damage_of(path: Path) -> StorageError | None:
    """Return what is to be said of a run that has lost its record; ``None`` where the folder is no run's."""
    found = None if (path / "run.json").is_file() else no_run(path)
    return found if isinstance(found, StorageError) else None


def is_free(path: Path) -> bool:
    """Whether there is nothing, or only what a refused file, or a run cut off while it read, leaves behind."""
    if not path.is_dir():
        return not path.exists()
    names = {item.relative_to(path).as_posix() for item in path.rglob("*") if not item.name.endswith(storage.ASIDE)}
    return names <= {"data", *(f"data/{name}" for name in _OWN_DATA)}


def not_free(path: Path) -> PretuneError:
    """Return what is to be said of a folder that a run cannot have."""
    found = no_run(path)
    if isinstance(found, StorageError):
        return found
    return UsageError(f"{path} exists and is not a run folder", expected="a new folder", fix="name another --run")


def damaged(path: Path, what: str) -> StorageError:
    """Return what is to be said of a run that has lost a part: what is still there, and what can be had again."""
    there = {name: note for name, note in PARTS.items() if (path / name).exists()}
    gone = [name for name in ("model", "linear", "predictions", "data") if not (path / name).exists()]
    told = "; ".join(f"{name} is there: {note}" for name, note in there.items()) or "nothing else is there"
    missing = f"; also missing: {', '.join(gone)}" if gone else ""
    return StorageError(
        f"{path} is a damaged run: {what}\n{told}{missing}",
        expected="a run as pretune wrote it",
        fix="restore the file from a backup, or make the run again in a new folder (--run)",
    )
