"""Moments: when each row was written, from a column of dates."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from pretune.records import Example

# Values are read as dates only where nearly all can be.
MIN_PARSED = 0.95
SAMPLE = 200

DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|[A-Z][a-z]{2} [A-Z][a-z]{2} +\d.*|[A-Z][a-z]{2},? .*\d{4}.*")
ISO = "ISO 8601"
FORMATS = (
    ISO, "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S", "%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S %z",
)  # fmt: skip


def read_moments(rows: Sequence[Example], column: str) -> dict[str, float]:
    """Return each row's moment in seconds since 1970 by id, or nothing where the column holds no dates.

    One format is taken for the whole column, the first that nearly all values have; a number is no date, however long.
    """
    values = {row.id: row.extra.get(column, "").strip() for row in rows}
    sample = list(values.values())[:SAMPLE]
    if sum(bool(DATE.fullmatch(value)) for value in sample) < MIN_PARSED * len(sample):
        return {}
    for pattern in FORMATS:
        found = {row: moment for row, value in values.items() if (moment := _parse(value, pattern)) is not None}
        if found and len(found) >= MIN_PARSED * len(rows):
            return found
    return {}


def read_asked(rows: Sequence[Example], column: str) -> dict[str, float]:
    """Return what ``read_moments`` does, or the numbers of a column that holds a year, seconds or a running number."""
    found = read_moments(rows, column)
    if found:
        return found
    numbers = {row.id: number for row in rows if (number := _number(row.extra.get(column, ""))) is not None}
    return numbers if len(numbers) >= MIN_PARSED * len(rows) else {}


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _parse(value: str, pattern: str) -> float | None:
    try:
        moment = datetime.fromisoformat(value) if pattern == ISO else datetime.strptime(value, pattern)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()  # a file that names no zone has one zone
