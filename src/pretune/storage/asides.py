"""Asides: files and folders written beside their place, put there in one instant once whole, and swept if their maker is gone.

An aside is locked as long as its maker lives, in any container: the system releases the lock when a process is killed. So an
aside that can be locked has no maker, and whoever sweeps it holds the lock until it is gone. A maker that has just begun waits
for the lock, sees that its aside is gone, and begins again.
"""

import ctypes
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

# How what is written aside ends until it is renamed: what a killed process left can be told from what belongs there.
ASIDE = ".aside"
PREVIOUS = f".previous{ASIDE}"  # a folder that was taken out of its place, where the system cannot exchange two
AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2  # of Linux: renameat2(2)
CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


@contextmanager
def aside_file(path: Path) -> Iterator[tuple[int, Path]]:
    """Make an empty file beside ``path``, open and locked, with the mode that the umask gives; it is gone afterwards."""
    while True:
        aside = _name(path)
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        _lock(descriptor)
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # swept before it was locked
    try:
        yield descriptor, aside
    finally:
        aside.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def aside_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder beside ``path``, locked; whatever has its name afterwards is removed."""
    while True:
        aside = _name(path)
        aside.mkdir()
        with suppress(FileNotFoundError):  # swept before it was locked
            descriptor = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            _lock(descriptor)
            if aside.exists():
                break
            os.close(descriptor)
    try:
        yield aside
    finally:
        remove(aside)
        os.close(descriptor)


@contextmanager
def put_in_place(aside: Path, path: Path) -> Iterator[None]:
    """Let ``path`` be what ``aside`` is, at one instant; what was there before, if anything, has the other name then.

    Linux exchanges the two names. Elsewhere there is a moment without ``path``; ``settle`` mends it after a kill. Nobody sweeps
    what was there before while the block runs.
    """
    settle(path)
    with _held(path):
        if not os.path.lexists(path):
            aside.rename(path)
        elif not exchange(aside, path):
            previous = path.with_name(f".{path.name}{PREVIOUS}")
            path.rename(previous)
            aside.rename(path)
            previous.rename(aside)
        yield


def exchange(a: Path, b: Path) -> bool:
    """Exchange two names at one instant; ``False`` where system or file system cannot."""
    return _rename(a, b, RENAME_EXCHANGE) == 0


def put_new(a: Path, b: Path) -> bool:
    """Rename ``a`` to ``b`` unless there is a ``b``; return whether it was.

    Where system or file system cannot do so at one instant, there is one between looking and renaming.
    """
    number = _rename(a, b, RENAME_NOREPLACE, known=(errno.EEXIST,))
    if number in CANNOT and not os.path.lexists(b):
        a.rename(b)
        return True
    return number == 0


def _rename(a: Path, b: Path, how: int, known: tuple[int, ...] = ()) -> int:
    """Rename as Linux alone does; return 0, or the number of an error that is known or says that it cannot be done."""
    function = _renameat2()
    if function is None:
        return errno.ENOSYS
    if function(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), how) == 0:
        return 0
    number = ctypes.get_errno()
    if number in CANNOT or number in known:
        return number
    raise OSError(number, os.strerror(number), str(b))


def settle(path: Path) -> None:
    """Put back what a process that was killed between two renames has taken out of its place; wait for one that lives.

    Readers call it as well; where they may not write, the folder stays where it is.
    """
    previous = path.with_name(f".{path.name}{PREVIOUS}")
    if not os.path.lexists(previous):
        return
    with suppress(FileNotFoundError, PermissionError), _held(previous):
        if os.path.lexists(path):
            shutil.rmtree(previous, ignore_errors=True)
        else:
            previous.rename(path)


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove what processes that are gone have left aside in a folder.

    Args:
        folder: Where.
        name: Of the file or folder whose asides these are; all, unless given.
    """
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if not entry.name.startswith(f".{name}." if name else ".") or not entry.name.endswith(ASIDE):
                continue
            place = folder / entry.name
            if entry.name.endswith(PREVIOUS):
                settle(folder / entry.name[1 : -len(PREVIOUS)])
            elif entry.is_symlink():
                remove(place)
            else:
                _sweep_one(place)


def sweep_tree(folder: Path) -> None:
    """Sweep a folder and all that are in it."""
    for place, names, _ in os.walk(folder):
        sweep(Path(place))
        names[:] = [name for name in names if not name.endswith(ASIDE)]


def _sweep_one(place: Path) -> None:
    """Remove a file or folder unless the process that makes it lives."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone, or not to be touched
        if place.is_file():
            remove(place)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(place)
    except OSError:
        return  # its maker lives
    finally:
        os.close(descriptor)


def remove(place: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; nothing is said where that cannot be."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink()


def discard(place: Path) -> None:
    """Remove a file or folder at one instant: it is renamed first, so that a kill leaves it whole or as something to sweep."""
    if os.path.lexists(place):
        with suppress(OSError):
            gone = _name(place)
            place.rename(gone)
            place = gone
        remove(place)


def _name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{ASIDE}")


def _lock(descriptor: int) -> None:
    with suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Lock a place that is there; wait for whoever has it."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


@cache
def _renameat2() -> Any:
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return function
