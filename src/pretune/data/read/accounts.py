"""Accounts: what became of every line of a delimited file, checked and reported."""

from pretune.data.read.parse import Parser
from pretune.data.read.table import unusable
from pretune.records import LineCounts
from pretune.wording.counts import counted, listed

# Rows that one note shows.
SHOWN_ROWS = 5


def checked_lines(parser: Parser, num_lines: int) -> LineCounts:
    """Return what became of every line.

    Raises:
        DataError: They do not add up, which is a fault of pretune; nothing of the file is used then.
    """
    counts = parser.tally.counts(num_lines)
    if not counts.is_balanced or parser.num_lines != num_lines:
        raise unusable(
            parser.origin,
            f"{num_lines:,} lines were read, and these are accounted for: {counts.to_json()}",
            expected="every line in one of them: this is a fault of pretune",
            fix="report it with the file's first lines; until then, save the table as JSON lines",
        )
    return counts


def describe_lines(parser: Parser) -> list[str]:
    """Say which lines are no rows."""
    name, tally, notes = parser.origin.name, parser.tally, []
    if tally.blank:
        notes.append(f"{name}: {counted(tally.blank, 'empty line, which is not a row', 'empty lines, which are not rows')}")
    if parser.repeated:
        shown = listed(parser.repeated, SHOWN_ROWS, write=str)
        rows, verb = ("rows", "repeat") if len(parser.repeated) > 1 else ("row", "repeats")
        notes.append(f"{name}: {rows} {shown} {verb} the header and {'are' if rows == 'rows' else 'is'} left out")
    if tally.separator > parser.skipped:
        notes.append(
            f"{name}: sep= also stands further down ({tally.separator - parser.skipped} times); these lines are not rows"
        )
    return notes


def count_lines(text: str) -> int:
    r"""Return how many lines a text has, whether they end in ``\n``, ``\r\n`` or ``\r``.

    Example:
        >>> count_lines("a\nb\r\nc\rd"), count_lines("a\n"), count_lines("")
        (4, 1, 0)
    """
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends + (text[-1:] not in ("", "\n", "\r"))
