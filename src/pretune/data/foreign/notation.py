"""Notation: how columns of scores write their numbers: with a decimal point or comma, as shares or as percentages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pretune.configs import MAX_REJECTED_SHARE
from pretune.data.read.table import RawTable, unusable
from pretune.errors import DataError

_SPACES = " \t\u00a0\u202f\u2009"
_PER_CENT = ("%", "\uff05", "\u066a")
_WITH_COMMA = re.compile(r"[+-]?(?:\d*,\d+|\d+)(?:[eE][+-]?\d+)?")
_WITH_POINT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
# A longer cell is no number that anybody wrote.
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Notation:
    """How the numbers of a table are written."""

    has_comma: bool = False
    is_per_cent: bool = False

    def plain(self, cell: str) -> str:
        """Return a cell as Python writes the number, without a change of its digits; what does not fit stays as it is.

        Example:
            >>> Notation(has_comma=True, is_per_cent=True).plain("93,1 %"), Notation().plain("93,1 %")
            ('93.1e-2', '93,1 %')
        """
        found = _bare(cell) if self.is_per_cent else cell.strip()
        if found is None or (self.has_comma and not _fits(found, _WITH_COMMA)):
            return cell
        found = found.replace(",", ".") if self.has_comma else found
        return f"{found}e-2" if self.is_per_cent and "e" not in found.lower() else found

    @property
    def note(self) -> str:
        """What was read how; empty for numbers as Python writes them."""
        parts = ["with a decimal comma"] * self.has_comma + ["as percentages (93 % is 0.93)"] * self.is_per_cent
        return f"scores are read {' and '.join(parts)}" if parts else ""


def find_notation(raw: RawTable, columns: Sequence[str]) -> Notation:
    """Return how the numbers in these columns are written; all of them in one way.

    Raises:
        DataError: Some have a percent sign, or a comma, and one has not; or a comma may part thousands.
    """
    num_cells = num_odd = 0
    for _, _, cell in _numbers(raw, columns):
        num_cells += 1
        num_odd += "," in cell or cell.rstrip(_SPACES).endswith(_PER_CENT)
    if num_odd <= MAX_REJECTED_SHARE * num_cells:  # a few are dirt: their rows are rejected, each with its reason
        return Notation()
    cells = list(_numbers(raw, columns))
    num_per_cent = sum(_bare(cell) is not None for _, _, cell in cells)
    is_per_cent = num_per_cent > MAX_REJECTED_SHARE * len(cells)
    if is_per_cent:
        misfit = next((item for item in cells if _bare(item[2]) is None), None)
        if misfit is not None:
            raise _mixed(raw, misfit, f"has no percent sign, and {num_per_cent:,} of {len(cells):,} numbers have one")
    bare = [(row, name, (_bare(cell) or "") if is_per_cent else cell.strip()) for row, name, cell in cells]
    with_comma = [cell for _, _, cell in bare if "," in cell]
    has_comma = len(with_comma) > MAX_REJECTED_SHARE * len(cells)
    pattern = _WITH_COMMA if has_comma else _WITH_POINT
    misfit = next((item for item in bare if not _fits(item[2], pattern)), None)
    if misfit is not None:
        said = f"is not a number with a decimal comma, and {len(with_comma):,} of {len(cells):,} have a comma"
        raise _mixed(raw, misfit, said if has_comma else "is not a number")
    if has_comma and all(_THOUSANDS.fullmatch(cell) for cell in with_comma):
        first = next(item for item in bare if "," in item[2])
        raise _mixed(raw, first, "may be a number below ten, or thousands")
    return Notation(has_comma, is_per_cent)


def _numbers(raw: RawTable, columns: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the cells that may be numbers, each with its row and column."""
    places = [(name, raw.columns.index(name)) for name in columns]
    for row in raw.rows:
        for name, index in places:
            if isinstance(cell := row.cells[index], str) and len(cell) <= _LONGEST and any(map(str.isdigit, cell)):
                yield row.number, name, cell


def bare_number(cell: str) -> str:
    """Return a cell as the number it may hold, for a look at a column: with a point for its comma, without a percent sign."""
    return (_bare(cell) or cell).strip().replace(",", ".", 1)


def _bare(cell: str) -> str | None:
    """The number before a percent sign; ``None`` where there is no such sign."""
    text = cell.strip(_SPACES)
    return text[:-1].rstrip(_SPACES) if text.endswith(_PER_CENT) else None


def _fits(text: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(text) is not None


def _mixed(raw: RawTable, at: tuple[int, str, str], got: str) -> DataError:
    row, name, cell = at
    return unusable(
        raw.origin,
        f"{cell[:40]!r} {got}",
        expected="all numbers of these columns written in one way: 0.93, 0,93 or 93 %",
        fix="write them with a decimal point and without a sign for percent or thousands",
        at=(row, name, None),
    )
