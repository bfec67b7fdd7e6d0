"""Tables of a corpus: rows of CSV and TSV files piece by piece, read like a labelled table; no file is held in memory."""

from collections.abc import Iterable
from itertools import chain

from pretune.configs import ReadConfig
from pretune.data.corpus.documents import Rows
from pretune.data.corpus.intake import Intake
from pretune.data.read.by_record import find_manner, rows_by_record, take_ahead
from pretune.records import LineCounts, Rejection


def delimited_rows(lines: Iterable[str], intake: Intake) -> Rows:
    """Yield the rows of a CSV or TSV file with a header; lines that are in none of them are rejected.

    How quotes are read is told by its beginning; what speaks against it later stops the reading.

    Raises:
        DataError: There is no header, a quote never closes, or quotes swallow rows.
    """
    config = ReadConfig(quoting=intake.config.quoting, escape=intake.config.escape)
    lines = (line + "\n" for line in lines)
    ahead = take_ahead(lines)
    more = [line for line in [next(lines, None)] if line is not None]
    manner = find_manner(ahead, intake.origin, config, is_whole=not more)
    intake.notes.extend(manner.reading.notes)
    manner.reading.rows.clear()

    def reject(rejection: Rejection) -> None:
        intake.reject(rejection.row, rejection.reason, rejection.column)

    def done(counts: LineCounts, notes: list[str]) -> None:
        intake.lines = counts
        intake.notes.extend(notes)

    columns = manner.reading.parser.columns
    for number, cells, _ in rows_by_record(chain(ahead, more, lines), manner, config, reject, done):
        yield number, dict(zip(columns, cells, strict=True))
