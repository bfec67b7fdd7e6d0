"""One life of a training: a forked process that runs the command and dies, or is refused a write, at a counted file operation.

The product knows nothing of this: an audit hook sees the operations before they happen. ``os.fsync`` raises no audit event,
and is replaced in the child by one that counts.
"""

import errno
import mmap
import os
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

# Audit events that change a disk; of ``open`` those that may write.
WRITES = frozenset(
    {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate", "os.link", "os.symlink", "open", "os.fsync"}
)
FREEING = frozenset({"os.remove", "os.rmdir", "os.chmod", "os.rename"})  # what a full disk still allows
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MODULES = "modules"  # the names of all that an undisturbed life has loaded
PLACES = ("elsewhere", "inside another write", "inside a checkpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What befalls a life.

    Args:
        kind: ``none``, ``kill``, ``full`` or ``read-only``.
        at: The writing operation, counted from 1, that does not happen any more; 0 for a kill at a random moment.
        after: Seconds until such a kill.
    """

    kind: str = "none"
    at: int = 0
    after: float = 0.0


class Board:
    """What a child tells the process that watches it, in memory that they share: it outlives the child."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 4096)

    @property
    def num_writes(self) -> int:
        """Writing operations so far."""
        return self._get(0)

    @num_writes.setter
    def num_writes(self, value: int) -> None:
        struct.pack_into("q", self._memory, 0, value)

    @property
    def place(self) -> int:
        """Index into ``PLACES``."""
        return self._get(8)

    @place.setter
    def place(self, value: int) -> None:
        struct.pack_into("q", self._memory, 8, value)

    def clear(self) -> None:
        """Begin again."""
        self.num_writes = self.place = 0

    def _get(self, offset: int) -> int:
        return int(struct.unpack_from("q", self._memory, offset)[0])


def live(arguments: list[str], fault: Fault, board: Board, folder: Path) -> NoReturn:
    """Run the command line in this process, which must be a fork, and end it; output goes to files in ``folder``."""
    code: object = 70
    try:
        speak_into(folder)
        _mark_places(board)
        _count_writes(fault, board, str(folder))
        from pretune.cli.app import main

        sys.argv = ["pretune", *arguments]
        try:
            main()
        except SystemExit as end:
            code = end.code
        if fault.kind == "none":
            (folder / MODULES).write_text("\n".join(sorted(sys.modules)), encoding="utf-8")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 70)


def speak_into(folder: Path) -> None:
    """Send what this process prints to the files ``out`` and ``err``."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)


def _mark_places(board: Board) -> None:
    from pretune import storage
    from pretune.train import Checkpoints

    def marked(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        def inner(*arguments: Any, **options: Any) -> Any:
            before = board.place
            board.place = max(before, place)
            try:
                return function(*arguments, **options)
            finally:
                board.place = before

        return inner

    for owner, name, place in ((storage, "replace", 1), (storage, "append", 1), (Checkpoints, "save", 2)):
        setattr(owner, name, marked(getattr(owner, name), place))


def _count_writes(fault: Fault, board: Board, folder: str) -> None:
    flush = os.fsync

    def count(event: str) -> None:
        board.num_writes += 1
        if fault.at == 0 or board.num_writes < fault.at:
            return
        if fault.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault.kind == "read-only":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        elif fault.kind == "full" and event not in FREEING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in WRITES and (event != "open" or _writes_into(folder, *arguments)):
            count(event)

    def counted(descriptor: int) -> None:
        count("os.fsync")
        flush(descriptor)

    sys.addaudithook(watch)
    os.fsync = counted  # type: ignore[assignment]


def _writes_into(folder: str, path: Any, _mode: Any, flags: Any) -> bool:
    is_named = isinstance(path, (str, bytes, os.PathLike))
    return is_named and bool(int(flags or 0) & WRITING_FLAGS) and os.fsdecode(path).startswith(folder)
