"""What every record is: a frozen dataclass that survives a round trip through JSON."""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, Self, Union

SCHEMA = 1


class Record:
    """A frozen dataclass that survives a round trip through JSON."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and numbers."""
        return {item.name: _encode(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the record from what ``to_json`` returned; unknown keys are ignored."""
        hints = typing.get_type_hints(cls)
        known = [item.name for item in fields(cls) if item.name in value]  # type: ignore[arg-type]
        return cls(**{name: _decode(hints[name], value[name]) for name in known})


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


def _decode(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None or hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _decode(next(item for item in arguments if item is not type(None)), value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is dict:
        return {key: _decode(arguments[1], item) for key, item in value.items()}
    if is_dataclass(hint) and issubclass(typing.cast(type, hint), Record):
        return typing.cast(type[Record], hint).from_json(value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, (StrEnum, float)) else value
