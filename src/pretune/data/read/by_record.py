"""By record: rows of a delimited file that is never held in memory, read as its beginning suggests unless a line disagrees."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pretune.configs import ReadConfig
from pretune.data.read.accounts import checked_lines, describe_lines
from pretune.data.read.delimited import Reading, any_field_size, choose_reading
from pretune.data.read.parse import Parser
from pretune.data.read.quoting import Habit, find_pieces, habits_of, swallowed
from pretune.data.read.table import Origin, Row
from pretune.records import LineCounts, Rejection

# Characters from which it is told how a file is read, and those of its longest cell; a file with fewer is judged as a whole.
AHEAD = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file is read, by its beginning.

    Args:
        reading: What its beginning gives.
        habits: What the cells of each column are like; ``None`` where cells of several lines are not looked at.
    """

    reading: Reading
    habits: Sequence[Habit] | None


def take_ahead(lines: Iterator[str]) -> list[str]:
    """Return the first lines, ``AHEAD`` characters of them."""
    size, found = 0, list[str]()
    while size < AHEAD and (line := next(lines, None)) is not None:
        size += len(line)
        found.append(line)
    return found


def find_manner(ahead: Sequence[str], origin: Origin, config: ReadConfig, *, is_whole: bool) -> Manner:
    """Return how a file is read.

    Args:
        ahead: Its first lines.
        origin: The file.
        config: What was asked for.
        is_whole: Whether these are all of its lines.

    Raises:
        DataError: As ``choose_reading``.
    """
    with any_field_size(AHEAD):
        reading = choose_reading(ahead, origin, config, is_whole=is_whole)
    is_looked_at = config.quoting is None and len(reading.parser.columns) > 1
    return Manner(reading=reading, habits=habits_of(reading.rows) if is_looked_at else None)


def rows_by_record(
    lines: Iterable[str],
    manner: Manner,
    config: ReadConfig,
    reject: Callable[[Rejection], None],
    done: Callable[[LineCounts, list[str]], None],
) -> Iterator[Row]:
    """Yield the rows of a file as they come.

    Args:
        lines: All of its lines.
        manner: How they are read.
        config: What was asked for.
        reject: Receives what is no row, before the next row is yielded.
        done: Receives what became of every line, and notes on those that are no rows, once all are read.

    Raises:
        DataError: A quote never closes, or swallows rows.
    """
    known = manner.reading.parser
    skipped, waiting = known.skipped, iter(lines)
    for _ in range(skipped):
        next(waiting, None)
    parser = Parser(
        lines=waiting,
        origin=known.origin,
        dialect=manner.reading.dialect,
        reject=reject,
        skipped=skipped,
        max_columns=config.max_columns,
    )
    for row in _with_long_cells(parser.rows()):
        if parser.spans:
            parser.spans.clear()
            if manner.habits and (pieces := find_pieces([row], [0], parser.dialect.delimiter, manner.habits)):
                raise swallowed(pieces, parser.columns, parser.origin)
        yield row
    if parser.unclosed:
        raise parser.unclosed.error(parser.origin)
    done(checked_lines(parser, parser.num_lines), describe_lines(parser))


def _with_long_cells(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield rows whose cells may be long; the limit, which is one for all of Python, stands only while a row is read."""
    while True:
        before = csv.field_size_limit(AHEAD)
        try:
            row = next(rows, None)
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        yield row
