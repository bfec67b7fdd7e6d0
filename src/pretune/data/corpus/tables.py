"""Tables of a corpus: rows of CSV and TSV files piece by piece, read as a table of labels is, so that no file is ever held."""

from collections.abc import Iterable, Iterator
from itertools import chain

from pretune.configs import ReadConfig
from pretune.data.corpus.documents import Rows
from pretune.data.corpus.intake import Intake
from pretune.data.read.delimited import Reading, any_field_size, checked_lines, choose_reading, describe_lines
from pretune.data.read.parse import Parser
from pretune.data.read.quoting import find_pieces, habits_of, swallowed
from pretune.data.read.table import Row
from pretune.records import Rejection

# Characters from which it is told how a file is read; what is shorter is judged as a whole.
AHEAD = 16_000_000


def delimited_rows(lines: Iterable[str], intake: Intake) -> Rows:
    """Yield the rows of a CSV or TSV file with a header; lines that are in none of them are rejected.

    How quotes are read is told by the first ``AHEAD`` characters; what speaks against it later stops the reading.

    Raises:
        DataError: There is no header, a quote never closes, or quotes swallow rows.
    """
    config = ReadConfig(quoting=intake.config.quoting, escape=intake.config.escape)
    lines = (line + "\n" for line in lines)
    ahead = list(_ahead(lines))
    more = next(lines, None)
    with any_field_size(AHEAD):
        found = choose_reading(ahead, intake.origin, config, is_whole=more is None)
    intake.notes.extend(found.notes)
    if more is None:
        parser, rows = found.parser, iter(found.rows)
        for rejection in found.rejected:
            _reject(intake, rejection)
    else:
        parser = Parser(
            lines=chain(ahead[found.parser.skipped :], [more], lines), origin=intake.origin, dialect=found.dialect,
            reject=lambda rejection: _reject(intake, rejection), skipped=found.parser.skipped,
        )  # fmt: skip
        rows = _rows(parser, found, checks=config.quoting is None)
    for number, cells, _ in rows:
        yield number, dict(zip(parser.columns, cells, strict=True))
    if parser.unclosed:
        raise parser.unclosed.error(intake.origin)
    intake.lines = checked_lines(parser, parser.num_lines)
    intake.notes.extend(describe_lines(parser))


def _ahead(lines: Iterator[str]) -> Iterator[str]:
    size = 0
    while size < AHEAD and (line := next(lines, None)) is not None:
        size += len(line)
        yield line


def _rows(parser: Parser, found: Reading, *, checks: bool) -> Iterator[Row]:
    """Yield rows as they come; each one of several lines is looked at, unless quotes were asked for."""
    habits = habits_of(found.rows) if checks and len(found.parser.columns) > 1 else None
    with any_field_size(AHEAD):
        for row in parser.rows():
            if parser.spans:
                parser.spans.clear()
                pieces = [] if habits is None else find_pieces([row], [0], found.dialect.delimiter, habits)
                if pieces:
                    raise swallowed(pieces, parser.columns, parser.origin)
            yield row


def _reject(intake: Intake, rejection: Rejection) -> None:
    intake.reject(rejection.row, rejection.reason, rejection.column)
