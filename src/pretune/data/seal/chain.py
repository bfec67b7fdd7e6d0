"""The chain: the ledger's entries on disk, each with the hash of the entry before.

``ledger.jsonl`` holds the entries, ``ledger.head.json`` their number and the last hash, ``ledger.rows/`` one side
file for each set of rows: sorted 64-bit fingerprints, 8 bytes each, little-endian.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pretune import storage
from pretune.errors import LedgerError, StorageError
from pretune.hashing import digest_of
from pretune.records import SCHEMA, Record

GENESIS = "0" * 64
RESTORE = (
    "restore the folder from a backup, or continue with what can still be read, on the record: "
    "python -c \"from pretune.data.seal import ledger; ledger.acknowledge('why')\""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry(Record):
    """One opening of test rows, or one acknowledgement that part of the ledger was lost."""

    schema: int = SCHEMA
    index: int  # 1 for the first line
    time: str  # ISO 8601, UTC
    run: str
    purpose: str
    num_rows: int
    num_models: int  # models scored in this opening: each is a comparison
    look: int
    first_known: bool  # nothing is known of earlier looks, and nothing vouches that there were none
    rows: str  # SHA-256 of the side file with the rows' fingerprints
    previous: str  # hash of the entry before
    first_hash: str | None = None  # hash before an acknowledgement chained the entry again
    lost: tuple[str, ...] = ()  # in an acknowledgement: hashes that runs remember and the ledger lost
    num_unreadable: int = 0  # in an acknowledgement: entries that were there and could not be read
    hash: str = ""  # of all the fields above

    def sealed(self) -> "LedgerEntry":
        """Return the entry with its hash filled in."""
        value = self.to_json()
        del value["hash"]
        return replace(self, hash=digest_of(value))


def folder() -> Path:
    """Return the folder of the ledger."""
    return storage.data_folder()


def entries_file() -> Path:
    """Return the file of the entries, one a line."""
    return folder() / "ledger.jsonl"


def _head_file() -> Path:
    return folder() / "ledger.head.json"


def _rows_file(digest: str) -> Path:
    return folder() / "ledger.rows" / f"{digest[:32]}.u64"


def line_of(entry: LedgerEntry) -> str:
    """Return the entry as its line."""
    return json.dumps(entry.to_json())


def write_head(num_entries: int, last: str) -> None:
    """Write down how many entries there are and the hash of the last, so that a shortened tail shows."""
    storage.replace_json(_head_file(), {"schema": SCHEMA, "num_entries": num_entries, "hash": last})


def keep_rows(rows: NDArray[np.uint64]) -> str:
    """Write fingerprints, shape (num_rows,), to a file of their own; return its SHA-256."""
    data = rows.astype("<u8").tobytes()
    digest = sha256(data).hexdigest()
    storage.sweep(_rows_file(digest).parent)  # names are used once, so that no later write of the same would
    storage.replace(_rows_file(digest), data)
    return digest


def rows_of(entry: LedgerEntry) -> NDArray[np.uint64]:
    """Return an entry's fingerprints, shape (num_rows,).

    Raises:
        LedgerError: Their file is missing or was changed.
    """
    path = _rows_file(entry.rows)
    data = path.read_bytes() if path.exists() else None
    if data is None or sha256(data).hexdigest() != entry.rows:
        raise LedgerError(
            f"{path}, the rows of ledger entry {entry.index}, {'is missing' if data is None else 'was changed'}",
            expected=f"the fingerprints of {entry.num_rows} rows",
            fix=RESTORE,
        )
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)


def read_entry_lines() -> list[str]:
    """Return the complete lines; a torn last one is dropped."""
    data = entries_file().read_bytes() if entries_file().exists() else b""
    return data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def parse(line: str) -> LedgerEntry | None:
    """Return a line as an entry, or ``None`` where it is none."""
    try:
        return LedgerEntry.from_json(json.loads(line))
    except (ValueError, TypeError, AttributeError):
        return None


def read_entries() -> tuple[tuple[LedgerEntry, ...], tuple[NDArray[np.uint64], ...]]:
    """Return all entries, the first first, each link checked, and the fingerprints of each.

    Raises:
        LedgerError: One was edited, one is missing, the tail was cut off, or a side file was lost.
    """
    lines = read_entry_lines()
    entries, previous = list[LedgerEntry](), GENESIS
    for index, line in enumerate(lines, start=1):
        entry = parse(line)
        if entry is None or entry.sealed().hash != entry.hash:
            raise LedgerError(
                f"line {index} of {entries_file()} was edited", expected="the entry as it was written", fix=RESTORE
            )
        if entry.index != index or entry.previous != previous:
            raise LedgerError(
                f"line {index} of {entries_file()} does not follow line {index - 1}: it is entry {entry.index}",
                expected="entries in order, none missing",
                fix=RESTORE,
            )
        entries.append(entry)
        previous = entry.hash
    _check_head(entries)
    return tuple(entries), tuple(map(rows_of, entries))


def read_head() -> tuple[int, str]:
    """Return the number of entries and the last hash, as written down.

    Raises:
        LedgerError: The head file was edited.
    """
    try:
        head = storage.read_json(_head_file())
        return int(head["num_entries"]), str(head["hash"])
    except (StorageError, ValueError, TypeError, KeyError) as error:
        raise LedgerError(f"{_head_file()} was edited ({error})", expected="what pretune wrote", fix=RESTORE) from error


def _check_head(entries: Sequence[LedgerEntry]) -> None:
    """Compare with the head; one entry more than it says is what a process killed after its entry leaves."""
    if not _head_file().exists():
        if entries or (folder() / "ledger.rows").exists():
            raise LedgerError(f"{_head_file()} is missing", expected="the ledger's head beside it", fix=RESTORE)
        return
    number, last = read_head()
    if len(entries) < number:
        raise LedgerError(
            f"{entries_file()} has {len(entries)} entries", expected=f"at least {number}: the tail was cut off", fix=RESTORE
        )
    if (entries[number - 1].hash if number else GENESIS) != last:
        raise LedgerError(
            f"entry {number} of {entries_file()} is not the one that its head names", expected=f"hash {last[:12]}", fix=RESTORE
        )
