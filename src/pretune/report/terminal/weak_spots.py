"""Where the model is weak, drawn for a terminal: the worst slices and the most confident mistakes."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from pretune.records import Mistake, Slice
from pretune.report.terminal.drawing import SHORT_LENGTH, columns, heading, named, plain
from pretune.report.words import MARKS, chance, number, one_line, span

# Lines on a terminal; the report has all that the record keeps.
MAX_SLICES, MAX_MISTAKES = 6, 5
TEXT_LENGTH = 160


def say_slices(slices: Sequence[Slice]) -> str:
    """Say in one sentence whether any kind of row is weak.

    Example:
        >>> say_slices(())
        'no slice has enough rows to look at'
    """
    worse = [item for item in slices if item.is_worse]
    if not slices:
        return "no slice has enough rows to look at"
    if not worse:
        return "none is worse than the other rows by more than chance explains; the lowest come first"
    names = ", ".join(f"{item.column} {item.value}" for item in worse[:3])
    more = f" and {len(worse) - 3} more" if len(worse) > 3 else ""
    return f"worse than the other rows, by more than chance explains: {names}{more}"


def draw_slices(slices: Sequence[Slice]) -> Group:
    """Draw accuracy by kind of row, the worst first; ✗ marks those that chance does not explain."""
    table = columns("", "slice", "rows", "accuracy", "others", "p, corrected", right=("rows", "others", "p, corrected"))
    for item in slices[: max(MAX_SLICES, sum(item.is_worse for item in slices))]:
        mark = Text(MARKS[False], "red") if item.is_worse else Text()
        accuracy = Text(number(item.accuracy)).append(f" {span(item.low, item.high)}", "dim")
        name = Text(one_line(item.column, SHORT_LENGTH)).append(" ").append_text(named(item.value, "bold"))
        table.add_row(mark, name, f"{item.num_examples:,}", accuracy, number(item.rest), chance(item.p_value))
    return Group(heading("Slices"), plain(say_slices(slices), "dim"), table)


def draw_mistakes(mistakes: Sequence[Mistake]) -> Group:
    """Draw the wrong answers that the model was surest of, the surest first."""
    table = columns("sure", "true", "predicted", "row and text", right=("sure",), wide="row and text")
    for item in mistakes[:MAX_MISTAKES]:
        text = f"{item.id}: {item.text}" if item.text else item.id
        names = (named(name, limit=SHORT_LENGTH) for name in (item.label, item.predicted))
        table.add_row(number(item.probability), *names, plain(one_line(text, TEXT_LENGTH)))
    return Group(heading("Most confident mistakes"), table)
