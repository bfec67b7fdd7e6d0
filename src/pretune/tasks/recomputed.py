"""Recomputed: what the files of a run give, beside what its record has, compared byte by byte as canonical JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from pretune.data.seal.chain import LedgerEntry
from pretune.errors import StorageError
from pretune.records import Record, RunRecord

Found = TypeVar("Found", bound=Record)

MAX_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed(Generic[Found]):
    """What came out.

    Args:
        stored: SHA-256 of what ``run.json`` has.
        found: SHA-256 of what the files give.
        differences: One line for each thing that differs; none where the bytes are the same.
        assessment: What the files give.
        record: What ``run.json`` has.
    """

    stored: str
    found: str
    differences: tuple[str, ...]
    assessment: Found
    record: RunRecord

    def check(self) -> None:
        """Raise a ``StorageError`` that names what differs."""
        if self.differences:
            shown = "\n".join(f"  {line}" for line in self.differences[:MAX_SHOWN])
            more = f"\n  and {len(self.differences) - MAX_SHOWN} more" if len(self.differences) > MAX_SHOWN else ""
            raise StorageError(
                f"run {self.record.run}: the files do not give the verdict that is stored ({self.stored[:12]}, "
                f"they give {self.found[:12]})\n{shown}{more}",
                expected="the same bytes",
                fix="restore the files that were changed, or judge again with the version of pretune that run.json names",
            )


def compare(record: RunRecord, found: Found, differences: Iterator[str]) -> Recomputed[Found]:
    """Compare what the files give with what ``run.json`` has.

    Args:
        record: ``run.json``.
        found: From the files; every field of it is one of the record.
        differences: Of anything else, one line each.
    """
    whole, given = record.to_json(), found.to_json()
    stored = {name: whole[name] for name in given}
    lines = tuple(differences)
    if canonical_bytes(stored) != canonical_bytes(given):
        lines += tuple(describe(stored, given))
    return Recomputed(
        stored=sha256(canonical_bytes(stored)).hexdigest(),
        found=sha256(canonical_bytes(given)).hexdigest(),
        differences=lines,
        assessment=found,
        record=record,
    )


def canonical_bytes(value: Any) -> bytes:
    """Return the one JSON text of a value: sorted keys, no spaces, ASCII, shortest digits that read back the same.

    Example:
        >>> canonical_bytes({"b": 0.1, "a": [1, None]})
        b'{"a":[1,null],"b":0.1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def compare_opening(record: RunRecord, opening: LedgerEntry) -> Iterator[str]:
    """Yield a line where the look of the record is not that of the opening."""
    if record.look != opening.look:
        yield f"look: stored {record.look}, the opening was look {opening.look}"


def describe(stored: Any, found: Any, path: str = "") -> Iterator[str]:
    """Yield one line for every value that differs."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in dict.fromkeys((*stored, *found)):
            yield from describe(stored.get(key), found.get(key), f"{path}.{key}" if path else key)
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for index, (old, new) in enumerate(zip(stored, found, strict=True)):
            yield from describe(old, new, f"{path}[{_name(new, index)}]")
    elif canonical_bytes(stored) != canonical_bytes(found):
        yield f"{path}: stored {_short(stored)}, recomputed {_short(found)}"


def _name(item: Any, index: int) -> str:
    """Return what a reader knows a record by."""
    if not isinstance(item, dict):
        return str(index)
    keys = ("split", "source", "a", "b", "metric", "label", "check", "name")
    return " ".join(str(item[key]) for key in keys if item.get(key) is not None) or str(index)


def _short(value: Any) -> str:
    text = f"{len(value)} entries" if isinstance(value, list) else json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 160 else text[:159] + "…"
