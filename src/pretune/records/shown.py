"""How a record shows itself: one line, a few lines with a table, the same as HTML for a notebook, and a data frame."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import Any

from pretune.errors import require
from pretune.wording.lines import one_line

Cell = str | int | float | bool | None

MAX_ROWS = 24  # of a table that is shown; ``to_pandas`` has all
MAX_CELL, MAX_LINE = 48, 400  # characters
DIGITS = 3
TONES = {"good": "#1a7f37", "bad": "#c62828", "open": "#9a6700", "": "#8c959f"}  # the bar beside it in a notebook


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Args:
        columns: Their names.
        rows: A value for each column: text, a number, a truth value or ``None``.
        title: What it is a table of.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""

    @classmethod
    def of(cls, items: Iterable[Any], *fields: str, title: str = "") -> "Grid":
        """Make a table of the same fields of several records."""
        rows = tuple(tuple(getattr(item, name) for name in fields) for item in items)
        return cls(tuple(name.replace("_", " ") for name in fields), rows, title)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a record shows of itself.

    Args:
        title: What stands at the top.
        gist: What it is in one short line; ``repr`` has nothing else.
        lines: Sentences below the title.
        grids: Tables below these.
        tone: ``good``, ``bad`` or ``open``; empty for neither.
    """

    title: str
    gist: str
    lines: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    tone: str = ""


class Showable:
    """A record that people look at: ``repr`` is one line, ``str`` and a notebook show what matters."""

    __slots__ = ()

    def shown(self) -> Shown:
        """Return what it shows of itself."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {one_line(self.shown().gist, 100)}>"

    def __str__(self) -> str:
        return text_of(self.shown())

    def _repr_html_(self) -> str:
        return html_of(self.shown())


class Tabular(Showable):
    """A record that is a table."""

    __slots__ = ()

    def grid(self) -> Grid:
        """Return all of its rows."""
        return self.shown().grids[0]

    def to_pandas(self) -> Any:
        """Return its rows as a data frame; needs pandas.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        grid = self.grid()
        names = [name.replace(" ", "_") for name in grid.columns]
        return require("pandas", extra="notebook").DataFrame.from_records(list(grid.rows), columns=names)


def text_of(shown: Shown) -> str:
    """Write it for a terminal; foreign text is made fit for one line.

    Example:
        >>> print(text_of(Shown("Two", "two", grids=(Grid(("name", "value"), (("a", 0.5), ("b", None))),))))
        Two
          name  value
          a     0.500
          b     –
    """
    parts = [one_line(shown.title, MAX_LINE), *(one_line(line, MAX_LINE) for line in shown.lines)]
    for grid in filter(lambda grid: grid.rows, shown.grids):
        parts += [one_line(grid.title, MAX_LINE)] if grid.title else []
        parts += _lines_of(grid)
    return "\n".join(parts)


def _lines_of(grid: Grid) -> list[str]:
    names = [one_line(name, MAX_CELL) for name in grid.columns]
    rows = [names, *([_say(value) for value in row] for row in grid.rows[:MAX_ROWS])]
    # The last column may be as long as it is: nothing stands behind it.
    cut = [[*(cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 1]}…" for cell in row[:-1]), row[-1]] for row in rows]
    widths = [max(len(row[place]) for row in cut) for place in range(len(names))]
    lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]
    return [*lines, *_further(grid)]


def html_of(shown: Shown) -> str:
    """Write it for a notebook: escaped, without script, readable on light and dark."""
    lines = "".join(f"<div>{_marked(one_line(line, MAX_LINE))}</div>" for line in shown.lines)
    style = f"border-left:4px solid {TONES[shown.tone]};padding:.2em .8em;margin:.3em 0"
    title = f'<div style="font-weight:bold">{escape(one_line(shown.title, MAX_LINE))}</div>'
    grids = "".join(html_grid(grid) for grid in shown.grids if grid.rows)
    return f'<div class="pretune" style="{style}">{title}{lines}{grids}</div>'


def html_grid(grid: Grid) -> str:
    """Write a table as HTML; a head stands over its figures, whatever a notebook does to heads."""
    firsts = [next((row[place] for row in grid.rows if row[place] is not None), "") for place in range(len(grid.columns))]
    styles = [f'style="text-align:{"left" if isinstance(value, (str, bool)) else "right"}"' for value in firsts]
    names = zip(styles, grid.columns, strict=True)
    head = "".join(f'<th scope="col" {style}>{escape(one_line(name, MAX_CELL))}</th>' for style, name in names)
    cells = (
        (f"<td {style}>{_marked(_say(value))}</td>" for style, value in zip(styles, row, strict=True)) for row in grid.rows
    )
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in islice(cells, MAX_ROWS))
    caption = f'<caption style="text-align:left">{escape(one_line(grid.title, MAX_LINE))}</caption>' if grid.title else ""
    further = "".join(f"<div>{line.strip()}</div>" for line in _further(grid))
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{further}"


def _marked(text: str) -> str:
    """Escape a text, and set what stands between backticks as code; a lone backtick stays."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _further(grid: Grid) -> list[str]:
    hidden = len(grid.rows) - MAX_ROWS
    return [f"  … {hidden:,} more rows; to_pandas() has all"] if hidden > 0 else []


def _say(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}" if 0 < abs(value) < 0.001 else f"{value:,.{DIGITS}f}"
    return one_line(str(value), MAX_LINE)


def say_figure(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write a figure with its interval.

    Example:
        >>> say_figure(0.8531, 0.8351, 0.8702), say_figure(None)
        ('0.853 (0.835–0.870)', '–')
    """
    return _say(value) + (f" ({low:.3f}–{high:.3f})" if low is not None and high is not None else "")


def listed(names: Sequence[str], limit: int = 6) -> str:
    """List names, not too many of them.

    Example:
        >>> listed(["a", "b", "c"], limit=2)
        'a, b and 1 more'
    """
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
