"""All durable writing: ``replace`` is whole or absent, ``append`` is locked and flushed."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from pretune.errors import StorageError
from pretune.hashing import digest_of_file

# How what is written aside ends until it is renamed: what a killed process left can be told from what belongs there.
ASIDE = ".aside"
RUST_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust tell of an error of the system
DIGESTS = "digests.txt"  # as `sha256sum` writes and checks it


def data_folder() -> Path:
    """Return the user's data folder, where the ledger lives; ``PRETUNE_HOME`` moves it."""
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pretune"
    return Path(os.environ.get("PRETUNE_HOME") or default)


def cache_folder() -> Path:
    """Return where fetched models and data are kept; ``PRETUNE_CACHE`` moves it."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pretune"
    return Path(os.environ.get("PRETUNE_CACHE") or default)


def replace(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Put a file, or a whole folder, in place of ``path``: write aside, flush to disk, rename, read back.

    Args:
        path: Where it shall be.
        content: Text or bytes of a file, or a function that fills the empty folder it is given.

    Raises:
        StorageError: The disk refused, or what was read back differs. ``path`` is then as it was.
    """
    with _storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            _replace_folder(path, content)
        else:
            _replace_file(path, content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)


def replace_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON; a figure that is not finite is an error, not ``NaN`` in the file."""
    replace(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises:
        StorageError: The disk refused.
    """
    with _storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def write_digests(folder: Path) -> None:
    """List the SHA-256 of every file in the folder beside them, in ``digests.txt``."""
    replace(folder / DIGESTS, _listed(folder))


def check_digests(folder: Path) -> None:
    """Compare a folder with its ``digests.txt``, byte by byte: nothing may be changed, missing, added or a link.

    Raises:
        StorageError: It differs; the message names the first file that does.
    """
    if folder.is_symlink() or not (folder / DIGESTS).is_file():
        raise StorageError(f"{DIGESTS} is missing" if folder.is_dir() else f"{folder} is missing")
    linked = [item.name for item in sorted(folder.rglob("*")) if item.is_symlink()]
    if linked:
        raise StorageError(f"{linked[0]} is a link, and nothing that was written was one")
    with _storage_errors(folder):
        wanted, found = (folder / DIGESTS).read_bytes().split(b"\n"), _listed(folder).encode().split(b"\n")
    if wanted != found:
        names = [{line[66:]: line for line in lines if line} for lines in (wanted, found)]
        wrong = sorted(name for name in names[0] | names[1] if names[0].get(name) != names[1].get(name))
        name = wrong[0].decode("utf-8", "replace") if wrong else DIGESTS
        is_there = (folder / name).is_file() if "\0" not in name else False
        raise StorageError(f"{name} is not what was written" if is_there else f"{name} is missing, or {DIGESTS} is damaged")


def remove_asides(folder: Path) -> None:
    """Remove what processes that were killed while they wrote into this folder have left; nobody else may be writing."""
    for item in folder.glob(f".*{ASIDE}"):
        shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()


def append(path: Path, line: str) -> None:
    """Add one line to a file that others may be adding to; it is on disk when this returns.

    A torn last line, left by a process that was killed, is cut off first.

    Raises:
        StorageError: The disk refused.
    """
    with _storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _storage_errors(path), path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _drop_torn_line(file)
        file.write(line.encode("utf-8", "surrogatepass") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _flush_folder(path.parent)


def read_lines(path: Path) -> list[str]:
    """Return the complete lines of an appended file; a torn last line is dropped, a missing file is empty."""
    if not path.exists():
        return []
    with _storage_errors(path):
        data = path.read_bytes()
        return data[: data.rfind(b"\n") + 1].decode("utf-8", "surrogatepass").split("\n")[:-1]


def read_json(path: Path) -> Any:
    """Read JSON that pretune wrote.

    Raises:
        StorageError: The file is absent, unreadable or not JSON.
    """
    with _storage_errors(path):
        text = path.read_bytes().decode("utf-8", "surrogatepass")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise StorageError(f"{path} is not valid JSON: {error}", fix="the file was changed by hand; restore it") from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock for as long as the block runs; other processes wait."""
    with _storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def try_lock(name: str) -> IO[bytes] | None:
    """Take the user-wide lock of that name for as long as the returned file stays open; ``None`` where it is taken."""
    path = data_folder() / "locks" / f"{name}.lock"
    with _storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _replace_file(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=ASIDE)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _flush_folder(path.parent)
    if path.read_bytes() != data:
        raise StorageError(f"{path} does not hold what was written to it", fix="check the disk")


def _replace_folder(path: Path, fill: Callable[[Path], object]) -> None:
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=ASIDE))
    try:
        with _rust_errors():
            fill(aside)
        for file in sorted(aside.rglob("*")):
            _flush_file(file)
        aside.chmod(0o755)
        written = _digests(aside)
        old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old.", suffix=ASIDE))
        if path.exists():
            path.rename(old / path.name)
        aside.rename(path)
        _flush_folder(path.parent)
        if _digests(path) != written:
            shutil.rmtree(path)
            if (old / path.name).exists():
                (old / path.name).rename(path)
            raise StorageError(f"{path} does not hold what was written to it", fix="check the disk")
        shutil.rmtree(old)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _listed(folder: Path) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in _digests(folder).items() if name != DIGESTS)


@contextlib.contextmanager
def _rust_errors() -> Iterator[None]:
    """Turn what safetensors and tokenizers raise when a disk refuses, which is no ``OSError``, into one."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        found = RUST_ERROR.search(str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def _digests(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): digest_of_file(file) for file in files}


def _flush_file(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop_torn_line(file: Any) -> None:
    if file.seek(0, os.SEEK_END) == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


@contextlib.contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise StorageError(f"{path} is not UTF-8: {error}", fix="the file was changed by hand; restore it") from error
    except OSError as error:
        raise StorageError(
            f"cannot use {path}: {error.strerror or error}",
            fix="check that the disk has room and that you may write there",
        ) from error
