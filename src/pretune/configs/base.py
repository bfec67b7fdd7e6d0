"""What every config is: frozen, complete, checked when it is made."""

import re
from dataclasses import fields
from typing import Any, Self

from pretune.errors import UsageError


class Config:
    """A frozen dataclass that scikit-learn can search over."""

    __slots__ = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn calls it so
        """Return the fields by name, as scikit-learn expects of a nested parameter."""
        return {item.name: getattr(self, item.name) for item in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Build the config from ``get_params`` after a trip through JSON."""
        return cls(**{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()})


_DURATION = re.compile(r"(?=.)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def parse_duration(text: str) -> float:
    """Return the seconds that ``90s``, ``5m``, ``1h`` or ``1h30m`` are.

    Raises:
        UsageError: It is none of these, or no time at all.

    Example:
        >>> parse_duration("1h30m")
        5400.0
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = sum(float(part or 0) * size for part, size in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
    check(seconds > 0, "budget", text, "a time with its unit, such as 90s, 5m, 1h or 1h30m")
    return seconds


def check(holds: bool, name: str, got: Any, expected: str) -> None:
    """Raise a ``UsageError`` that names the setting, unless it holds."""
    if not holds:
        raise UsageError(f"{name} is {got!r}", expected=expected, fix=f"pass a {name} in that range")
