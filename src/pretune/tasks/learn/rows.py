"""Rows of lessons: no text stands in them twice, so that nothing leaks that was not planted."""

from collections.abc import Iterable

from pretune.records import Example


def without_copies(rows: Iterable[Example]) -> list[Example]:
    """Leave out rows that repeat an earlier text but for case and spacing.

    Example:
        >>> [row.id for row in without_copies([Example(id="1", text="A b"), Example(id="2", text="a  B")])]
        ['1']
    """
    kept: dict[str, Example] = {}
    for row in rows:
        kept.setdefault(" ".join(row.text.lower().split()), row)
    return list(kept.values())
