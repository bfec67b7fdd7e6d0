"""Memory: rows of data frames, lists and dictionaries."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pretune.data.labels.spelling import is_missing
from pretune.data.read.objects import Objects
from pretune.data.read.table import Cell, Origin, RawTable, Row, as_cell, check_names, types_of
from pretune.errors import DataError, MissingLabelsError, UsageError


def is_frame(source: Any) -> bool:
    """Whether ``source`` is a pandas data frame; pandas is not imported to know."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, pandas.DataFrame)


def read_memory(source: Any, role: str) -> RawTable:
    """Return the rows of a data frame, a pair (texts, labels), a list of dictionaries, or a list of texts.

    Row 1 is the first. Numbers and truth values become strings as Python writes them; ``None`` and NaN are missing.

    Raises:
        DataError: Texts and labels differ in number, or a column name is there twice.
        UsageError: ``source`` is none of these.
    """
    if is_frame(source):
        return _frame(source, Origin(shown="the data frame", name=role, role=role, format="data frame"))
    origin = Origin(shown="the list", name=role, role=role, format="list")
    if isinstance(source, tuple) and len(source) == 2 and all(_is_list(part) for part in source):
        return _pair(_values(source[0]), _values(source[1]), origin)
    if isinstance(source, Mapping) and source and all(_is_list(part) for part in source.values()):
        return _columns({str(name): _values(part) for name, part in source.items()}, origin)
    if _is_list(source):
        values = _values(source)
        if values and all(isinstance(value, Mapping) for value in values):
            return _dictionaries(values, origin)
        if all(value is None or isinstance(value, (str, int, float)) for value in values):
            return _table(("text",), [values], origin)
    raise UsageError(
        f"cannot read data from {_described(source)}",
        expected="a path, a catalogue name, a data frame, (texts, labels), a list of dictionaries or a list of texts",
        fix="pass two lists of the same length as one tuple: (texts, labels)",
    )


def names_of(asked: Any, source: Any, option: str) -> tuple[str, ...]:
    """Return columns by name that were asked for by name, or, of a data frame, by number.

    A number is the name of a column where the frame has such names, as frames without a header have; else its place from 0.

    Raises:
        UsageError: A name is neither text nor a whole number, or there is no column of that number.
    """
    several = not isinstance(asked, (str, bytes)) and isinstance(asked, Sequence)
    return tuple(_name_of(item, source, option) for item in (asked if several else () if asked is None else (asked,)))


def _name_of(asked: Any, source: Any, option: str) -> str:
    if isinstance(asked, str):
        return str(asked)
    number = None if isinstance(asked, bool) else getattr(asked, "__index__", lambda: None)()
    known = list(source.columns) if is_frame(source) else []
    if number is not None and number in known:
        return str(number)
    if number is not None and -len(known) <= number < len(known):
        return str(known[number])
    held = f"columns {', '.join(map(repr, known[:8]))}" if known else "the name of a column"
    raise UsageError(
        f"{option} is {asked!r}, a {type(asked).__name__}",
        expected=f"{held}; a number names a column of a data frame only" if not known else f"one of the {held}",
        fix=f"pass {option}='NAME'",
    )


def check_labelled(raw: RawTable, required: bool) -> None:
    """Raise where labels are needed and a bare list of texts came.

    Raises:
        MissingLabelsError: There is one column only.
    """
    if required and raw.origin.format == "list" and raw.columns == ("text",):
        raise MissingLabelsError(
            f"{len(raw.rows)} texts came without labels",
            expected="(texts, labels)",
            fix="pass the labels beside the texts, as one tuple of two lists",
        )


def _frame(frame: Any, origin: Origin) -> RawTable:
    names = [str(name) for name in frame.columns]
    check_names(names, origin)
    columns = []
    for index in range(len(names)):
        series = frame.iloc[:, index]
        missing = series.isna().tolist()
        columns.append([None if gone else value for value, gone in zip(series.tolist(), missing, strict=True)])
    return _table(tuple(names), columns, origin)


def _pair(texts: list[Any], labels: list[Any], origin: Origin) -> RawTable:
    _same_length({"texts": texts, "labels": labels})
    return _table(("text", "label"), [texts, labels], origin)


def _columns(columns: dict[str, list[Any]], origin: Origin) -> RawTable:
    _same_length(columns)
    return _table(tuple(columns), list(columns.values()), origin)


def _same_length(columns: Mapping[str, list[Any]]) -> None:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            "the lists differ in length: " + ", ".join(f"{length} {name}" for name, length in lengths.items()),
            expected="one label for each text",
            fix="check that they come from the same rows",
        )


def _dictionaries(values: Sequence[Mapping[str, Any]], origin: Origin) -> RawTable:
    objects, kinds = Objects(origin, sys.maxsize), dict[str, dict[type, Any]]()
    for number, value in enumerate(values, 1):
        named = {str(key): item for key, item in value.items()}
        objects.add(number, named)
        for name, item in named.items():
            if not is_missing(item):
                kinds.setdefault(name, {})[type(item)] = item
    columns, rows = objects.rows(as_cell)
    names = [name for name in columns if name in kinds]
    types = types_of(names, [list(kinds[name].values()) for name in names])
    return RawTable(origin=origin, columns=columns, rows=rows, types=types)


def _table(names: tuple[str, ...], columns: list[list[Any]], origin: Origin) -> RawTable:
    cells: list[list[Cell]] = [[as_cell(value) for value in column] for column in columns]
    rows = [Row(number, row) for number, row in enumerate(zip(*cells, strict=True), 1)]
    return RawTable(origin=origin, columns=names, rows=rows, types=types_of(names, columns))


def _is_list(value: Any) -> bool:
    """A list, a tuple, a one-dimensional array or a pandas series."""
    return isinstance(value, (list, tuple)) or (hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1)


def _values(value: Any) -> list[Any]:
    return list(value.tolist()) if hasattr(value, "tolist") else list(value)


def _described(source: Any) -> str:
    if _is_list(source):
        return f"a {type(source).__name__} of {len(source)}, the first of which is a {type(next(iter(source), None)).__name__}"
    return f"a {type(source).__name__}"
