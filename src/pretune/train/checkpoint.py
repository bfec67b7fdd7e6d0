"""Checkpoints of an interrupted training: each whole or absent, checked before use, the newest two kept."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from pretune import storage
from pretune.errors import DamagedError, PretuneError, StorageError, UsageError
from pretune.records import Change

# Seconds between two saves, and how many times longer than a save that must be: saving takes at most a twentieth.
# PRETUNE_SAVE_SECONDS replaces both, for machines that may be taken away at any moment.
SECONDS_BETWEEN = 60.0
TIMES_A_SAVE = 20
KEPT = 2
TENSORS, STATE = "state.safetensors", "state.json"
# Where training computes, and by which code: after a change of these alone it goes on where it was.
MACHINERY = ("device", "torch", "pretune", "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where to save and to go on from.

    Args:
        folder: ``checkpoints/`` of a run.
        continue_changed: Whether a training that was begun with something else may be resumed.
    """

    folder: Path
    continue_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a checkpoint holds.

    Args:
        step: Optimizer updates made.
        tensors: Weights and moments by name.
        state: Everything else, as JSON.
        is_exact: Whether training resumes with the same rows and settings; otherwise the weights alone are of use.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]
    is_exact: bool = True

    def part(self, kind: str) -> dict[str, Tensor]:
        """Return the tensors of one kind, as ``named_parts`` was given them."""
        start = f"{kind}."
        return {name.removeprefix(start): value for name, value in self.tensors.items() if name.startswith(start)}


def named_parts(**kinds: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of several kinds in one, each by the name of its kind and its own.

    Example:
        >>> sorted(named_parts(weights={"a": Tensor()}, best={"a": Tensor()}))
        ['best.a', 'weights.a']
    """
    return {f"{kind}.{name}": value for kind, tensors in kinds.items() for name, value in tensors.items()}


class Checkpoints:
    """``checkpoints/`` of one run.

    Args:
        folder: Where ``step-N/`` folders go.
        about: What training depends on besides its state, in words or digests: it must be the same to go on.
        tell: Receives a sentence when a checkpoint is used, or is damaged.
        continue_changed: Whether to go on where ``about`` is not what it was.

    Attributes:
        changes: What was another one when the training was resumed; each checkpoint takes them along.
    """

    def __init__(
        self,
        folder: Path,
        about: dict[str, str],
        tell: Callable[[str], None] = lambda _: None,
        *,
        continue_changed: bool = False,
    ) -> None:
        self.folder, self.about, self._tell, self._continue_changed = folder, about, tell, continue_changed
        self.changes: tuple[Change, ...] = ()
        self._base = 0  # added to steps in the names of folders: the number from which steps were counted again
        self._wait = _chosen_wait()
        self._due = time.monotonic() + (SECONDS_BETWEEN if self._wait is None else self._wait)

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
            changes = [change.to_json() for change in self.changes]
            storage.replace_json(
                aside / STATE,
                {"step": saved.step, "base": self._base, "about": self.about, "changes": changes, "state": saved.state},
            )
            storage.write_digests(aside)

        storage.replace(self.folder / f"step-{self._base + saved.step}", fill)
        for old in self._folders()[KEPT:]:
            storage.discard(old)
        wait = max(SECONDS_BETWEEN, TIMES_A_SAVE * (time.monotonic() - start)) if self._wait is None else self._wait
        self._due = time.monotonic() + wait

    def load(self) -> Saved | None:
        """Return the newest that holds what was written, or ``None`` where there is none.

        Raises:
            UsageError: It belongs to a training on something else, and that was not allowed; the message says what differs.
        """
        if self.folder.is_dir():
            storage.sweep(self.folder)
        for folder in self._folders():
            try:
                saved, about, changes, self._base = _read(folder)
            except StorageError as error:
                self._tell(f"{folder.name} is damaged and is not used: {error.got}")
                continue
            found = _compare(about, self.about, saved.step)
            if found and not self._continue_changed:
                raise _begun_with_something_else(self.folder.parent, found)
            self.changes = (*changes, *found)
            saved = replace(saved, is_exact=all(change.what in MACHINERY for change in found))
            if not saved.is_exact:
                self._base = _number_of(folder)
            self._tell(f"resuming after step {saved.step:,}, from {folder.name}")
            if found:
                kept = "where it was" if saved.is_exact else "from its weights, epochs counted from one"
                self._tell(f"--continue-changed: {describe_changes(found)}; training resumes {kept}, and every report says so")
            return saved
        return None

    def check_room(self, num_bytes: int) -> None:
        """Refuse to begin where the checkpoints would not fit.

        Raises:
            StorageError: There is less room than that of one more than are kept.
        """
        storage.check_room(self.folder, (KEPT + 1) * num_bytes, "the checkpoints")

    def remove(self) -> None:
        """Remove all of them: the training they belong to is done."""
        storage.discard(self.folder)

    def _folders(self) -> list[Path]:
        """Return the checkpoints, the newest first."""
        found = [path for path in self.folder.glob("step-*") if _number_of(path) >= 0]
        return sorted(found, key=lambda path: -_number_of(path))


@contextmanager
def taking_over(saved: Saved) -> Iterator[None]:
    """Turn whatever goes wrong while a training takes over what was saved into one message.

    Raises:
        StorageError: It is the checkpoint of something else.
    """
    try:
        yield
    except DamagedError as error:
        raise _misfit(saved, error.got) from error
    except PretuneError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise _misfit(saved, str(error)) from error


def _misfit(saved: Saved, why: str) -> StorageError:
    return StorageError(
        f"the checkpoint after step {saved.step:,} does not hold what this training saves ({why})",
        expected="a checkpoint of the same training",
        fix="pass --overwrite to start over",
    )


def describe_changes(changes: Iterable[Change]) -> str:
    """Return what differs, in words: ``learning_rate: 0.001 then, 0.002 now``."""
    return "; ".join(f"{change.what}: {change.then} then, {change.now} now" for change in changes)


def _chosen_wait() -> float | None:
    given = os.environ.get("PRETUNE_SAVE_SECONDS")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"PRETUNE_SAVE_SECONDS is {given!r}", expected="seconds, 0 or more", fix="leave it unset for 60")
    return seconds


def _number_of(folder: Path) -> int:
    number = folder.name.removeprefix("step-")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else -1


def _read(folder: Path) -> tuple[Saved, dict[str, str], tuple[Change, ...], int]:
    storage.check_digests(folder)
    for name in (TENSORS, STATE):
        if not (folder / name).is_file():
            raise StorageError(f"{name} is missing")
    head = storage.read_json(folder / STATE)
    try:
        step, base, about, state = int(head["step"]), int(head["base"]), dict(head["about"]), dict(head["state"])
        changes = tuple(Change.from_json(item) for item in head["changes"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(f"{STATE} does not have what a checkpoint has") from error
    try:
        tensors = load_file(folder / TENSORS)
    except (SafetensorError, OSError) as error:
        raise StorageError(f"{TENSORS} is not what a checkpoint has: {error}") from error
    return Saved(step=step, tensors=tensors, state=state), about, changes, base


def _compare(then: dict[str, str], now: dict[str, str], step: int) -> tuple[Change, ...]:
    names = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    return tuple(
        Change(what=name, then=str(then.get(name, "nothing")), now=str(now.get(name, "nothing")), step=step) for name in names
    )


def _begun_with_something_else(run: Path, changes: tuple[Change, ...]) -> UsageError:
    return UsageError(
        f"{run} was started with other inputs ({describe_changes(changes)})",
        expected="the inputs that it was started with",
        fix="restore them; pass --overwrite to start over; or pass --continue-changed, which its reports show",
    )
