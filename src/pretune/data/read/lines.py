"""Lines: JSON lines, and plain text with one text a line."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pretune.data.read.decode import UndecodableError, decode, line_of, undecodable
from pretune.data.read.objects import Objects
from pretune.data.read.table import Cell, Nested, Origin, RawTable, Row, unusable
from pretune.records import Rejection

_FIRST_LINES = 100  # a file whose objects begin later than this is no JSON array of our reader's
_SHOWN = 40  # characters of a key in a message
_SURROGATE = re.compile("[\ud800-\udfff]")


class _RepeatedKeyError(ValueError):
    """A JSON object that has one key twice."""


def read_json_lines(data: bytes, origin: Origin, encoding: str | None, *, max_columns: int) -> RawTable:
    """Return the rows of a file with one JSON object a line; row numbers are line numbers.

    Values stay as they are written: ``1``, ``01`` in quotes, ``1.50`` and ``true`` become those strings; ``null``
    and ``NaN`` are missing. A column is a key that any object has. Byte-order marks that begin a line, as they do where
    files were joined, are no part of it.

    Raises:
        DataError: Another encoding, one JSON array or one object over many lines, or too many different keys.
    """
    text, origin = _decoded(data, origin, encoding)
    objects, rejected, num_marks = Objects(origin, max_columns), list[Rejection](), 0
    for number, line in _filled(text):
        bare = line.lstrip("\ufeff \t")
        num_marks += bare != line
        if not bare:
            continue
        value = parse_object(bare)
        if isinstance(value, str):
            if not objects:
                _check_lines(text, origin, number, bare)
            rejected.append(Rejection(file=origin.name, row=number, column=None, reason=value))
        else:
            objects.add(number, value)
    columns, rows = objects.rows(_cell)
    notes = [f"{origin.name}: byte-order marks inside the file, which were removed"] if num_marks else []
    return RawTable(origin=origin, columns=columns, rows=rows, rejected=rejected, notes=notes)


def _check_lines(text: str, origin: Origin, number: int, line: str) -> None:
    """Raise where a file that begins with no object on a line is JSON all the same: one array, or one object."""
    if number > _FIRST_LINES or line[0] not in "[{":
        return
    parsed = _whole(text) if line[0] == "[" or len(line) == 1 else None
    if isinstance(parsed, list) or (isinstance(parsed, dict) and "\n" in text.strip()):
        is_list = isinstance(parsed, list)
        raise unusable(
            origin,
            "is one JSON array" if is_list else "is one JSON object over several lines",
            expected="JSON lines: one object a line",
            fix="write each object on a line of its own "
            + ("(jq -c '.[]' FILE > FILE.jsonl)" if is_list else "(jq -c . FILE > FILE.jsonl)"),
            at=(number, None, None),
        )


def parse_object(line: str) -> dict[str, Any] | str:
    """Return the JSON object that stands in a line, or why there is none."""
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return _why(error)
    if type(value) is dict:
        return value
    return f"is {'an array' if isinstance(value, list) else 'a single value'}, not an object"


def json_columns(lines: Iterable[str], most: int) -> dict[str, None]:
    """Return the keys of the objects that stand in lines, in the order in which they come; no further than ``most`` of them."""
    columns = dict[str, None]()
    for line in lines:
        if (bare := _bare(line)) and type(value := parse_object(bare)) is dict:
            columns.update(dict.fromkeys(value))
            if len(columns) > most:
                break
    return columns


def json_rows(lines: Iterable[str], columns: Sequence[str], origin: Origin) -> Iterator[Row | Rejection]:
    """Yield the objects that stand in lines as rows of these columns, one after the other."""
    for number, line in enumerate(lines, 1):
        if not (bare := _bare(line)):
            continue
        value = parse_object(bare)
        if isinstance(value, str):
            yield Rejection(file=origin.name, row=number, column=None, reason=value)
        else:
            yield Row(number, [_cell(value.get(key)) for key in columns])


def _bare(line: str) -> str:
    """Return a line without what is no part of its object: spaces, and byte-order marks that begin it."""
    return line.strip().lstrip("\ufeff \t")


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
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _RepeatedKeyError(f"has the key {_shown(twice)} more than once")
    return found


def _shown(key: str) -> str:
    return repr(key if len(key) <= _SHOWN else key[:_SHOWN] + "…")


# Numbers keep the digits they are written with; NaN and Infinity, which JSON does not have, are missing.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=lambda _: None)


def _cell(value: Any) -> Cell:
    if type(value) is str or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = "an object" if isinstance(value, dict) else "a list"
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return Nested(kind, "…")
    return Nested(kind, _SURROGATE.sub("\ufffd", shown), value)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} (character {error.colno})"
    return str(error) if isinstance(error, _RepeatedKeyError) else "is nested too deeply"


def _whole(text: str) -> Any:
    """The JSON value that a whole text is, ``None`` where it is none."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
