"""Cells: the label, number or list of scores in one cell of a foreign table, or the reason why there is none."""

import ast
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pretune.data.clean import writable
from pretune.data.foreign.notation import Notation
from pretune.data.labels.several import label_in
from pretune.data.labels.spelling import clean_label
from pretune.data.read.table import Cell, Nested

_SHORT = 200  # characters up to which a label's cell is remembered
OUT_OF_RANGE = "lies outside 0 to 1"


class RowError(ValueError):
    """Why a row cannot be used, and in which column that shows."""

    def __init__(self, column: str | None, reason: str) -> None:
        self.column, self.reason = column, reason
        super().__init__(reason)


def word_in(cells: Mapping[str, Cell], column: str, what: str) -> str:
    """Return the text of a cell. Raises ``RowError`` where it has none."""
    cell = cells[column]
    if isinstance(cell, Nested):
        raise RowError(column, f"is {cell.kind}, not text")
    if cell is None or not cell.strip():
        raise RowError(column, f"{what} is missing")
    if writable(cell) != cell:
        raise RowError(column, f"{what} holds half of a character")
    return cell.strip()


def class_in(cells: Mapping[str, Cell], column: str, what: str) -> str:
    """Return the class in a cell: the only one of a list, without what no reader would see."""
    cell = cells[column]
    try:
        is_short = isinstance(cell, str) and len(cell) <= _SHORT
        name = None if cell is None else _label_in(str(cell)) if is_short else label_in(cell)
    except ValueError as error:
        raise RowError(column, str(error)) from None
    if name is None or not (name := clean_label(name)):
        raise RowError(column, f"{what} is missing")
    return name


@lru_cache(maxsize=4_096)
def _label_in(cell: str) -> str | None:
    """The label of a cell; few labels stand in many rows."""
    found = label_in(cell)
    return found and clean_label(found)


def number_in(cells: Mapping[str, Cell], column: str, numbers: Notation) -> float:
    """Return the number in a cell. Raises ``RowError`` where it has none."""
    return finite(numbers.plain(word_in(cells, column, "the number")), column)


def finite(value: Any, column: str) -> float:
    """Return a value as a finite number. Raises ``RowError`` where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RowError(column, f"{str(value)[:40]!r} is not a number") from None
    except OverflowError:  # an integer of JSON with more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise RowError(column, f"the number is {number}")
    return number


def shares_in(cell: Cell, column: str) -> dict[str, float]:
    """Return label → score of what a pipeline of transformers returned for one text."""
    if not isinstance(cell, (str, Nested)):
        raise RowError(column, "the prediction is missing")
    found = _parsed(cell.shown if isinstance(cell, Nested) else cell)
    while isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        found = found[0]  # a list of one text
    entries = found if isinstance(found, list) else [found]
    if not entries or not all(isinstance(item, dict) and {"label", "score"} <= item.keys() for item in entries):
        raise RowError(column, 'is not a list of {"label", "score"}')
    shares = {clean_label(str(item["label"])): finite(item["score"], column) for item in entries}
    if len(shares) < len(entries):
        raise RowError(column, "names a label twice")
    return shares


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:  # as Python writes lists, which is how Parquet's nested cells and str(...) in a CSV look
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def softmax(logits: dict[str, float]) -> dict[str, float]:
    """Return the probability of each class."""
    top = max(logits.values(), default=0.0)
    powers = {name: math.exp(value - top) for name, value in logits.items()}
    total = sum(powers.values())
    return {name: value / total for name, value in powers.items()}


def check_shares(shares: dict[str, float], column: str | None) -> None:
    """Raise ``RowError`` where a probability lies outside 0 to 1."""
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise RowError(
                column if len(shares) == 1 else None, f"a probability {OUT_OF_RANGE}" + (f" ({name})" if name else "")
            )
