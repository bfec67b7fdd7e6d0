"""Lines: JSON lines, and plain text with one text a line."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pretune.data.decode import UndecodableError, decode, line_of, undecodable
from pretune.data.table import Cell, Nested, Origin, RawTable, Row, unusable
from pretune.records import Rejection


class _RepeatedKeyError(ValueError):
    """A JSON object that has one key twice."""


def read_json_lines(data: bytes, origin: Origin, encoding: str | None) -> RawTable:
    """Return the rows of a file with one JSON object a line; row numbers are line numbers.

    Values stay as they are written: ``1``, ``01`` in quotes, ``1.50`` and ``true`` become those strings; ``null``
    and ``NaN`` are missing. A column is a key that any object has.

    Raises:
        DataError: Another encoding, or one JSON array instead of lines.
    """
    text, origin = _decoded(data, origin, encoding)
    if text.lstrip()[:1] == "[" and _is_json(text):
        raise unusable(
            origin,
            "is one JSON array",
            expected="JSON lines: one object a line",
            fix="write each object on a line of its own (jq -c '.[]' FILE > FILE.jsonl)",
            at=(1, None, None),
        )
    objects: list[tuple[int, dict[str, Any]]] = []
    rejected: list[Rejection] = []
    for number, line in _filled(text):
        value = parse_object(line)
        if isinstance(value, str):
            rejected.append(Rejection(file=origin.name, row=number, column=None, reason=value))
        else:
            objects.append((number, value))
    columns = tuple(dict.fromkeys(key for _, value in objects for key in value))
    rows = [Row(number, [_cell(value.get(key)) for key in columns]) for number, value in objects]
    return RawTable(origin=origin, columns=columns, rows=rows, rejected=rejected)


def parse_object(line: str) -> dict[str, Any] | str:
    """Return the JSON object that stands in a line, or why there is none."""
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return _why(error)
    if type(value) is dict:
        return value
    return f"is {'an array' if isinstance(value, list) else 'a single value'}, not an object"


def read_text_lines(data: bytes, origin: Origin, encoding: str | None) -> RawTable:
    """Return a file's lines as rows of one column, ``text``; row numbers are line numbers, empty lines are no rows."""
    text, origin = _decoded(data, origin, encoding)
    rows = [Row(number, [line]) for number, line in _filled(text)]
    return RawTable(origin=origin, columns=("text",), rows=rows)


def _decoded(data: bytes, origin: Origin, encoding: str | None) -> tuple[str, Origin]:
    try:
        text, name = decode(data, encoding)
    except UndecodableError as error:
        raise undecodable(origin, error, line_of(data, error)) from error
    return text, replace(origin, encoding=name)


def _filled(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if stripped := line.strip():
            yield number, stripped


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(f"has the key {next(key for key in keys if keys.count(key) > 1)!r} more than once")
    return found


# Numbers keep the digits they are written with; NaN and Infinity, which JSON does not have, are missing.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=lambda _: None)


def _cell(value: Any) -> Cell:
    if type(value) is str or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return Nested("an object" if isinstance(value, dict) else "a list", json.dumps(value, ensure_ascii=False), value)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} (character {error.colno})"
    return str(error) if isinstance(error, _RepeatedKeyError) else "is nested too deeply"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
