"""Checkpoints of a training that was cut off: each whole or absent, checked before it is used, the newest two kept."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from pretune import storage
from pretune.errors import StorageError, UsageError
from pretune.hashing import digest_of_file

# Seconds between two saves, and how many times longer than a save that must be: saving takes at most a twentieth.
SECONDS_BETWEEN = 60.0
TIMES_A_SAVE = 20
KEPT = 2
TENSORS, STATE = "state.safetensors", "state.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a checkpoint holds.

    Args:
        step: Optimizer updates made.
        tensors: Weights and moments by name.
        state: Everything else, as JSON.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]


class Checkpoints:
    """``checkpoints/`` of one run.

    Args:
        folder: Where ``step-N/`` folders go.
        about: What training depends on besides its state, in words or digests: it must be the same to go on.
        tell: Receives a sentence when a checkpoint is used, or is damaged.
    """

    def __init__(self, folder: Path, about: dict[str, str], tell: Callable[[str], None] = lambda _: None) -> None:
        self.folder, self.about, self._tell = folder, about, tell
        self._due = time.monotonic() + SECONDS_BETWEEN

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next one."""
        return time.monotonic() >= self._due

    def save(self, saved: Saved) -> None:
        """Write one; the ones before the last go only when it has been read back.

        Raises:
            StorageError: The disk refused; the checkpoints before are as they were.
        """
        start = time.monotonic()

        def fill(aside: Path) -> None:
            save_file({name: value.contiguous() for name, value in saved.tensors.items()}, aside / TENSORS)
            digest = digest_of_file(aside / TENSORS)
            storage.replace_json(
                aside / STATE, {"step": saved.step, "about": self.about, "digest": digest, "state": saved.state}
            )

        storage.replace(self.folder / f"step-{saved.step}", fill)
        for old in self._folders()[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
        self._due = time.monotonic() + max(SECONDS_BETWEEN, TIMES_A_SAVE * (time.monotonic() - start))

    def load(self) -> Saved | None:
        """Return the newest that holds what was written, or ``None`` where there is none.

        Raises:
            UsageError: It belongs to a training on something else; the message says what differs.
        """
        for folder in self._folders():
            try:
                saved, about = _read(folder)
            except StorageError as error:
                self._tell(f"{folder.name} is damaged and is not used: {error.got}")
                continue
            _check_same(about, self.about, folder)
            self._tell(f"going on after step {saved.step:,}, from {folder.name}")
            return saved
        return None

    def check_room(self, num_bytes: int) -> None:
        """Refuse to begin where the checkpoints would not fit.

        Raises:
            StorageError: There is less room than that of one more than are kept.
        """
        place = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        wanted, free = (KEPT + 1) * num_bytes, shutil.disk_usage(place).free
        if free < wanted:
            raise StorageError(
                f"checkpoints take up to {wanted:,} bytes and {place} has {free:,}",
                expected="room for them",
                fix="free the room, or name a --run on another disk",
            )

    def remove(self) -> None:
        """Remove all of them: the training they belong to is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        """Return the checkpoints, the newest first."""
        found = [path for path in self.folder.glob("step-*") if path.name.removeprefix("step-").isdecimal()]
        return sorted(found, key=lambda path: -int(path.name.removeprefix("step-")))


def _read(folder: Path) -> tuple[Saved, dict[str, str]]:
    for name in (TENSORS, STATE):
        if not (folder / name).is_file() or (folder / name).is_symlink():
            raise StorageError(f"{name} is missing")
    head = storage.read_json(folder / STATE)
    try:
        step, about, digest, state = int(head["step"]), dict(head["about"]), str(head["digest"]), dict(head["state"])
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"{STATE} does not have what a checkpoint has") from error
    if digest_of_file(folder / TENSORS) != digest:
        raise StorageError(f"{TENSORS} is not what was written")
    return Saved(step=step, tensors=load_file(folder / TENSORS), state=state), about


def _check_same(then: dict[str, str], now: dict[str, str], folder: Path) -> None:
    changed = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    if changed:
        told = "; ".join(f"{name}: {then.get(name, 'nothing')} then, {now.get(name, 'nothing')} now" for name in changed)
        raise UsageError(
            f"{folder.parent.parent} was begun with something else ({told})",
            expected="what it was begun with, to go on with it",
            fix="put that back, or pass --overwrite to begin again",
        )
