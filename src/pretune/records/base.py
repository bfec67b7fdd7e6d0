"""The base of every record: a frozen dataclass that survives a round trip through JSON and accepts no other JSON."""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Any, Self, Union

from pretune.errors import DamagedError

SCHEMA = 1


class Record:
    """A frozen dataclass that survives a round trip through JSON."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and numbers."""
        return {item.name: _encode(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the record from what ``to_json`` returned; unknown keys are ignored.

        Raises:
            DamagedError: A field is missing, or holds something of another kind.
        """
        if not isinstance(value, Mapping):
            raise _wrong(cls.__name__, value, "an object")
        decoders = _decoders_of(cls)  # type: ignore[arg-type] # a class can be hashed
        missing = [name for name in _required(cls) if name not in value]  # type: ignore[arg-type] # as above
        if missing:
            raise DamagedError(f"{cls.__name__} has no {missing[0]!r}", expected="the record as pretune wrote it")
        return cls(**{name: decode(value[name], f"{cls.__name__}.{name}") for name, decode in decoders if name in value})


@cache
def _decoders_of(record: type[Record]) -> tuple[tuple[str, "Decode"], ...]:
    hints = typing.get_type_hints(record)
    return tuple((item.name, _decoder(hints[item.name])) for item in fields(record))  # type: ignore[arg-type]


@cache
def _required(record: type[Record]) -> tuple[str, ...]:
    given = fields(record)  # type: ignore[arg-type]
    return tuple(item.name for item in given if item.default is MISSING and item.default_factory is MISSING)


def _encode(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None  # NaN and infinity are null
    return value


Decode = Callable[[Any, str], Any]  # (value, where) → what the field holds


@cache
def _decoder(hint: Any) -> Decode:
    """Return what reads values of a type; made once for each, since a run of many classes holds 100,000 numbers."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value, _: value
    if origin in (Union, types.UnionType):
        inner, may_lack = _decoder(next(item for item in arguments if item is not type(None))), type(None) in arguments
        return lambda value, where: None if value is None and may_lack else inner(value, where)
    if origin is tuple:
        return partial(_decode_tuple, arguments[0], _decoder(arguments[0]))
    if origin is dict:
        return partial(_decode_dict, _decoder(arguments[1]))
    if is_dataclass(hint) and issubclass(typing.cast(type, hint), Record):
        return partial(_decode_record, typing.cast(type[Record], hint))
    return partial(_decode_plain, hint)


def _decode_tuple(kind: Any, inner: Decode, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(where, value, "a list")
    if kind is Any or (kind in _KINDS and set(map(type, value)) <= {kind}):
        return tuple(value)
    return tuple([inner(item, where) for item in value])


def _decode_dict(inner: Decode, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "an object")
    return {key: inner(item, f"{where}.{key}") for key, item in value.items()}


def _decode_record(kind: type[Record], value: Any, where: str) -> Record:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "an object")
    return kind.from_json(value)


def _decode_plain(hint: Any, value: Any, where: str) -> Any:
    """Return a string, number or truth value, which must be of the kind that the field has."""
    if hint is float:
        if value is None:  # what NaN and infinity were written as
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(where, value, "a number")
        try:
            return float(value)
        except OverflowError as error:
            raise _wrong(where, value, "a number") from error
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        try:
            return hint(value)
        except ValueError as error:
            raise _wrong(where, value, f"one of {', '.join(hint)}") from error
    if type(value) is not hint:
        raise _wrong(where, value, _KINDS.get(hint, str(hint)))
    return value


_KINDS = {str: "text", int: "a whole number", bool: "true or false"}


def _wrong(where: str, value: Any, wanted: str) -> DamagedError:
    shown = f"{value!r:.80}" if isinstance(value, (str, int, float, bool, type(None))) else f"a {type(value).__name__}"
    return DamagedError(f"{where} is {shown}, which pretune does not write", expected=wanted, fix="restore the file")
