"""The ledger: how often have these test rows been looked at?

The ledger has one line per opening, in the user's data folder. It is on disk before any row is handed out, so a process
killed in between has used up its look. An entry names a side file with 8 bytes for each distinct text of its rows. The look
of an opening is 1 + the earlier openings, of any run, that share at least 5 % of its rows, + those that share less, taken
together: as often as they opened 5 % of the rows. So rows opened in small pieces add up. Entries are chained by hash, and a
head file keeps their number and the last hash; runs keep the hashes of their own openings. An edited entry, a gap, a
shortened tail and a lost file are errors.

Not prevented: deleting the whole ledger (the next look is then the "first known" one), reading the data files by
hand, another machine or another ``PRETUNE_HOME``, rewording every row, and rewriting chain and head with pretune's own
functions (the hashes that runs keep still show that).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pretune import storage
from pretune.data.seal.chain import (
    GENESIS,
    RESTORE,
    LedgerEntry,
    entries_file,
    folder,
    keep_rows,
    line_of,
    parse,
    read_entries,
    read_entry_lines,
    read_head,
    rows_of,
    write_head,
)
from pretune.data.seal.openings import read_openings
from pretune.data.seal.prints import distinct_fingerprints
from pretune.errors import DataError, LedgerError

# Share of an opening's rows that an earlier one must have had to count as a look at them (design: "The ledger").
MIN_SHARED = 0.05


def record_opening(
    texts: Sequence[str], *, run: str, purpose: str, num_models: int = 1, copy: Path | None = None
) -> LedgerEntry:
    """Count one opening of rows; it is on disk when this returns, so call it before reading a label or a score.

    Args:
        texts: The rows' texts, in any order.
        run: Name of the run, for the reader of the ledger.
        purpose: Why, for the reader of the ledger.
        num_models: How many models will be scored on the rows.
        copy: The run's own list of openings, added to. Openings that it has and the ledger lacks are counted too.

    Raises:
        LedgerError: The ledger was changed; nothing is opened.
        DataError: There are no rows.
    """
    if not texts or num_models < 1:
        raise DataError(f"{len(texts)} rows and {num_models} models to open", expected="at least one of each")
    rows = distinct_fingerprints(texts)
    with storage.locked(folder() / "ledger.lock"):
        entries, opened = read_entries()
        if not entries:
            write_head(0, GENESIS)
        num_earlier = count_earlier(rows, opened) + _num_unknown(entries, copy)
        is_vouched = bool(entries) and all(entry.num_rows for entry in entries)
        draft = LedgerEntry(
            index=len(entries) + 1,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            run=run,
            purpose=purpose,
            num_rows=len(texts),
            num_models=num_models,
            look=1 + num_earlier,
            first_known=not num_earlier and not is_vouched,
            rows=keep_rows(rows),
            previous=entries[-1].hash if entries else GENESIS,
        )
        entry = draft.sealed()
        storage.append(entries_file(), line_of(entry))
        write_head(entry.index, entry.hash)
    if copy is not None:
        storage.append(copy, line_of(entry))
    return entry


def verify(known: Iterable[str] = ()) -> tuple[LedgerEntry, ...]:
    """Return all entries, the first first.

    Args:
        known: Hashes of entries that runs remember (``Opening.head``).

    Raises:
        LedgerError: An entry was edited, one is missing, the tail was cut off, or a side file was lost.
    """
    return verify_rows(known)[0]


def verify_rows(known: Iterable[str] = ()) -> tuple[tuple[LedgerEntry, ...], tuple[NDArray[np.uint64], ...]]:
    """Return what ``verify`` does, and the fingerprints of the rows that each opened, each file read once."""
    with storage.locked_to_read(folder() / "ledger.lock"):
        entries, opened = read_entries()
    lost = sorted(set(known) - _present(entries) - {item for entry in entries for item in entry.lost})
    if lost:
        raise LedgerError(
            f"{entries_file()} lacks {len(lost)} openings that runs remember, such as {lost[0][:12]}",
            expected="the entry of every run's opening (unless the run was judged on another machine)",
            fix=RESTORE.replace("'why'", f"'why', lost={lost}"),
        )
    return entries, opened


def acknowledge(why: str, *, lost: Collection[str] = ()) -> LedgerEntry:
    """Continue with a damaged ledger: put it aside, and chain again the openings that can still be read.

    This buys no look: what can be read still counts, and each opening that cannot be read, or was lost, counts for all
    rows from now on, since nobody knows which rows it opened.

    Args:
        why: What happened, for the reader of the ledger.
        lost: Hashes that runs remember and that are gone.

    Returns:
        The entry that says so, the first of the new ledger.
    """
    with storage.locked(folder() / "ledger.lock"):
        lines = read_entry_lines()
        kept = [entry for line in lines if (entry := _salvage(line)) is not None]
        num_entries = max(len(lines), _number_in_head(), *(entry.index for entry in kept), 0)
        if lines:
            aside = folder() / f"ledger.aside-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl"
            storage.replace(aside, entries_file().read_bytes())
        first = LedgerEntry(
            index=1,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            run="",
            purpose=f"acknowledged: {why}",
            num_rows=0,
            num_models=0,
            look=0,
            first_known=False,
            rows=keep_rows(np.array([], dtype="<u8")),
            previous=GENESIS,
            lost=tuple(sorted(lost)),
            num_unreadable=num_entries - len(kept),
        ).sealed()
        chain = [first]
        for entry in kept:
            before = entry.first_hash or entry.hash
            moved = replace(entry, index=len(chain) + 1, previous=chain[-1].hash, first_hash=before)
            chain.append(moved.sealed())
        storage.replace(entries_file(), "".join(line_of(entry) + "\n" for entry in chain))
        write_head(len(chain), chain[-1].hash)
    return first


def count_earlier(rows: NDArray[np.uint64], earlier: Iterable[NDArray[np.uint64]]) -> int:
    """Return how many looks at these rows the earlier openings were.

    Each that shared at least ``MIN_SHARED`` of the rows is one. Those that shared less are as many together as the most
    times that ``MIN_SHARED`` of the rows were opened by them: 23 pieces that make up all rows are one, another 23 are two.

    Args:
        rows: Fingerprints, each once, shape (num_rows,), at least one.
        earlier: Those of each earlier opening.

    Example:
        >>> rows = np.arange(100, dtype=np.uint64)
        >>> count_earlier(rows, [rows, rows[:50]]), count_earlier(rows, [rows[start : start + 4] for start in range(0, 100, 4)])
        (2, 1)
    """
    num_whole, times = 0, np.zeros(len(rows), dtype=np.int64)
    for other in earlier:
        opened = np.isin(rows, other, assume_unique=True)
        if opened.mean() >= MIN_SHARED:
            num_whole += 1
        else:
            times += opened
    least = int(np.ceil(MIN_SHARED * len(rows) - 1e-9))  # of the rows
    return num_whole + int(np.sort(times)[-least])


def _num_unknown(entries: Sequence[LedgerEntry], copy: Path | None) -> int:
    """Count openings that are remembered, by the run or by an acknowledgement, and whose rows are not."""
    remembered = {item for entry in entries for item in entry.lost} | set(_hashes_in(copy))
    return len(remembered - _present(entries)) + sum(entry.num_unreadable for entry in entries)


def _present(entries: Iterable[LedgerEntry]) -> set[str]:
    return {item for entry in entries for item in (entry.hash, entry.first_hash) if item}


def _number_in_head() -> int:
    try:
        return read_head()[0]
    except LedgerError:
        return 0


def _hashes_in(copy: Path | None) -> list[str]:
    return [entry.hash for entry in read_openings(copy)] if copy is not None else []


def _salvage(line: str) -> LedgerEntry | None:
    entry = parse(line)
    try:
        return entry if entry is not None and rows_of(entry) is not None else None
    except (LedgerError, TypeError):
        return None
