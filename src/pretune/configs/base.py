"""The base of every config: frozen, complete, and checked on creation."""

import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, Self

from pretune.errors import UsageError
from pretune.wording.messages import named

MAX_SEED = 2**32 - 1  # what numpy, scikit-learn and torch all take
MAX_COUNT = 10**9  # of anything that is counted: more is a slip of the keys
MAX_EPOCHS = 10_000
MAX_THREADS = 1_024
MAX_BATCH = 1_000_000  # rows that are computed at once, or batches that are summed
_KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    tuple: "a list of text",
}


class Config:
    """A frozen dataclass that scikit-learn can search over."""

    __slots__ = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn calls it so
        """Return the fields by name, as scikit-learn expects of a nested parameter."""
        return {item.name: getattr(self, item.name) for item in fields(self)}  # type: ignore[arg-type]

    def with_fields(self, changes: Mapping[str, Any]) -> Self:
        """Return the config with other values in some of its fields.

        Raises:
            UsageError: There is no such field, or the value does not fit.
        """
        unknown = sorted(set(changes) - set(self.get_params()))
        if unknown:
            raise UsageError(f"the config has no field {unknown[0]!r}", expected=f"one of {', '.join(self.get_params())}")
        return replace(self, **changes)  # type: ignore[type-var] # every config is a dataclass

    def to_json(self) -> dict[str, Any]:
        """Return the fields as nested dicts, for ``run.json``."""
        return {name: value.get_params() if isinstance(value, Config) else value for name, value in self.get_params().items()}

    @property
    def files(self) -> tuple[str | None, ...]:
        """What may be a file or a folder among the settings."""
        return ()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Build the config from ``get_params`` after a trip through JSON.

        Raises:
            UsageError: A field does not exist, or its value does not fit.
        """
        return cls._build(value)

    @classmethod
    def _build(cls, value: dict[str, Any]) -> Self:
        unknown = sorted(set(value) - {item.name for item in fields(cls)})  # type: ignore[arg-type]
        if unknown:
            raise UsageError(f"the settings have {unknown[0]!r}", expected="settings that this version of pretune knows")
        return cls(**{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()})

    def check_kinds(self) -> None:
        """Check that every field has its type and every number is finite; numpy's numbers become Python's.

        Raises:
            UsageError: A field has another type, or a number is not finite.
        """
        for name, hint in _hints_of(type(self)):  # type: ignore[arg-type] # a class can be hashed
            value = getattr(self, name)
            plain = plain_number(value)
            kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
            check(any(_fits(plain, kind) for kind in kinds), name, plain, _describe(kinds))
            if plain is not value:
                object.__setattr__(self, name, plain)


@cache
def _hints_of(config: type[Config]) -> tuple[tuple[str, Any], ...]:
    hints = typing.get_type_hints(config)
    return tuple((item.name, hints[item.name]) for item in fields(config))  # type: ignore[arg-type]


def _fits(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if kind is float:
        return (type(value) is int and abs(value) < MAX_COUNT**2) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind) if kind is str or issubclass(kind, Config) else type(value) is kind


def _describe(kinds: tuple[Any, ...]) -> str:
    names = (_KINDS.get(typing.get_origin(kind) or kind, getattr(kind, "__name__", "")) for kind in kinds)
    return " or ".join("nothing" if name == "NoneType" else name for name in names)


def plain_number(value: Any) -> Any:
    """Return a numpy number, as searches over settings pass them, as a Python number; anything else unchanged."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def check_seed(seed: Any, name: str = "seed") -> None:
    """Raise a ``UsageError`` unless this can seed a generator."""
    check(type(seed) is int and 0 <= seed <= MAX_SEED, name, seed, f"a whole number from 0 to {MAX_SEED:,}")


def check_count(value: Any, name: str, *, least: int = 1, most: int = MAX_COUNT, of: str = "") -> None:
    """Raise a ``UsageError`` unless this is a number from ``least`` to ``most``; ``None`` passes."""
    wanted = f"a whole number from {least:,} to {most:,}{of and ' ' + of}"
    check(value is None or (type(value) is int and least <= value <= most), name, value, wanted)


MAX_SECONDS = 366 * 24 * 3600.0  # of a budget: a year
_DURATION = re.compile(r"(?=.)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def parse_duration(text: str) -> float:
    """Return the seconds in ``90s``, ``5m``, ``1h`` or ``1h30m``.

    Raises:
        UsageError: It is not a duration of this form, or is zero.

    Example:
        >>> parse_duration("1h30m")
        5400.0
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = sum(float(part or 0) * size for part, size in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
    check(0 < seconds <= MAX_SECONDS, "budget", text[:40], "a time with its unit, such as 90s, 5m, 1h or 1h30m")
    return seconds


_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?) ?([kmgt]?)(i?)b?", re.IGNORECASE | re.ASCII)


def parse_size(size: str | int) -> int:
    """Return the bytes in ``500MB``, ``4GB``, ``2GiB`` or ``1000000``.

    Raises:
        UsageError: It is not a size of this form.

    Example:
        >>> parse_size("1.5GB"), parse_size("2kib")
        (1500000000, 2048)
    """
    found = _SIZE.fullmatch(str(size).strip())
    unit = 0 if found is None else " kmgt".index(found[2].lower() or " ")
    number = 0 if found is None else round(float(found[1]) * (1024 if found[3] else 1000) ** unit)
    check(number > 0, "max_size", size, "a size such as 500MB, 4GB or 1000000")
    return number


def check(holds: bool, name: str, got: Any, expected: str) -> None:
    """Raise a ``UsageError`` that names the setting, unless it holds."""
    if not holds:
        raise UsageError(f"{named(name)} is {shown(got)}", expected=expected)


def shown(got: Any) -> str:
    """Write a value into a message, at most 80 characters of it."""
    if type(got) is int and abs(got) > MAX_COUNT**2:  # Python refuses to print thousands of digits
        return "a number of more than 18 digits"
    text = repr(got)
    return text if len(text) <= 80 else text[:79] + "…"
