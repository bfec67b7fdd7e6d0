"""What reading yields: rows of cells, then a table of examples, or one message if reading fails."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pretune.data.labels.spelling import is_missing
from pretune.data.labels.types import type_of_labels
from pretune.errors import DataError
from pretune.records import Columns, Example, FileReceipt, LineCounts, Record, Rejection
from pretune.wording.counts import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Record):
    """A table of texts as it was read: raw, not cleaned, every row accounted for."""

    examples: tuple[Example, ...]
    files: tuple[FileReceipt, ...]
    columns: Columns
    licence: str | None = None
    source: str
    notes: tuple[str, ...] = ()
    label_type: str = "str"  # of the labels, see ``label_types``


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where rows come from.

    Args:
        shown: The place as messages name it.
        name: The file as receipts and example ids name it.
        role: ``data``, ``train``, ``validation`` or ``test``.
        format: ``csv``, ``json lines``, ...
        encoding: Of the bytes; ``None`` where the format has none.
        sha256: Of the file as it lies on disk.
    """

    shown: str
    name: str
    role: str
    format: str
    encoding: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """A cell that is not text: a list, an object, bytes."""

    kind: str
    shown: str
    value: Any = None  # where it is at hand


Cell = str | Nested | None  # None: missing


class Row(NamedTuple):
    """One row; ``line`` is where it starts in the file when that is not its row number."""

    number: int
    cells: Sequence[Cell]
    line: int | None = None


@dataclass(slots=True, kw_only=True)
class RawTable:
    """Rows of cells under named columns, before it is known which column plays which role."""

    origin: Origin
    columns: tuple[str, ...]
    rows: list[Row]
    rejected: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_filtered: int = 0  # rows that --where left out
    types: dict[str, str] = field(default_factory=dict)  # of columns whose values are all numbers or truth values of Python
    lines: LineCounts | None = None  # of a delimited file


def as_cell(value: Any) -> Cell:
    """Return a value of Python as a cell: scalars as ``str`` writes them; ``None``, NaN, ``NaT`` and ``pandas.NA`` are missing.

    Example:
        >>> as_cell(True), as_cell(1), as_cell(1.5), as_cell(float("nan"))
        ('True', '1', '1.5', None)
    """
    if value is None or isinstance(value, (str, Nested)):
        return str(value) if isinstance(value, str) and type(value) is not str else value
    if is_missing(value):
        return None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Nested("bytes", repr(bytes(value)[:20]))
    if hasattr(value, "__iter__"):
        kind = "an object" if hasattr(value, "keys") else "a list"
        return Nested(kind, str(value), value.tolist() if hasattr(value, "tolist") else value)
    return str(value)


def types_of(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> dict[str, str]:
    """Return the type of each column whose values are all numbers or truth values; missing ones aside."""
    found = dict[str, str]()
    for name, values in zip(names, columns, strict=True):
        if not any(isinstance(value, str) for value in values[:1]):
            kind = type_of_labels(value for value in values if not is_missing(value))
            found |= {name: kind} if kind != "str" else {}
    return found


def place(origin: Origin, row: int | None = None, column: str | None = None, line: int | None = None) -> str:
    """Return where something is, in words.

    Example:
        >>> place(Origin(shown="a.csv", name="a.csv", role="data", format="csv"), 3, "text", 7)
        "a.csv, row 3 (line 7), column 'text'"
    """
    parts = [origin.shown]
    if row is not None:
        parts.append(f"row {row}" + (f" (line {line})" if line not in (None, row) else ""))
    if column is not None:
        parts.append(f"column {column!r}")
    return ", ".join(parts)


def unusable(
    origin: Origin,
    got: str,
    *,
    expected: str,
    fix: str,
    at: tuple[int | None, str | None, int | None] = (None, None, None),
) -> DataError:
    """Return the error for a file that cannot be read as a table at all.

    The receipt it carries counts the file as one row, rejected: how many rows it was meant to have is not known.

    Args:
        origin: The file.
        got: What is wrong with it.
        expected: What was expected instead.
        fix: What to do.
        at: Row, column and line, where they exist.
    """
    row, column, line = at
    rejection = Rejection(file=origin.name, row=row, column=column, reason=got)
    receipt = receipt_of(origin, num_rows=1, num_used=0, rejected=(rejection,))
    return DataError(f"{place(origin, row, column, line)}: {got}", expected=expected, fix=fix, files=(receipt,))


def check_names(names: Sequence[str], origin: Origin, row: int | None = None) -> None:
    """Raise where two columns have one name.

    Raises:
        DataError: It names the column, and where it stands.
    """
    counts = Counter(names)
    if len(counts) == len(names):
        return
    twice = next(name for name in names if counts[name] > 1)
    places = [str(index) for index, name in enumerate(names, 1) if name == twice]
    where = listed(places, 5, write=str)
    raise unusable(
        origin,
        f"this name is there more than once, as columns {where}",
        expected="each name once",
        fix="rename or remove one of them",
        at=(row, twice, None),
    )


def receipt_of(
    origin: Origin,
    *,
    num_rows: int,
    num_used: int,
    rejected: tuple[Rejection, ...],
    num_filtered: int = 0,
    lines: LineCounts | None = None,
) -> FileReceipt:
    """Return the receipt of one file; ``lines`` is what became of its lines, where it is delimited."""
    return FileReceipt(
        file=origin.name,
        role=origin.role,
        format=origin.format,
        encoding=origin.encoding,
        sha256=origin.sha256,
        num_rows=num_rows,
        num_used=num_used,
        rejected=rejected,
        num_filtered=num_filtered,
        lines=lines,
    )
