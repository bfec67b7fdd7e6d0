"""Standard streams that never decide how a command ends: output that cannot be written is dropped, and the work continues.

Otherwise a reader that has seen enough (`| head`) or a full disk would end a training, or end a command with an exit code
that means something else: 1 is a verdict, and so is 0.
"""

import errno
import io
import os
import select
import sys
from typing import Any


class Outlet(io.FileIO):
    """The writing end of a standard stream; it takes everything.

    Attributes:
        refusal: Why nothing is written any more, or ``None``.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.refusal: OSError | None = None

    def write(self, data: Any) -> int:
        """Write bytes; return how many were taken, which is all of them once a write was refused."""
        while self.refusal is None:
            try:
                count = super().write(data)
            except OSError as error:
                self.refusal = error
                break
            if count is not None:
                return count
            select.select([], [self], [])  # somebody else made the terminal non-blocking, and it is busy
        return memoryview(data).nbytes


def protect_streams() -> None:
    """Put an outlet under standard output and standard error, and the null device in place of a closed stream."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # closed: the next file would get this number, and with it what libraries print
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _protect(sys.stdout, 1), _protect(sys.stderr, 2)
    if _is_on(sys.stdout, 1):
        sys.__stdout__ = sys.stdout  # type: ignore[misc]
    if _is_on(sys.stderr, 2):
        sys.__stderr__ = sys.stderr  # type: ignore[misc]


def refusal_of(stream: Any) -> OSError | None:
    """Return why a stream takes no more text, or ``None`` where it does; what is still held back is written out first."""
    stream = getattr(stream, "inner", stream)
    stream.flush()
    refusal = getattr(getattr(getattr(stream, "buffer", None), "raw", None), "refusal", None)
    return refusal if isinstance(refusal, OSError) else None


def is_unread(refusal: OSError) -> bool:
    """Whether the reader has gone, as with `| head`: no fault, unlike a full disk."""
    return refusal.errno == errno.EPIPE


def _protect(stream: Any, descriptor: int) -> Any:
    """Return a stream like this one over an outlet; a character that the terminal lacks is shown by its number.

    A stream that somebody put in place of the standard one is theirs, and stays.
    """
    if stream is not None and not _is_on(stream, descriptor):
        return stream
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(Outlet(descriptor)),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=descriptor == 2 or bool(getattr(stream, "line_buffering", False)),
        write_through=bool(getattr(stream, "write_through", False)),
    )


def _is_on(stream: Any, descriptor: int) -> bool:
    try:
        return bool(stream.fileno() == descriptor)
    except (OSError, ValueError, AttributeError):
        return False
