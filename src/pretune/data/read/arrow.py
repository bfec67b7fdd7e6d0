"""Arrow: Parquet files, and data sets of the ``datasets`` package, to rows."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.read.limits import SizeLimit, check_cells, check_columns
from pretune.data.read.table import Cell, Nested, Origin, RawTable, Row, as_cell, check_names, unusable
from pretune.errors import DataError
from pretune.optional import require

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
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        about, schema = file.metadata, file.schema_arrow
        _check_size(about, config, origin)
        batches = file.iter_batches(batch_size=_BATCH)
        return from_batches(_bounded(batches, config, origin), schema, origin)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
        raise damaged(error, origin) from error


def damaged(error: BaseException, origin: Origin) -> DataError:
    """Return the error for Arrow data that Arrow cannot read."""
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return unusable(
        origin, f"the Parquet data is damaged: {first}", expected="a whole Parquet file", fix="copy or write it again"
    )


def from_batches(batches: Iterator[Any], schema: Any, origin: Origin, names: dict[str, list[str]] | None = None) -> RawTable:
    """Return the rows of Arrow record batches or tables.

    Args:
        batches: Of one schema.
        schema: It.
        origin: Where they come from.
        names: For columns of class numbers: the name of each class, in order; from the schema's metadata where ``None``.

    Raises:
        DataError: Two columns have one name, or a class number has no name.
    """
    columns = tuple(str(name) for name in schema.names)
    check_names(columns, origin)
    found = class_names(schema) if names is None else names
    raw = RawTable(origin=origin, columns=columns, rows=[], types=_types_of(schema, found))
    num_unlabelled = dict.fromkeys(found, 0)
    for batch in batches:
        first = len(raw.rows) + 1
        cells = []
        for index, name in enumerate(columns):
            column = [as_cell(value) for value in values_of(batch.column(index))]
            if name in found:
                num_unlabelled[name] += _name_classes(column, found[name], (first, name, origin))
            cells.append(column)
        raw.rows.extend(Row(number, row) for number, row in enumerate(zip(*cells, strict=True), first))
    raw.notes.extend(f"column {column!r} holds class numbers; their names are the labels" for column in found)
    raw.notes.extend(
        f"column {name!r}: {count:,} rows have the class number -1, no label" for name, count in num_unlabelled.items() if count
    )
    return raw


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
                fix="mend the numbers, or write the file again without the names",
                at=(first + place, name, None),
            )
        num_unlabelled += cell == str(UNLABELLED)
        column[place] = known[cell]
    return num_unlabelled


def _check_size(about: Any, config: ReadConfig, origin: Origin) -> None:
    check_columns(about.num_columns, config.max_columns, origin)
    check_cells(about.num_rows, about.num_columns, config.max_cells, origin)
    total = sum(about.row_group(index).total_byte_size for index in range(about.num_row_groups))
    SizeLimit.of_table(config.max_size).check(total, None, origin)


def _bounded(batches: Iterator[Any], config: ReadConfig, origin: Origin) -> Iterator[Any]:
    """Yield batches until they are larger than may be: what is repeated is kept once in the file."""
    limit, total = SizeLimit.of_table(config.max_size), 0
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
