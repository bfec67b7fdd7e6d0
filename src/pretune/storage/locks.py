"""Locks: one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pretune.storage.room import data_folder, storage_errors


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock for as long as the block runs; other processes wait."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_to_read(path: Path) -> Iterator[None]:
    """Keep writers out for as long as the block runs; where nothing may be written, as far as a lock is there to be taken."""
    handle: IO[bytes] | None = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    if handle is None:
        with suppress(OSError):
            handle = path.open("rb")
    if handle is None:
        yield
        return
    with handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


def is_locked(name: str) -> bool:
    """Whether somebody has the user-wide lock of that name; nothing is written, so that this can be asked anywhere."""
    path = data_folder() / "locks" / f"{name}.lock"
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or it may not be read
        return False
    return False


def try_lock(name: str) -> IO[bytes] | None:
    """Take the user-wide lock of that name for as long as the returned file stays open; ``None`` where it is taken."""
    path = data_folder() / "locks" / f"{name}.lock"
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle
