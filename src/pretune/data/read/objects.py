"""Objects: many small dictionaries, such as the lines of a JSON file, to rows of cells, however much their keys differ."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from pretune.data.read.limits import check_columns
from pretune.data.read.table import Cell, Origin, Row, check_names

# Cells for one that is there, up to which a row is kept as a list of all columns; beyond, as what is there.
MAX_SPREAD = 4


class SparseCells(Sequence[Cell]):
    """The cells of a row with few of many columns; those that are not there are missing."""

    __slots__ = ("_columns", "values")

    def __init__(self, values: dict[str, Cell], columns: tuple[str, ...]) -> None:
        self.values, self._columns = values, columns

    def __len__(self) -> int:
        return len(self._columns)

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Cell]: ...
    def __getitem__(self, place: int | slice) -> Cell | Sequence[Cell]:
        if isinstance(place, slice):
            return [self.values.get(name) for name in self._columns[place]]
        return self.values.get(self._columns[place])


class Objects:
    """Objects as they come: what is kept of each are its values, and its keys once for all objects that have the same.

    Args:
        origin: The file, for messages.
        max_columns: Different keys, at most.
    """

    def __init__(self, origin: Origin, max_columns: int) -> None:
        self._origin, self._max_columns = origin, max_columns
        self._names: dict[str, str] = {}  # of each key, the one string that stands for it
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._kept: list[tuple[int, tuple[str, ...], list[Any]]] = []
        self._num_values = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, number: int, value: Mapping[str, Any]) -> None:
        """Keep an object, the one in this row.

        Raises:
            DataError: All objects together have too many different keys.
        """
        keys = tuple(value)
        shape = self._shapes.get(keys) or self._new_shape(keys)
        self._num_values += len(keys)
        self._kept.append((number, shape, list(value.values())))

    def rows(self, as_cell: Callable[[Any], Cell]) -> tuple[tuple[str, ...], list[Row]]:
        """Return the columns, in the order in which their keys are first met, and the rows; here nothing is kept any more.

        Raises:
            DataError: Two keys are one name once they are written as text.
        """
        keys = tuple(self._names)
        columns = tuple(map(_written, keys))
        check_names(columns, self._origin)
        names = dict(zip(keys, columns, strict=True))
        is_dense = len(columns) * len(self._kept) <= MAX_SPREAD * self._num_values
        rows: list[Row] = []
        kept, self._kept = self._kept, []
        kept.reverse()
        while kept:
            number, shape, values = kept.pop()
            cells: Sequence[Cell] = list(map(as_cell, values))
            if shape != keys:
                found = dict(zip((names[key] for key in shape), cells, strict=True))
                cells = [found.get(name) for name in columns] if is_dense else SparseCells(found, columns)
            rows.append(Row(number, cells))
        return columns, rows

    def _new_shape(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        shape = tuple(self._names.setdefault(key, key) for key in keys)
        check_columns(len(self._names), self._max_columns, self._origin)
        return self._shapes.setdefault(shape, shape)


def named_cells(columns: Sequence[str], cells: Sequence[Cell]) -> Mapping[str, Cell]:
    """Return the cells of a row by their column; of a sparse row those that are there, and ``None`` for any other."""
    return _Named(cells.values if isinstance(cells, SparseCells) else zip(columns, cells, strict=True))


class _Named(dict[str, Cell]):
    """Cells by column; what is not there is missing."""

    def __missing__(self, name: str) -> None:
        return None


def _written(key: str) -> str:
    """A key that can be written: half a character becomes its escape."""
    return key.encode("utf-8", "backslashreplace").decode("utf-8")
