"""A run's own list of openings: copies of ledger entries, each with its hash."""

from pathlib import Path

from pretune import storage
from pretune.data.seal.chain import LedgerEntry, parse
from pretune.errors import StorageError


def read_openings(path: Path, *, head: str = "") -> tuple[LedgerEntry, ...]:
    """Return the openings of a run, the first first; a torn last line, which a kill leaves, is dropped.

    Args:
        path: ``data/openings.jsonl``; there may be none.
        head: The hash that one of them must have: what was last when the record was written.

    Raises:
        StorageError: One was changed, or some are missing.
    """
    if not path.exists() and not head:
        return ()
    with storage.storage_errors(path):
        *lines, tail = path.read_bytes().split(b"\n")
    entries = list[LedgerEntry]()
    for number, line in enumerate(lines, start=1):
        entry = _entry(line)
        if entry is None:
            raise _changed(path, f"line {number} is not the opening that was written")
        entries.append(entry)
    if tail and _entry(tail[:-1]) is not None:
        raise _changed(path, f"the end of line {len(lines) + 1} is not what was written")
    if head and head not in {entry.hash for entry in entries}:
        raise _changed(path, f"the opening {head[:12]} is missing")
    return tuple(entries)


def _entry(line: bytes) -> LedgerEntry | None:
    try:
        entry = parse(line.decode())
        return entry if entry is not None and entry.sealed().hash == entry.hash else None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


def _changed(path: Path, what: str) -> StorageError:
    return StorageError(
        f"{path} was changed: {what}",
        expected="the openings as pretune wrote them",
        fix="restore the file; the ledger in your data folder has the same entries",
    )
