"""Room: the user's folders, and whether they have room."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pretune.errors import StorageError

RUST_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust tell of an error of the system
SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # how numpy tells of a full disk, without a number
FULL = (errno.ENOSPC, errno.EDQUOT)


def data_folder() -> Path:
    """Return the user's data folder, where the ledger lives; ``PRETUNE_HOME`` moves it."""
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pretune"
    return Path(os.environ.get("PRETUNE_HOME") or default)


def cache_folder() -> Path:
    """Return where fetched models and data are kept; ``PRETUNE_CACHE`` moves it."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pretune"
    return Path(os.environ.get("PRETUNE_CACHE") or default)


def check_room(place: Path, num_bytes: int, what: str) -> None:
    """Refuse to begin where what is about to be written would not fit.

    Args:
        place: Where; it need not be there yet.
        num_bytes: About how many.
        what: For the message: ``"the checkpoints"``.

    Raises:
        StorageError: There is less room.
    """
    free = _free(place)
    if free is not None and free < num_bytes:
        raise StorageError(
            f"the disk is full: {say_bytes(free)} free in {_existing(place)}, about {say_bytes(num_bytes)} needed for {what}",
            expected="enough free space",
            fix="free some space, or use a folder on another disk",
        )


def say_bytes(number: int) -> str:
    """Return a number of bytes as people say it.

    Example:
        >>> say_bytes(2_340_000), say_bytes(512)
        ('2.3 MB', '512 bytes')
    """
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"


def refused(error: OSError, path: Path, num_bytes: int | None = None) -> StorageError:
    """Return what is to be said where the disk refused.

    Args:
        error: What the system said.
        path: What was to be read or written.
        num_bytes: About how many bytes were to be written, where that is known.
    """
    reason = error.strerror or str(error)
    if error.errno not in FULL and not (error.errno is None and SHORT_WRITE.search(str(error))):
        fix = "check that the disk has free space and that you may write there"
        for name, folder in (("PRETUNE_HOME", data_folder()), ("PRETUNE_CACHE", cache_folder())):
            fix += f", or name another folder: {name}=FOLDER" if path.is_relative_to(folder) else ""
        return StorageError(f"cannot use {path}: {reason}", fix=fix)
    free, needed = _free(path.parent), "" if num_bytes is None else f", about {say_bytes(num_bytes)} needed"
    room = f"{'an unknown amount' if free is None else say_bytes(free)} free in {_existing(path.parent)}{needed}"
    reason = os.strerror(error.errno or errno.ENOSPC)
    return StorageError(
        f"the disk is full: {room} for {path.name} ({reason})",
        expected="enough free space; existing files are unchanged",
        fix="free some space, or use a folder on another disk",
    )


@contextmanager
def storage_errors(path: Path, num_bytes: int | None = None) -> Iterator[None]:
    """Turn what a disk, or a file that is no text, says into a ``StorageError``."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise StorageError(f"{path} is not UTF-8: {error}", fix="restore the file: it was changed by hand") from error
    except OSError as error:
        raise refused(error, path, num_bytes) from error


@contextmanager
def rust_errors() -> Iterator[None]:
    """Turn what safetensors and tokenizers raise when a disk refuses, which is no ``OSError``, into one."""
    try:
        yield
    except (OSError, StorageError):
        raise
    except Exception as error:
        found = RUST_ERROR.search(str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def _existing(place: Path) -> Path:
    return next((path for path in (place, *place.absolute().parents) if path.is_dir()), Path("/"))


def _free(place: Path) -> int | None:
    try:
        return shutil.disk_usage(_existing(place)).free
    except OSError:
        return None
