"""Columns: what do the columns that are neither text nor label say about the rows?"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from pretune.records import Evidence, Example

# A column counts only where most rows have a value, and its values are read as numbers or dates only where nearly all can be.
MIN_FILLED = 0.9
MIN_PARSED = 0.95
SAMPLE = 200

DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|[A-Z][a-z]{2} [A-Z][a-z]{2} +\d.*|[A-Z][a-z]{2},? .*\d{4}.*")
ISO = "ISO 8601"
FORMATS = (
    ISO, "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S", "%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S %z",
)  # fmt: skip


def asked_rows(evidence: Evidence, *, labelled: bool = False) -> tuple[str, tuple[Example, ...]]:
    """Return the rows to hold against training: the test, or validation where the test is sealed, and their name."""
    for name, rows in (("test", evidence.test), ("validation", evidence.validation)):
        if any(row.label is not None for row in rows) if labelled else any(row.extra for row in rows):
            return name, rows
    return "validation", ()


def filled_columns(rows: Sequence[Example]) -> tuple[str, ...]:
    """Return the further columns in which most rows have a value, and not all the same, in their order."""
    counts = Counter(name for row in rows for name, value in row.extra.items() if value.strip())
    filled = [name for name, count in counts.items() if count >= MIN_FILLED * len(rows)]
    return tuple(name for name in filled if len({row.extra.get(name) for row in rows}) > 1)


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


def read_numbers(values: Sequence[str]) -> list[float] | None:
    """Return the values as numbers, or ``None`` where they are not."""
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


def _parse(value: str, pattern: str) -> float | None:
    try:
        moment = datetime.fromisoformat(value) if pattern == ISO else datetime.strptime(value, pattern)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()  # a file that names no zone has one zone
