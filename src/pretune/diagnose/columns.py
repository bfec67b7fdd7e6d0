"""Columns: what do the columns other than text and label say about the rows?"""

import re
from collections import Counter
from collections.abc import Sequence

from pretune.records import Evidence, Example

# A column counts only where most rows have a value.
MIN_FILLED = 0.9
# Rows looked at of each split: enough to measure 0.95 within a point.
MAX_ROWS = 5_000

ANNOTATION = re.compile(
    r"annotat|rater|coder|agreement|kappa|vote|judge?ments?\b|trusted|confidence|consensus|worker|golden", re.IGNORECASE
)


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


def is_annotation(column: str) -> bool:
    """Whether a column is named as annotation tools name what they write about a label.

    Example:
        >>> is_annotation("airline_sentiment_confidence"), is_annotation("votes"), is_annotation("author")
        (True, True, False)
    """
    return ANNOTATION.search(column) is not None


def read_numbers(values: Sequence[str]) -> list[float] | None:
    """Return the values as numbers, or ``None`` where they are not."""
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


def spread(rows: Sequence[Example]) -> Sequence[Example]:
    """Return at most ``MAX_ROWS`` rows, evenly spread over the split, since files are often sorted."""
    step = max(1, -(-len(rows) // MAX_ROWS))
    return rows[::step]
