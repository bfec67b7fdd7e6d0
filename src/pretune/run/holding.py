"""Holding: one process at a time has a run folder."""

import os
from pathlib import Path
from typing import IO
from weakref import WeakValueDictionary

from pretune import storage
from pretune.hashing import digest_of


class Lock:
    """A lock that is given back when nobody refers to it any more."""

    def __init__(self, handle: IO[bytes]) -> None:
        # A bare descriptor: a file object in a circle is finalized, with a warning, before what closes it.
        self._descriptor = os.dup(handle.fileno())
        handle.close()

    def __del__(self) -> None:
        os.close(self._descriptor)


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
    return None if handle is None else _LOCKS.setdefault(place, Lock(handle))
