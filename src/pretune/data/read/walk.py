"""Walk: which entries of a folder are files to read, and which are junk, pipes, devices, or links that lead out."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pretune.errors import DataError

# What systems and archives leave in folders: folders and files that hold no text of the user's.
JUNK_FOLDERS = frozenset({"__macosx", "$recycle.bin", "system volume information", "@eadir"})
JUNK_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"})
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)
_SHOWN = 4


@dataclass(slots=True)
class Skipped:
    """What was passed over in a folder, by its name."""

    names: Counter[str] = field(default_factory=Counter)

    def note(self, shown: str) -> list[str]:
        """Return a note that counts them; none where nothing was passed over."""
        if not self.names:
            return []
        kinds = [f"{count:,} × {name}" if count > 1 else name for name, count in self.names.most_common(_SHOWN)]
        more = f" and {len(self.names) - _SHOWN:,} more names" if len(self.names) > _SHOWN else ""
        count = self.names.total()
        what = (
            "1 entry left by a system or archive was" if count == 1 else f"{count:,} entries left by systems or archives were"
        )
        return [f"{shown}: {what} skipped: {', '.join(kinds)}{more}"]


def is_junk(name: str) -> bool:
    """Whether a name is that of a file or folder that a system or an archive leaves behind."""
    folded = name.casefold()
    return name.startswith("._") or folded in JUNK_FILES or folded in JUNK_FOLDERS


def entries_of(folder: Path, skipped: Skipped) -> Iterator[Path]:
    """Yield the entries of a folder by name, without hidden ones and without junk, which is counted.

    Raises:
        DataError: The folder cannot be listed.
    """
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"the folder {folder} cannot be read: {error.strerror or error}",
            expected="a folder that you may read",
            fix="check its permissions and the disk",
        ) from error
    for path in found:
        if is_junk(path.name):
            skipped.names["._*" if path.name.startswith("._") else path.name] += 1
        elif path.name.startswith("."):
            skipped.names["hidden files"] += 1
        else:
            yield path


def files_below(root: Path, skipped: Skipped) -> Iterator[Path]:
    """Yield what lies in a folder and below it and is no folder, in the order of the names; links to folders are such, too.

    Raises:
        DataError: A folder cannot be listed.
    """
    waiting = [root]
    while waiting:
        path = waiting.pop()
        if path is not root and (path.is_symlink() or not path.is_dir()):
            yield path
        else:
            waiting.extend(reversed(list(entries_of(path, skipped))))


def why_not_read(path: Path, root: Path) -> str | None:
    """Return why a file is not opened: it is a pipe, a socket or a device, or a link that leads out of ``root``.

    Args:
        path: What may be read.
        root: The folder that the user named, resolved.
    """
    if path.is_symlink() and (reason := _why_no_link(path, root)):
        return reason
    try:
        kind = kind_of(path.stat().st_mode)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return None if kind is None else f"is {kind}, not a file"


def leads_out(path: Path, root: Path) -> bool:
    """Whether a link leads out of ``root``, which is resolved."""
    return path.is_symlink() and not path.resolve().is_relative_to(root)


def kind_of(mode: int) -> str | None:
    """Name what is no file, by its mode; ``None`` for a file."""
    return next((name for is_kind, name in _KINDS if is_kind(mode)), None)


def is_utf8(name: str) -> bool:
    """Whether a file's name can be written as text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_file(path: Path) -> int:
    """Open a file to read its bytes; what is no file is not waited for.

    Raises:
        OSError: It cannot be opened, or is a pipe, a socket or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    kind = kind_of(os.fstat(descriptor).st_mode)
    if kind is None:
        return descriptor
    os.close(descriptor)
    raise OSError(0, f"is {kind}, not a file")


def _why_no_link(path: Path, root: Path) -> str | None:
    try:
        target = path.resolve()
    except (OSError, RuntimeError):
        return "is a link that leads in a circle"
    return None if target.is_relative_to(root) else "is a link that leads out of the folder"
