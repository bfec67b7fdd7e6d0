"""Lines: JSON lines, and plain text with one text per line."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from pretune.data.clean import writable
from pretune.data.read.decode import UndecodableError, decode, line_of, undecodable
from pretune.data.read.objects import Objects
from pretune.data.read.table import Cell, Nested, Origin, RawTable, Row, unusable
from pretune.records import Rejection

_FIRST_LINES = 100  # a file whose objects begin later than this is no JSON array of our reader's
_SHOWN = 40  # characters of a key in a message


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
    objects, rejected, notes = Objects(origin, max_columns), list[Rejection](), list[str]()
    for item in json_objects(io.StringIO(text, newline=""), origin, lambda: (text, True), notes):
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            objects.add(*item)
    columns, rows = objects.rows(json_cell)
    return RawTable(origin=origin, columns=columns, rows=rows, rejected=rejected, notes=notes)


def json_objects(
    lines: Iterable[str], origin: Origin, look: Callable[[], tuple[str, bool]], notes: list[str]
) -> Iterator[tuple[int, dict[str, Any]] | Rejection]:
    """Yield the objects that stand in lines, each with its number, or why there is none; empty lines are none.

    Args:
        lines: Of a file.
        origin: The file, for messages.
        look: Returns the text that the file begins with, and whether that is all of it.
        notes: Receives what there is to say, once all is read.

    Raises:
        DataError: It is one JSON array, or one object over many lines.
    """
    num_marks, has_any = 0, False
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not (bare := bare_line(stripped)):
            continue
        num_marks += len(bare) < len(stripped)
        value = parse_object(bare)
        if isinstance(value, str):
            if not has_any:
                _check_lines(look, origin, number, bare)
            yield Rejection(file=origin.name, row=number, column=None, reason=value)
        else:
            has_any = True
            yield number, value
    if num_marks:
        notes.append(f"{origin.name}: byte-order marks inside the file were removed")


def bare_line(line: str) -> str:
    """Return a line without what is no part of its object: spaces, and byte-order marks, as files that were joined have."""
    return line.strip().lstrip("\ufeff \t")


def _check_lines(look: Callable[[], tuple[str, bool]], origin: Origin, number: int, line: str) -> None:
    """Raise where a file that begins with no object on a line is JSON all the same: one array, or one object."""
    if number > _FIRST_LINES or line[0] not in "[{" or (line[0] == "{" and len(line) > 1):
        return
    text, is_whole = look()
    if not _is_one_value(text, is_whole=is_whole):
        return
    is_list = line[0] == "["
    if is_list or "\n" in text.strip():
        raise unusable(
            origin,
            "is one JSON array" if is_list else "is one JSON object over several lines",
            expected="JSON lines: one object per line",
            fix="write each object on a line of its own "
            + ("(jq -c '.[]' FILE > FILE.jsonl)" if is_list else "(jq -c . FILE > FILE.jsonl)"),
            at=(number, None, None),
        )


def _is_one_value(text: str, *, is_whole: bool) -> bool:
    """Whether a text is one JSON value, or, where it is only the beginning of a file, the larger part of it begins one."""
    try:
        _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return not is_whole and error.pos > len(text) // 2
    except (ValueError, RecursionError):
        return False
    return True


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
    return RawTable(origin=origin, columns=("text",), rows=list(text_rows(io.StringIO(text, newline=""))))


def text_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the lines that are not empty as rows of one column."""
    return (Row(number, [stripped]) for number, line in enumerate(lines, 1) if (stripped := line.strip()))


def _decoded(data: bytes, origin: Origin, encoding: str | None) -> tuple[str, Origin]:
    try:
        text, name = decode(data, encoding)
    except UndecodableError as error:
        raise undecodable(origin, error, line_of(data, error)) from error
    return text, replace(origin, encoding=name)


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


def json_cell(value: Any) -> Cell:
    """Return a value of JSON as a cell; what cannot be written becomes a sign for it."""
    if type(value) is str or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = "an object" if isinstance(value, dict) else "a list"
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return Nested(kind, "…")
    return Nested(kind, writable(shown), value)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} (character {error.colno})"
    return str(error) if isinstance(error, _RepeatedKeyError) else "is nested too deeply"
