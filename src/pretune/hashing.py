"""When two texts, two sets of rows or two files are the same."""

import hashlib
import json
import os
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# A file changed within so many seconds may be changed again without another time: the clocks of some file systems are coarse.
SETTLED_SECONDS = 2
_KNOWN: dict[tuple[int, int], tuple[tuple[int, int, int], str]] = {}


def fold(text: str) -> str:
    r"""Return ``text`` without what does not make it another text: Unicode form, case, spacing.

    Example:
        >>> fold("  Ｆｉｎｅ\tFILM ")
        'fine film'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def fingerprint(text: str) -> str:
    """Return 16 hexadecimal digits (64 bits) that stand for the folded text.

    Example:
        >>> fingerprint("A  B") == fingerprint("a b")
        True
    """
    return hashlib.blake2b(fold(text).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def digest_of_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 of lines, each length-prefixed so that no two lists collide by joining."""
    digest = hashlib.sha256()
    for line in lines:
        data = line.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; a file that this process has read is read again once somebody has written to it.

    The system's times tell: that of a change is set by no program. ``forget_digests`` lets every file be read again.
    """
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        place, state = (found.st_dev, found.st_ino), _state_of(found)
        known = _KNOWN.get(place)
        if known is not None and known[0] == state:
            return known[1]
        is_settled = time.time_ns() - max(state[1], state[2]) > SETTLED_SECONDS * 10**9
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if is_settled and _state_of(os.fstat(file.fileno())) == state:
            _KNOWN[place] = state, digest
    return digest


def _state_of(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def forget_digests() -> None:
    """Let ``known_digest`` read every file again."""
    _KNOWN.clear()


def digest_of_place(path: Path) -> str:
    """Return the SHA-256 of a file, or of all names and contents in a folder."""
    if path.is_file():
        return digest_of_file(path)
    files = sorted(item for item in path.rglob("*") if item.is_file())
    return digest_of_lines(part for item in files for part in (item.relative_to(path).as_posix(), digest_of_file(item)))
