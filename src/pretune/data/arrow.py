"""Arrow: Parquet files, and data sets of the ``datasets`` package, to rows."""

from typing import Any

from pretune.data.table import Cell, Nested, Origin, RawTable, Row, as_cell, check_names, types_of, unusable
from pretune.optional import require


def read_parquet(data: bytes, origin: Origin) -> RawTable:
    """Return the rows of a Parquet file; row 1 is the first, there is no header.

    Numbers, truth values and dates become strings as Python writes them (``True``, ``1.5``); null and NaN are missing.

    Raises:
        DataError: The file is damaged, cut off or not Parquet.
        MissingPackageError: pyarrow is not installed.
    """
    pyarrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        cut = data.startswith(b"PAR1")
        raise unusable(
            origin,
            f"the Parquet data ends too early, after {len(data):,} bytes" if cut else "is not Parquet",
            expected="a whole Parquet file",
            fix="copy or write it again" if cut else "check what the file is, and name it for its format",
        )
    try:
        table = parquet.read_table(pyarrow.BufferReader(data))
    except (pyarrow.ArrowException, OSError) as error:
        first = str(error).splitlines()[0]
        raise unusable(
            origin, f"the Parquet data is damaged: {first}", expected="a whole Parquet file", fix="copy or write it again"
        ) from error
    return from_arrow(table, origin)


def from_arrow(table: Any, origin: Origin, names: dict[str, list[str]] | None = None) -> RawTable:
    """Return the rows of an Arrow table.

    Args:
        table: A ``pyarrow.Table``.
        origin: Where it comes from.
        names: For columns of class numbers: the name of each class, in order.
    """
    columns = tuple(str(name) for name in table.column_names)
    check_names(columns, origin)
    values = [_values(table.column(index)) for index in range(len(columns))]
    cells = [_cells(part, (names or {}).get(name)) for name, part in zip(columns, values, strict=True)]
    rows = [Row(number, row) for number, row in enumerate(zip(*cells, strict=True), 1)]
    types = {name: kind for name, kind in types_of(columns, values).items() if name not in (names or {})}
    return RawTable(origin=origin, columns=columns, rows=rows, types=types)


def _values(column: Any) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, KeyError) as error:  # a date that Python has not, text that is not UTF-8
        return [Nested(f"unreadable ({error})", "")] * len(column)
    return values


def _cells(values: list[Any], names: list[str] | None) -> list[Cell]:
    if names is None:
        return [value if isinstance(value, Nested) else as_cell(value) for value in values]
    return [names[value] if isinstance(value, int) and 0 <= value < len(names) else None for value in values]
