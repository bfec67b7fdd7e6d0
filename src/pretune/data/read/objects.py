"""Objects: rows of cells from many small dictionaries, such as the lines of a JSON file, however much their keys differ."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from pretune.data.read.limits import check_columns
from pretune.data.read.table import Cell, Origin, Row, check_names

# Cells for one that is there, up to which a row is kept as a list of all columns; beyond, as what is there.
MAX_SPREAD = 4
# Sets of keys that are remembered; where there are more, hardly any comes again.
MAX_SHAPES = 10_000


class SparseCells(Sequence[Cell]):
    """The cells of a row with few of many columns; those that are not there are missing.

    Args:
        values: Cells by column, those that are there.
        columns: All columns; a list may grow, and the row with it.
    """

    __slots__ = ("_columns", "values")

    def __init__(self, values: dict[str, Cell], columns: Sequence[str]) -> None:
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


class Keys:
    """The keys of objects as they come, each written as text and kept once: the columns of a table.

    Args:
        origin: The file, for messages.
        max_columns: Different keys, at most.
    """

    def __init__(self, origin: Origin, max_columns: int) -> None:
        self._origin, self._max_columns = origin, max_columns
        self._names: dict[str, str] = {}  # of each key, the one string that it is written as
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.columns: list[str] = []  # in the order in which their keys are first met

    def names_of(self, value: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the columns of an object, the same tuple for all objects with the same keys.

        Raises:
            DataError: All objects together have too many different keys.
        """
        keys = tuple(value)
        return self._shapes.get(keys) or self._new_shape(keys)

    def check(self) -> None:
        """Raise where two keys are one name once they are written as text.

        Raises:
            DataError: It names them.
        """
        check_names(self.columns, self._origin)

    def _new_shape(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        new = {key: _written(key) for key in keys if key not in self._names}
        self._names |= new
        self.columns.extend(new.values())
        check_columns(len(self.columns), self._max_columns, self._origin)
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        return self._shapes.setdefault(keys, tuple(map(self._names.__getitem__, keys)))


class Objects:
    """Objects as they come: what is kept of each are its values, and its keys once for all objects that have the same.

    Args:
        origin: The file, for messages.
        max_columns: Different keys, at most.
    """

    def __init__(self, origin: Origin, max_columns: int) -> None:
        self._keys = Keys(origin, max_columns)
        self._kept: list[tuple[int, tuple[str, ...], list[Any]]] = []
        self._num_values = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, number: int, value: Mapping[str, Any]) -> None:
        """Keep an object, the one in this row.

        Raises:
            DataError: All objects together have too many different keys.
        """
        names = self._keys.names_of(value)
        self._num_values += len(names)
        self._kept.append((number, names, list(value.values())))

    def rows(self, as_cell: Callable[[Any], Cell]) -> tuple[tuple[str, ...], list[Row]]:
        """Return the columns, in the order in which their keys are first met, and the rows; here nothing is kept any more.

        Raises:
            DataError: Two keys are one name once they are written as text.
        """
        self._keys.check()
        columns = tuple(self._keys.columns)
        is_dense = len(columns) * len(self._kept) <= MAX_SPREAD * self._num_values
        rows: list[Row] = []
        kept, self._kept = self._kept, []
        kept.reverse()
        while kept:
            number, names, values = kept.pop()
            cells: Sequence[Cell] = list(map(as_cell, values))
            if names != columns:
                found = dict(zip(names, cells, strict=True))
                cells = [found.get(name) for name in columns] if is_dense else SparseCells(found, columns)
            rows.append(Row(number, cells))
        return columns, rows


def named_cells(columns: Sequence[str], cells: Sequence[Cell]) -> Mapping[str, Cell]:
    """Return the cells of a row by their column; of a sparse row those that are there, and ``None`` for any other."""
    return _Named(cells.values if isinstance(cells, SparseCells) else zip(columns, cells, strict=True))


class _Named(dict[str, Cell]):
    """Cells by column; what is not there is missing."""

    def __missing__(self, name: str) -> None:
        return None


def _written(key: str) -> str:
    """A key that can be written: half a character becomes its escape."""
    return key if key.isascii() else key.encode("utf-8", "backslashreplace").decode("utf-8")
