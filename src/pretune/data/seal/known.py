"""Known rows: which texts are sealed, or were opened before? This counts looks that come by another way.

When a run begins, the fingerprints of its sealed rows are entered in the user's data folder (``sealed.rows/``, 8 bytes per
text, and a line in ``sealed.jsonl``). Seals of this process count as well. Together with the rows of the ledger's openings,
they show whether rows that are evaluated, audited, answered or trained on are test rows of some run.

Rows that nobody has sealed or opened, such as a test file that pretune has never seen, are not known.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np

from pretune import storage
from pretune.data.seal.chain import LedgerEntry, entries_file
from pretune.data.seal.ledger import record_opening, verify_rows
from pretune.data.seal.prints import Prints, distinct_fingerprints, fingerprints_of
from pretune.data.seal.seal import Seal, prints_in_reach
from pretune.errors import LedgerError
from pretune.records import SCHEMA

logger = logging.getLogger(__name__)
CANNOT_JUDGE = "a model that trains on them cannot be judged on them"
MAX_NAMED = 3  # runs that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRows:
    """How many of some rows are known.

    Args:
        num_rows: That were asked about.
        num_sealed: Whose text is in a sealed test.
        num_opened: Whose text an opening in the ledger had.
        num_known: Either.
        runs: Whose test they are in, as far as a run was begun, the newest first.
    """

    num_rows: int
    num_sealed: int = 0
    num_opened: int = 0
    num_known: int = 0
    runs: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say it: ``90 of the 600 texts are sealed test rows of runs/a, and 90 were opened before``; empty for none."""
        named = ", ".join(self.runs[:MAX_NAMED]) + (" and others" if len(self.runs) > MAX_NAMED else "")
        parts = [
            f"{self.num_sealed:,} are sealed test rows{' of ' + named if named else ''}" if self.num_sealed else "",
            f"{self.num_opened:,} were opened before, according to the ledger" if self.num_opened else "",
        ]
        said = " and ".join(filter(None, parts))
        return f"of the {self.num_rows:,} texts {said}" if said else ""


def register_seal(seal: Seal, run: str) -> None:
    """Enter the sealed rows of a run, so that every later command on this machine knows them.

    Raises:
        StorageError: The data folder cannot be written.
    """
    data = distinct_fingerprints(seal.texts()).astype("<u8").tobytes()
    digest = sha256(data).hexdigest()
    line = {"schema": SCHEMA, "run": run, "rows": digest, "num_rows": seal.num_rows}
    known = ({**item, "time": None} for item in _lines())
    if {**line, "time": None} in known:
        return
    path = _rows_file(digest)
    if not path.is_file():
        storage.sweep(path.parent)
        storage.replace(path, data)
    storage.append(_index(), json.dumps({**line, "time": datetime.now(UTC).isoformat(timespec="seconds")}))


def known_rows(texts: Sequence[str]) -> KnownRows:
    """Return how many of these texts a seal or the ledger knows. Nothing is counted by asking.

    Raises:
        LedgerError: The ledger was changed.
    """
    sealed, opened = _sealed(), verify_rows()[1] if entries_file().exists() else ()
    if not texts or not (sealed or opened):
        return KnownRows(num_rows=len(texts))
    asked = fingerprints_of(texts)
    is_sealed, is_opened = np.zeros(len(asked), dtype=np.bool_), np.zeros(len(asked), dtype=np.bool_)
    runs = list[str]()
    for run, rows in sealed:
        found = np.isin(asked, rows)
        is_sealed |= found
        if run and found.any():
            runs.append(run)
    for rows in opened:
        is_opened |= np.isin(asked, rows)
    return KnownRows(
        num_rows=len(texts),
        num_sealed=int(is_sealed.sum()),
        num_opened=int(is_opened.sum()),
        num_known=int((is_sealed | is_opened).sum()),
        runs=tuple(dict.fromkeys(reversed(runs))),
    )


def open_known(texts: Sequence[str], *, run: str, purpose: str) -> LedgerEntry | None:
    """Count a look at rows with their labels where any of them is known; rows that nobody knows are nobody's test.

    Raises:
        LedgerError: The ledger was changed; nothing is to be scored.
    """
    return record_opening(texts, run=run, purpose=purpose) if known_rows(texts).num_known else None


def count_look(texts: Sequence[str], purpose: str) -> int:
    """Enter a look from Python in the ledger where any of the rows is known, and say so; return its number, 1 where none is.

    Raises:
        LedgerError: The ledger was changed; nothing is to be scored.
    """
    entry = open_known(texts, run="Python", purpose=purpose)
    if entry is None:
        return 1
    logger.warning(
        "look %d at these rows, counted in the ledger: they include test rows of a run, or rows opened before", entry.look
    )
    return entry.look


def warn_of_training(texts: Sequence[str]) -> None:
    """Say to whoever fits a model in Python that it trains on test rows of a run."""
    warning = warn_of(texts, CANNOT_JUDGE)
    if warning:
        logger.warning("training: %s", warning)


def warn_of(texts: Sequence[str], what: str) -> str:
    """Return one sentence where texts are known, such as for a command that does not count; else nothing.

    Args:
        texts: Of the rows.
        what: What that means for this command.
    """
    try:
        said = known_rows(texts).describe()
    except LedgerError:  # a damaged ledger stops what opens, not what warns
        return ""
    return f"{said}: {what}" if said else ""


def _sealed() -> list[tuple[str, Prints]]:
    """Return the sealed rows of every run known here, and those of this process, which have no run's name yet."""
    found = list[tuple[str, Prints]]()
    for line in _lines():
        path = _rows_file(str(line.get("rows")))
        data = path.read_bytes() if path.is_file() else b""
        if data and sha256(data).hexdigest() == line.get("rows"):
            found.append((str(line.get("run")), np.frombuffer(data, dtype="<u8").astype(np.uint64)))
    return [*found, *(("", rows) for rows in prints_in_reach())]


def _lines() -> list[dict[str, object]]:
    values = list[object]()
    for line in storage.read_lines(_index()):
        try:
            values.append(json.loads(line))
        except ValueError:
            continue
    return [value for value in values if isinstance(value, dict)]


def _index() -> Path:
    return storage.data_folder() / "sealed.jsonl"


def _rows_file(digest: str) -> Path:
    return storage.data_folder() / "sealed.rows" / f"{digest[:32]}.u64"
