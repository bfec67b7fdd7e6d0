"""Label types: labels given as numbers or truth values are answered as such, even after saving and loading."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# How ``pretune.json`` names the type of the labels; "str" is also that of tables whose cells are text.
LABEL_TYPES = ("str", "int", "float", "bool")


def type_of_labels(values: Iterable[Any]) -> str:
    """Return the type that all labels have; labels of mixed or other types are answered as text.

    Example:
        >>> type_of_labels([0, 1]), type_of_labels([True]), type_of_labels([1, 0.5]), type_of_labels(["01", 1])
        ('int', 'bool', 'float', 'str')
    """
    kinds = {_kind(kind) for kind in {type(value) for value in values}}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "str"


def typed(classes: Sequence[str], kind: str) -> npt.NDArray[Any]:
    """Return the classes as values of their type, in the same order; shape (num_classes,).

    Args:
        classes: As text.
        kind: One of ``LABEL_TYPES``.

    Raises:
        ValueError: A class is no value of that type.

    Example:
        >>> typed(("2", "10"), "int").tolist(), typed(("False", "True"), "bool").tolist()
        ([2, 10], [False, True])
    """
    if kind == "str":
        return np.array(classes)
    return np.array([_value(name, kind) for name in classes])


def kept_type(classes: Sequence[str], kind: str) -> str:
    """Return ``kind`` where every class is a value of it, else that of text."""
    try:
        typed(classes, kind)
    except ValueError:
        return "str"
    return kind


def _kind(kind: type) -> str:
    if issubclass(kind, (bool, np.bool_)):
        return "bool"
    if issubclass(kind, (int, np.integer)):
        return "int"
    return "float" if issubclass(kind, (float, np.floating)) else "str"


def _value(name: str, kind: str) -> Any:
    if kind == "bool":
        if name.casefold() not in ("true", "false"):
            raise ValueError(f"the class {name!r} is neither true nor false")
        return name.casefold() == "true"
    return float(name) if kind == "float" else _whole(name)


def _whole(name: str) -> int:
    number = float(name) if "." in name or "e" in name.casefold() else int(name)
    if number != int(number):
        raise ValueError(f"the class {name!r} is not a whole number")
    return int(number)
