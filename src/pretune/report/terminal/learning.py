"""The course, drawn for a terminal: paragraphs, tables of what was found, and the list of lessons."""

import re
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.report.terminal.drawing import columns, heading, plain

CODE = "`"
_NUMBER = re.compile(r"[+−–-]?[\d.,]*( \([\d.–+-]+\))?")


def draw_title(title: str, minutes: int, done: int, total: int) -> Text:
    """Draw the head of a lesson."""
    begun = f"; {done} of {total} steps done, it continues there" if 0 < done < total else ""
    return heading(title, f"about {minutes} minutes on two cores{begun}")


def draw_text(text: str) -> Group:
    """Draw paragraphs; what stands between backticks is set as a command."""
    parts: list[RenderableType] = []
    for paragraph in text.split("\n\n"):
        if parts:
            parts.append(Text())
        line = Text()
        for place, part in enumerate(paragraph.split(CODE)):
            line.append(part, "cyan" if place % 2 else "")
        parts.append(line)
    return Group(*parts)


def draw_table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> Group:
    """Draw a table of what was found."""
    right = [name for place, name in enumerate(names) if all(_NUMBER.fullmatch(row[place]) for row in rows)]
    table: Table = columns(*names, right=right)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    return Group(heading(title, ""), table, *([Text(note, "dim")] if note else []))


def draw_lessons(rows: Sequence[tuple[str, str, str, str, str]]) -> Group:
    """Draw the list of lessons: number, name, title, minutes, how far it has come."""
    table = columns("", "lesson", "", "minutes", "done", right=("minutes",))
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    return Group(heading("Course", "`pretune learn LESSON` enters one; `pretune learn` continues"), table)
