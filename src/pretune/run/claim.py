"""Claiming: which folder a command's run gets, to begin or to resume."""

import itertools
from collections.abc import Mapping
from pathlib import Path

from pretune.errors import PretuneError, StorageError, UsageError
from pretune.hashing import digest_of
from pretune.records import RunRecord
from pretune.run.damage import is_free, not_free
from pretune.run.folder import UNFINISHED, RunFolder


def claim_folder(
    base: str,
    inputs: Mapping[str, str],
    *,
    named: Path | None = None,
    overwrite: bool = False,
    continue_changed: bool = False,
    done: str = "judged",
) -> RunFolder:
    """Return the folder for a run, locked against other processes.

    A run of the same inputs that was cut off is resumed. Otherwise it is the first free one of ``runs/BASE``,
    ``-2``, ``-3``; or the one named, if it is free, can be resumed, or is to be overwritten.

    Args:
        base: Name for the default folder.
        inputs: What "the same command" means, by name.
        named: The folder the user named.
        overwrite: Whether a run in ``named`` (or in the default folder) may be replaced.
        continue_changed: Whether a run of other inputs that was cut off or diverged may be resumed.
        done: Status from which such a run is finished.

    Raises:
        UsageError: The folder named is taken, or in use by another process.
    """
    if overwrite and continue_changed:
        raise UsageError(
            "--overwrite and --continue-changed were both given",
            expected="one of them: --overwrite starts over, --continue-changed resumes",
        )

    def may_be_had(folder: RunFolder) -> bool:
        return is_free(folder.path) or _is_same(folder, inputs, done, continue_changed=continue_changed)

    if named is not None or overwrite:
        folder = RunFolder(named or Path("runs") / base)
        folder.hold()
        if overwrite:
            _check_replaceable(folder.path)
            folder.is_to_be_replaced = True
        elif not may_be_had(folder):
            raise _taken(folder, done, inputs)
        folder.continue_changed = continue_changed
        return folder
    for number in itertools.count(1):
        folder = RunFolder(Path("runs") / (base if number == 1 else f"{base}-{number}"))
        if may_be_had(folder) and folder.try_hold():
            break
    folder.continue_changed = continue_changed
    return folder


def identity_of(inputs: Mapping[str, str]) -> str:
    """Return what stands for the inputs in a record; of none, nothing."""
    return digest_of(dict(inputs)) if inputs else ""


_FINISHED = {
    "judged": ("judged", "diverged"),
    "trained": ("trained", "judged", "diverged"),
    "pretrained": ("pretrained", "diverged"),
}


def _is_same(folder: RunFolder, inputs: Mapping[str, str], done: str, *, continue_changed: bool) -> bool:
    record = _record_of(folder)
    if record is None:
        return False
    if continue_changed and record.status in UNFINISHED:
        return True
    return record.identity == identity_of(inputs) and record.status not in _FINISHED[done]


def _record_of(folder: RunFolder) -> RunRecord | None:
    """Return the record, or ``None`` where there is none that can be read: such a folder is left alone."""
    try:
        return folder.read_record()
    except (UsageError, StorageError):
        return None


def _taken(folder: RunFolder, done: str, inputs: Mapping[str, str]) -> PretuneError:
    path, record = folder.path, _record_of(folder)
    replaced = "name another --run, or pass --overwrite to replace it"
    if record is not None and record.status == "diverged":
        return UsageError(
            f"{path} holds a run whose {record.failure}",
            expected="a new folder",
            fix=f"{replaced}; or pass --continue-changed and a lower --lr to resume it from its last checkpoint",
        )
    if record is not None and record.status in _FINISHED[done]:
        return UsageError(f"{path} holds a finished run", expected="a new folder", fix=replaced)
    if record is not None:
        return UsageError(
            f"{path} holds an interrupted run of another command{_differences(record.inputs, inputs)}",
            expected="a new folder, or the same command",
            fix=f"{replaced}; or pass --continue-changed to resume it anyway, which its reports show",
        )
    return not_free(path)


def _differences(then: Mapping[str, str], now: Mapping[str, str], limit: int = 6) -> str:
    names = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    told = [f"{name}: {then.get(name, 'nothing')} then, {now.get(name, 'nothing')} now" for name in names[:limit]]
    more = [f"and {len(names) - limit} more"] if len(names) > limit else []
    return f" ({'; '.join(told + more)})" if then and now and told else ""


def _check_replaceable(path: Path) -> None:
    if path.exists() and not (path / "run.json").is_file() and not is_free(path):
        raise UsageError(f"{path} exists and is not a run folder, so it is not overwritten", fix="name another --run")


def default_name(source: str, model: str) -> str:
    """Return ``DATA-MODEL`` as a folder name.

    Example:
        >>> default_name("tables/Film reviews.csv.gz", "minilm")
        'Film-reviews-minilm'
    """
    stem = Path(source).name.split(".")[0] or "data"
    kept = "".join(sign if sign.isalnum() or sign in "_-" else "-" for sign in f"{stem}-{Path(model).name}")
    return kept[:60].strip("-") or "run"  # 240 bytes at most, where file systems stop at 255
