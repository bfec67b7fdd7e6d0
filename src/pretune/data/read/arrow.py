"""Arrow: rows of Parquet files and of data sets of the ``datasets`` package."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.read.limits import SizeLimit, check_cells, check_columns
from pretune.data.read.table import Cell, Nested, Origin, RawTable, Row, as_cell, check_names, unusable
from pretune.errors import require
from pretune.wording.counts import counted

# Rows that are turned into cells at once: their Arrow form, and what it unpacks to, is held beside the cells.
_BATCH = 16_384
# The class number of a row that nobody has labelled, as the ``datasets`` package writes it.
UNLABELLED = -1


def read_parquet(data: bytes, origin: Origin, config: ReadConfig | None = None) -> RawTable:
    """Return the rows of a Parquet file; row 1 is the first, there is no header.

    Numbers, truth values and dates become strings as Python writes them (``True``, ``1.5``); null and NaN are missing.
    Class numbers become the names that the ``datasets`` package keeps in the schema, where it wrote the file.

    Raises:
        DataError: The file is damaged, cut off, not Parquet, or larger than may be.
        MissingPackageError: pyarrow is not installed.
    """
    config = config or ReadConfig()
    limit, pyarrow = SizeLimit.of_table(config.max_size), require("pyarrow", extra="parquet")
    _check_ends(data[:4], data[-4:], len(data), origin)
    with arrow_errors(origin), open_parquet(pyarrow.BufferReader(data), config, limit, origin) as file:
        about = file.metadata
        check_cells(about.num_rows, about.num_columns, config.max_cells, origin)
        return from_batches(bounded(file.iter_batches(batch_size=_BATCH), limit, origin), file.schema_arrow, origin)


def open_parquet(source: Any, config: ReadConfig, limit: SizeLimit, origin: Origin) -> Any:
    """Open a Parquet file, and check what it says of its size before any of it is unpacked.

    Raises:
        DataError: It has more columns or bytes than may be.
    """
    file = require("pyarrow.parquet", extra="parquet").ParquetFile(source)
    about = file.metadata
    check_columns(about.num_columns, config.max_columns, origin)
    limit.check(sum(about.row_group(index).total_byte_size for index in range(about.num_row_groups)), None, origin)
    return file


def check_parquet(path: Path, origin: Origin) -> None:
    """Raise where the first and the last bytes of a file are not those of Parquet.

    Raises:
        DataError: It is another thing, or was cut off.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        first, _ = file.read(4), file.seek(max(0, size - 4))
        _check_ends(first, file.read(4), size, origin)


def _check_ends(first: bytes, last: bytes, size: int, origin: Origin) -> None:
    if first == last == b"PAR1":
        return
    is_cut = first == b"PAR1"
    raise unusable(
        origin,
        f"the Parquet data ends too early, after {size:,} bytes" if is_cut else "is not Parquet",
        expected="a whole Parquet file",
        fix="copy or write it again" if is_cut else "check what the file is, and name it for its format",
    )


@contextmanager
def arrow_errors(origin: Origin) -> Iterator[None]:
    """Turn what Arrow says of data that it cannot read into one message.

    Raises:
        DataError: The data are damaged.
    """
    pyarrow = require("pyarrow", extra="parquet")
    try:
        yield
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise unusable(
            origin, f"the Parquet data is damaged: {first}", expected="a whole Parquet file", fix="copy or write it again"
        ) from error


def from_batches(batches: Iterable[Any], schema: Any, origin: Origin, names: dict[str, list[str]] | None = None) -> RawTable:
    """Return the rows of Arrow record batches or tables.

    Args:
        batches: Of one schema.
        schema: It.
        origin: Where they come from.
        names: For columns of class numbers: the name of each class, in order; from the schema's metadata where ``None``.

    Raises:
        DataError: Two columns have one name, or a class number has no name.
    """
    columns, found = columns_of(schema, origin), class_names(schema) if names is None else names
    raw = RawTable(origin=origin, columns=columns, rows=[], types=_types_of(schema, found))
    for rows in row_batches(batches, columns, found, origin, raw.notes):
        raw.rows.extend(rows)
    return raw


def columns_of(schema: Any, origin: Origin) -> tuple[str, ...]:
    """Return the names of the columns.

    Raises:
        DataError: Two columns have one name.
    """
    columns = tuple(str(name) for name in schema.names)
    check_names(columns, origin)
    return columns


def row_batches(
    batches: Iterable[Any], columns: Sequence[str], names: Mapping[str, list[str]], origin: Origin, notes: list[str]
) -> Iterator[list[Row]]:
    """Yield the rows of each batch, numbered from 1 on; ``notes`` receives what there is to say, once all are read.

    Raises:
        DataError: A class number has no name.
    """
    num_rows, num_unlabelled = 0, dict.fromkeys(names, 0)
    for batch in batches:
        cells = []
        for index, name in enumerate(columns):
            column = [as_cell(value) for value in values_of(batch.column(index))]
            if name in names:
                num_unlabelled[name] += _name_classes(column, names[name], (num_rows + 1, name, origin))
            cells.append(column)
        rows = [Row(number, row) for number, row in enumerate(zip(*cells, strict=True), num_rows + 1)]
        num_rows += len(rows)
        yield rows
    notes.extend(f"column {column!r} holds class numbers; their names are the labels" for column in names)
    notes.extend(
        f"column {name!r}: {counted(count, 'row has', 'rows have')} the class number -1, no label"
        for name, count in num_unlabelled.items()
        if count
    )


def _types_of(schema: Any, named: Mapping[str, Any]) -> dict[str, str]:
    """The kinds of columns of numbers and truth values; those of class numbers become text."""
    kinds = require("pyarrow", extra="parquet").types
    found = {"int": kinds.is_integer, "float": kinds.is_floating, "bool": kinds.is_boolean}
    return {
        str(field.name): kind
        for field in schema
        for kind, is_it in found.items()
        if is_it(field.type) and field.name not in named
    }


def class_names(schema: Any) -> dict[str, list[str]]:
    """Return the names of classes that the ``datasets`` package keeps beside a schema, by column, where they are sound."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about["info"]["features"]
        found = {
            column: feature["names"]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and column in schema.names
        }
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}
    return {
        column: names
        for column, names in found.items()
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    }


def _name_classes(column: list[Cell], names: list[str], at: tuple[int, str, Origin]) -> int:
    """Put the names of classes in place of their numbers; return how many rows are unlabelled."""
    first, name, origin = at
    known: dict[Cell, Cell] = {str(number): shown for number, shown in enumerate(names)}
    known |= {None: None, str(UNLABELLED): None}
    num_unlabelled = 0
    for place, cell in enumerate(column):
        if cell not in known:
            shown = cell.kind if isinstance(cell, Nested) else cell
            some = ", ".join(names[:6]) + " …" * (len(names) > 6)
            raise unusable(
                origin,
                f"the class number is {shown}, and the file has names for 0 to {len(names) - 1}",
                expected=f"a number with a name ({some}), or -1 where there is no label",
                fix="correct the numbers, or write the file again without the names",
                at=(first + place, name, None),
            )
        num_unlabelled += cell == str(UNLABELLED)
        column[place] = known[cell]
    return num_unlabelled


def bounded(batches: Iterable[Any], limit: SizeLimit, origin: Origin) -> Iterator[Any]:
    """Yield batches until they are larger than may be: what is repeated is kept once in the file."""
    total = 0
    for batch in batches:
        total += batch.nbytes
        limit.check(total, None, origin)
        yield batch


def values_of(column: Any) -> list[Any]:
    """Return the values of a column as Python has them; one that it has not (a date before the year 1) is ``Nested``.

    Values of a dictionary (pandas calls them categories) are made once, however many rows have them.
    """
    if hasattr(column, "chunks"):
        return [value for chunk in column.chunks for value in values_of(chunk)]
    if hasattr(column, "dictionary"):
        known = values_of(column.dictionary)
        return [None if place is None else known[place] for place in column.indices.to_pylist()]
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, KeyError, TypeError):
        return [_value_of(scalar) for scalar in column]


def _value_of(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError, KeyError, TypeError) as error:
        return Nested(f"unreadable ({error})", "")
