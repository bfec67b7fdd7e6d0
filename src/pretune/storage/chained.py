"""Chained lines: each line of a growing file ends with a digest of itself and of the line before, so changes show.

``{"event": "note", "chain": "0123456789abcdef"}``: the digest is of the last line's digest and of this line without its own. A
file that an earlier version began continues with chained lines, the first of which is bound to the last unchained one.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from pretune.errors import StorageError
from pretune.storage.room import storage_errors
from pretune.storage.writing import append_with

ENDING = re.compile(rb', "chain": "([0-9a-f]{16})"\}\Z')


def append_chained(path: Path, lines: Sequence[str]) -> None:
    """Add JSON objects, each a line of its own; they are on disk when this returns.

    Raises:
        StorageError: The disk refused.
    """

    def make(last: str) -> str:
        known, made = last.encode("utf-8", "surrogatepass"), list[bytes]()
        for line in lines:
            known = _chained(known, line.encode("utf-8", "surrogatepass"))
            made.append(known)
        return b"\n".join(made).decode("utf-8", "surrogatepass")

    append_with(path, make)


def read_chained(path: Path, *, head: str = "") -> list[str]:
    """Return the complete lines; a torn last one, which a kill leaves, is dropped.

    Args:
        path: What ``append_chained`` wrote; there may be none.
        head: The digest that a line must have: what was last when somebody looked.

    Raises:
        StorageError: A line was changed, or lines are missing; the message names the first.
    """
    if not path.exists():
        if head:
            raise StorageError(f"{path} is missing", fix="restore the file")
        return []
    with storage_errors(path):
        *lines, tail = path.read_bytes().split(b"\n")
    before, is_chained, heads = b"", False, set[str]()
    for number, line in enumerate(lines, start=1):
        found = ENDING.search(line)
        if (found is None and is_chained) or (found is not None and _chained(before, _bare(line)) != line):
            raise _changed(path, f"line {number} of {path} is damaged: it is not what was written")
        if found is not None:
            is_chained = True
            heads.add(found[1].decode())
        before = line
    if tail and _chained(before, _bare(tail[:-1])) == tail[:-1]:
        raise _changed(path, f"line {len(lines) + 1} of {path} is damaged: its end is not what was written")
    if head and head not in heads:
        raise _changed(path, f"{path} was changed: its last lines are missing")
    try:
        return [line.decode("utf-8", "surrogatepass") for line in lines]
    except UnicodeDecodeError as error:
        raise _changed(path, f"{path} is damaged: {error}") from error


def head_of(path: Path) -> str:
    """Return the digest of the last line, ``""`` where there is none."""
    if not path.exists():
        return ""
    with storage_errors(path):
        found = ENDING.search(path.read_bytes().rpartition(b"\n")[0].rpartition(b"\n")[2])
    return found[1].decode() if found else ""


def _bare(line: bytes) -> bytes:
    found = ENDING.search(line)
    return line if found is None else line[: found.start()] + b"}"


def _chained(before: bytes, line: bytes) -> bytes:
    """Return a line with its digest."""
    found = ENDING.search(before)
    known = found[1] if found else sha256(before).hexdigest().encode() if before else b""
    digest = sha256(known + line).hexdigest()[:16]
    return line[:-1] + f', "chain": "{digest}"}}'.encode()


def _changed(path: Path, what: str) -> StorageError:
    return StorageError(
        what, expected=f"the lines of {path.name} as pretune wrote them", fix="restore the file, or make the run again"
    )
