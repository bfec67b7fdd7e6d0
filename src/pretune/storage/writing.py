"""Writing: a replaced file or folder is whole or unchanged, an appended line is there or not."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from pretune.errors import StorageError
from pretune.hashing import digest_of_file
from pretune.storage.asides import aside_file, aside_folder, exchange, put_in_place, remove, sweep
from pretune.storage.digests import digests_of
from pretune.storage.room import rust_errors, storage_errors


def replace(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Put a file, or a whole folder, in place of ``path``: write aside, flush to disk, rename, read back.

    All get the mode that the user's umask gives, whatever the library that wrote them chose. What earlier processes that were
    killed have left aside of the same name is removed.

    Args:
        path: Where it will be.
        content: Text or bytes of a file, or a function that fills the empty folder it is given; it may return the digests of
            files that it has read back, by name, which are not read once more then.

    Raises:
        StorageError: The disk refused, or what was read back differs. ``path`` is then as it was.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, path.name)
    if callable(content):
        _replace_folder(path, content)
    else:
        _replace_file(path, content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)


def replace_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON; a figure that is not finite is an error, not ``NaN`` in the file."""
    replace(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def check_writable(path: Path, *, is_appended: bool = False) -> None:
    """Refuse to begin where a file could not be replaced later, or appended to.

    Raises:
        StorageError: It cannot; nothing was changed.
    """
    with storage_errors(path):
        if is_appended and path.exists():
            path.open("r+b").close()
        else:
            with aside_file(path):
                pass


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises:
        StorageError: The disk refused.
    """
    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def append(path: Path, line: str) -> None:
    """Add one line to a file that others may be adding to; it is on disk when this returns.

    A torn last line, left by a process that was killed, is cut off first.

    Raises:
        StorageError: The disk refused.
    """
    append_with(path, lambda _: line)


def append_with(path: Path, make: Callable[[str], str]) -> None:
    """Add what is made from the last whole line of the file (``""`` where there is none); nobody else adds meanwhile.

    Raises:
        StorageError: The disk refused.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with storage_errors(path), path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _drop_torn_line(file)
        data = make(_last_line(file)).encode("utf-8", "surrogatepass") + b"\n"
        with storage_errors(path, len(data)):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    with storage_errors(path):
        flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Let the names in a folder be on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def umask() -> int:
    """Return which permissions files of this user do not get."""
    try:
        for line in Path("/proc/self/status").read_bytes().splitlines():
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    except OSError:
        pass
    known = os.umask(0o077)  # no other way: for an instant other threads have this one
    os.umask(known)
    return known


def _replace_file(path: Path, data: bytes) -> None:
    with storage_errors(path, len(data)):
        with aside_file(path) as (descriptor, aside):
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            aside.replace(path)
        flush_folder(path.parent)
        if path.read_bytes() != data:
            raise StorageError(f"{path} does not hold what was written to it", fix="check the disk")


def _replace_folder(path: Path, fill: Callable[[Path], object]) -> None:
    with storage_errors(path), aside_folder(path) as aside:
        try:
            with rust_errors():
                told = fill(aside)
            _give_modes(aside)
            for item in (*sorted(aside.rglob("*")), aside):
                _flush(item)
        except OSError as error:
            _tell_size(error, path, aside)
        known: dict[str, str] = told if isinstance(told, dict) else {}
        written = digests_of(aside, lambda file: known.get(file.relative_to(aside).as_posix()) or digest_of_file(file))
        with put_in_place(aside, path):
            flush_folder(path.parent)
            if digests_of(path) == written:
                return
            if not (aside.exists() and exchange(aside, path)):
                remove(path)
                if aside.exists():
                    aside.rename(path)
            raise StorageError(f"{path} does not hold what was written to it", fix="check the disk")


def _tell_size(error: OSError, path: Path, aside: Path) -> None:
    """Say how much was written, or was there before, when the disk was full: about that is needed."""
    sizes = [sum(item.stat().st_size for item in place.rglob("*") if item.is_file()) for place in (aside, path)]
    with storage_errors(path, max(sizes)):
        raise error


def _give_modes(folder: Path) -> None:
    """Give every file and folder the mode that the umask gives: safetensors writes files that only their owner may read."""
    hidden = umask()
    for item in (folder, *folder.rglob("*")):
        if not item.is_symlink():
            item.chmod((0o777 if item.is_dir() else 0o666) & ~hidden)


def _flush(path: Path) -> None:
    if path.is_dir():
        flush_folder(path)
    elif path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _drop_torn_line(file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def _last_line(file: IO[bytes]) -> str:
    """Return the last line of a file that ends in a line end, reading no more than it needs."""
    size, width = file.seek(0, os.SEEK_END), 1 << 12
    while True:
        file.seek(max(0, size - width))
        data = file.read(min(width, size)).removesuffix(b"\n")
        found = data.rfind(b"\n")
        if found >= 0 or width >= size:
            file.seek(0, os.SEEK_END)
            return data[found + 1 :].decode("utf-8", "replace")
        width *= 8
