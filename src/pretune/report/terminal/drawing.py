"""The parts of every terminal drawing; user text enters here, as text and never as markup."""

import io
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.report.words import one_line

# Drawings are made for 80 columns and use up to this many; longer lines are hard to follow.
MAX_WIDTH = 120

# Characters shown of a text; of a name (a class, a source, a file) that stands in a table; of one over a narrow column.
TEXT_LENGTH, NAME_LENGTH, SHORT_LENGTH = 600, 32, 16

_EIGHTHS = " ▏▎▍▌▋▊▉"


def plain(text: str, style: str = "", *, cut: bool = False) -> Text:
    """Make text that is shown as it is; with ``cut`` it stays on one line and ends in an ellipsis where it is too long."""
    return Text(one_line(text, TEXT_LENGTH), style, no_wrap=cut, overflow="ellipsis" if cut else "fold")


def named(text: str, style: str = "", *, limit: int = NAME_LENGTH) -> Text:
    """Make a name that cannot crowd out the columns beside it."""
    return Text(one_line(text, limit), style, overflow="fold")


def heading(title: str, remark: str = "") -> Text:
    """Make the line above a drawing."""
    line = Text()
    return line.append(title, "bold").append(f"   {one_line(remark, 3 * NAME_LENGTH)}" if remark else "", "dim")


def columns(*names: str, right: Sequence[str] = (), wide: str = "") -> Table:
    """Make a table with these columns; those in ``right`` hold numbers, ``wide`` takes the room that is left."""
    # A rule under the header and nothing else: less ink than a frame, and columns still read without colour.
    table = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", expand=bool(wide)
    )
    for name in names:
        justify = "right" if name in right else "left"
        table.add_column(plain(name), justify=justify, overflow="fold", ratio=1 if name == wide else None)  # type: ignore[arg-type]
    return table


def pairs(rows: Sequence[tuple[str | Text, RenderableType]]) -> Table:
    """Make lines of a name and what belongs to it, wrapped beside the name."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, plain(value) if isinstance(value, str) else value)
    return grid


def indent(renderable: RenderableType) -> Table:
    """Move a drawing two columns in."""
    grid = Table.grid(padding=0)
    grid.add_column(width=2)
    grid.add_column()
    grid.add_row("", renderable)
    return grid


def bar(share: float, width: int) -> str:
    """Draw a share of ``width`` characters.

    Example:
        >>> bar(0.5, 4), bar(0.0, 4), bar(1.0, 4)
        ('██  ', '    ', '████')
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


def stack(*parts: RenderableType | None) -> Group:
    """Put drawings under each other with an empty line between; ``None`` is left out."""
    spaced = [item for part in parts if part is not None for item in (Text(), part)]
    return Group(*spaced[1:])


def to_text(*renderables: RenderableType, width: int = 80, color: bool = False) -> str:
    """Return what would be drawn on a terminal of ``width`` columns."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, force_terminal=color, no_color=not color, highlight=False, legacy_windows=False)
    for renderable in renderables:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().split("\n"))
