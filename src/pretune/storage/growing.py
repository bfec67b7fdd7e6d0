"""A file that grows for hours: written beside its place, resumed after a kill, and moved there when it is whole."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from pretune.errors import UsageError
from pretune.hashing import digest_of
from pretune.storage.asides import put_new
from pretune.storage.locks import try_lock
from pretune.storage.reading import read_json
from pretune.storage.room import storage_errors
from pretune.storage.writing import flush_folder, replace_json


class GrowingFile:
    """``NAME.part``, and ``NAME.part.json``, which says how far the part is right and what it depends on.

    Args:
        path: Where the whole file will be.
        about: All that its contents depend on, by name: a command of other inputs must not resume it.
        overwrite: Whether a file that is there, or a part that another command began, may be replaced.

    Attributes:
        num_rows: Rows of the part that are right, as ``mark`` was told.

    Raises:
        UsageError: There is a file, another command's part, or another process.
        StorageError: The disk refused.
    """

    def __init__(self, path: Path, about: Mapping[str, str], *, overwrite: bool) -> None:
        self.path, self._about = path, dict(about)
        self.part, self.note = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
        self._converted, self._may_replace = path.with_name(path.name + ".part.whole"), overwrite
        self._whole: int | None = None  # number of the file that a process was killed over putting in its place
        self.num_rows = self._num_bytes = 0
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else f"cannot be written: there is no folder {path.parent}"
            raise UsageError(f"{path} {what}", expected="the name of a new file in an existing folder")
        lock = try_lock(digest_of(str(path.resolve()))[:24])
        if lock is None:
            raise UsageError(f"another process is writing {path}", expected="a file of its own", fix="wait, or name another")
        with ExitStack() as stack:
            stack.enter_context(lock)
            with storage_errors(self.path):
                self._begin(overwrite)
                self._file: IO[bytes] = stack.enter_context(self.part.open("r+b"))
                self._file.truncate(self._num_bytes)
                self._file.seek(self._num_bytes)
            self._held = stack.pop_all()

    @property
    def is_new(self) -> bool:
        """Whether nothing was written yet."""
        return self._num_bytes == 0

    def write(self, data: bytes) -> None:
        """Add bytes, which last once they are marked."""
        with storage_errors(self.path):
            self._file.write(data)

    def mark(self, num_rows: int) -> None:
        """Put what was written on the disk, and note that the same command resumes from here."""
        with storage_errors(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self.num_rows, self._num_bytes = num_rows, self._file.tell()
        self._write_note()

    def finish(self, convert: Callable[[Path, Path], None] | None = None) -> None:
        """Put the whole file in its place; ``convert`` makes it from the part where the part has another form.

        Raises:
            UsageError: Another file was put there meanwhile; the part is kept.
            StorageError: The disk refused.
        """
        self._file.close()
        with storage_errors(self.path):
            whole = self.part
            if convert is not None:
                whole = self._convert(convert)
            self._check_place()
            self._whole = whole.stat().st_ino
            self._write_note()
            if self._may_replace:
                whole.replace(self.path)
            elif not put_new(whole, self.path):
                raise self._taken()
            flush_folder(self.path.parent)
            self.part.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)  # last: a part without a note is somebody else's

    def _convert(self, convert: Callable[[Path, Path], None]) -> Path:
        try:
            convert(self.part, self._converted)
            with self._converted.open("rb") as file:
                os.fsync(file.fileno())
        except BaseException:  # of a full disk it would take the rest
            self._converted.unlink(missing_ok=True)
            raise
        return self._converted

    def _check_place(self) -> None:
        """Refuse a place that somebody else's file has by now."""
        if not self._may_replace and os.path.lexists(self.path):
            raise self._taken()

    def _taken(self) -> UsageError:
        return UsageError(
            f"{self.path} appeared while this command was running",
            expected="no file there, as when the command started",
            fix=f"move that file away and run the command again; {self.part} keeps the answers so far",
        )

    def close(self) -> None:
        """Let others have it, as it is; what was not marked is lost."""
        self._held.close()

    def _begin(self, overwrite: bool) -> None:
        known = read_json(self.note) if self.note.is_file() else None
        differs = [] if known is None else _differences(known.get("about", {}), self._about)
        is_done = known is not None and not differs and self.path.exists() and not self.part.exists()
        if known is not None and self.path.exists() and known.get("whole") in (None, self.path.stat().st_ino):
            self._may_replace |= is_done or known.get("whole") is not None  # ours, left by a kill at the end
            if is_done and self.path.stat().st_size == known["bytes"]:  # killed before the note was removed
                self.path.replace(self.part)
        self._converted.unlink(missing_ok=True)
        has_part = self.part.exists()
        is_ours = has_part and known is not None and not differs and self.part.stat().st_size >= known["bytes"]
        if not is_ours and not (is_done and self._may_replace) and not overwrite:
            self._check_free(has_part, known is not None, differs)
        if is_ours and known is not None:
            self._check_place()
            self.num_rows, self._num_bytes = known["rows"], known["bytes"]
            return
        self._write_note()  # first: a part without a note is somebody else's
        self.part.write_bytes(b"")

    def _check_free(self, has_part: bool, has_note: bool, differs: list[str]) -> None:
        if has_part and not has_note:
            got = f"{self.part} exists without a note of how far it got"
        elif has_part and differs:
            got = f"{self.part} was started by another command or from other data: the {' and the '.join(differs)} differ"
        elif has_part:
            got = f"{self.part} is shorter than its note says"
        elif self.path.exists():
            got = f"{self.path} exists"
        else:
            return
        raise UsageError(
            got,
            expected="a new file, or one that this same command started",
            fix="name another --output, or pass --overwrite to start over",
        )

    def _write_note(self) -> None:
        replace_json(
            self.note,
            {"schema": 1, "rows": self.num_rows, "bytes": self._num_bytes, "about": self._about, "whole": self._whole},
        )


def _differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
