"""Holding: one process at a time owns a run folder."""

import fcntl
import os
from pathlib import Path
from typing import IO
from weakref import WeakValueDictionary

from pretune import storage
from pretune.hashing import digest_of


class Lock:
    """A lock that is given back when nobody refers to it any more.

    Args:
        handle: Of the lock file in the user's data folder, which is there before the run's folder is.
        folder: Descriptor of the folder itself, locked as well: another container has a data folder of its own.
    """

    def __init__(self, handle: IO[bytes], folder: int | None) -> None:
        # Bare descriptors: a file object in a circle is finalized, with a warning, before what closes it.
        self._descriptors = [os.dup(handle.fileno()), *([] if folder is None else [folder])]
        handle.close()

    def __del__(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


_LOCKS: WeakValueDictionary[Path, Lock] = WeakValueDictionary()  # what this process holds


def held(place: Path) -> Lock | None:
    """Return the lock of a folder where this process has it."""
    return _LOCKS.get(place)


def is_held_elsewhere(place: Path) -> bool:
    """Whether another process has the folder now."""
    return held(place) is None and storage.is_locked(_name_of(place))


def _name_of(place: Path) -> str:
    return digest_of(str(place))[:24]


def hold(place: Path) -> Lock | None:
    """Take the lock of a folder, ``None`` where another process has it."""
    handle = storage.try_lock(_name_of(place))
    if handle is None:
        return None
    try:
        folder = _lock(place)
    except BlockingIOError:
        handle.close()
        return None
    return _LOCKS.setdefault(place, Lock(handle, folder))


def _lock(place: Path) -> int | None:
    """Lock a folder; ``None`` where there is none, or its file system has no locks.

    Raises:
        BlockingIOError: Another process has it.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor
