"""Units: which rows repeat each other? Copies and near copies of a text, joined with the groups."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from pretune.configs.data import NEAR_THRESHOLD
from pretune.data.alike.duplicates import find_duplicates, join_components
from pretune.records import Copies, Example, Receipt, Sample, Terms


def find_copies(rows: Sequence[Example], receipt: Receipt | None = None, *, by_name: bool = False) -> Copies:
    """Return which rows have the same or nearly the same text.

    Args:
        rows: Their ids are different; one without a text has no copies.
        receipt: Of the split that they are from: what counts as nearly the same, or that near copies could not be kept
            together. Without one the default similarity counts.
        by_name: Whether texts that differ in nothing but the names of their groups are apart.
    """
    texts = [row for row in rows if row.text]
    is_exact = receipt is not None and receipt.are_near_copies_apart
    given = receipt.near_duplicate_threshold if receipt is not None else None
    threshold = NEAR_THRESHOLD if given is None else given
    groups = [row.group for row in texts] if by_name else None
    found = find_duplicates([row.text for row in texts], threshold=threshold, groups=groups)
    numbers = (found.folded if is_exact else found.component).tolist()
    firsts: dict[int, str] = {}
    names = [firsts.setdefault(number, row.id) for number, row in zip(numbers, texts, strict=True)]
    repeated = {name for row, name in zip(texts, names, strict=True) if row.id != name}
    known = {row.id: name for row, name in zip(texts, names, strict=True) if name in repeated}
    return Copies(threshold=None if is_exact else threshold, texts=known)


def join_copies(parts: Iterable[Copies]) -> Copies:
    """Return the copies of several splits, each sought on its own."""
    found = list(parts)
    return Copies(threshold=found[0].threshold, texts={row: name for part in found for row, name in part.texts.items()})


def with_ids(copies: Copies, ids: Sequence[str]) -> Copies:
    """Put the ids of opened rows in the place of the numbers that sealed ones have."""
    return replace(copies, texts={ids[int(row)]: ids[int(first)] for row, first in copies.texts.items()})


def units_of_rows(rows: Sequence[Example], copies: Copies | None) -> dict[str, str]:
    """Return the unit of each row that shares one, by id: rows with a copy or a group in common, or tied through others.

    Where copies were not sought, a unit is a group.

    Example:
        >>> rows = [Example(id="a", text="x", group="g"), Example(id="b", text="x"), Example(id="c", text="y", group="g")]
        >>> units_of_rows(rows, Copies(threshold=None, texts={"a": "a", "b": "a"}))
        {'a': 'a', 'b': 'a', 'c': 'a'}
    """
    if copies is None:
        return {row.id: row.group for row in rows if row.group is not None}
    texts, numbers = copies.texts, dict[str, int]()
    component = np.array([numbers.setdefault(texts.get(row.id, row.id), len(numbers)) for row in rows], dtype=np.int64)
    joined = join_components(component, [row.group for row in rows]).tolist()
    firsts: dict[int, str] = {}
    names = [firsts.setdefault(number, row.id) for number, row in zip(joined, rows, strict=True)]
    counts = np.bincount(joined) if rows else np.zeros(0, np.int64)
    return {row.id: name for row, name, number in zip(rows, names, joined, strict=True) if counts[number] > 1}


def with_units(terms: Terms, rows: Sequence[Example], copies: Copies | None) -> Terms:
    """Return the terms with the units of these rows."""
    unit = "groups" if copies is None or any(row.group is not None for row in rows) else "different texts"
    return replace(terms, groups=units_of_rows(rows, copies), unit=unit)


def sample_of(rows: Sequence[Example], copies: Copies) -> Sample:
    """Count what the figures of these rows rest on."""
    has_texts, groups = any(row.text for row in rows), {row.group for row in rows} - {None}
    units = units_of_rows(rows, copies)
    own = [copies.texts[row.id] for row in rows if row.id in copies.texts]
    return Sample(
        num_rows=len(rows),
        num_texts=len(rows) - len(own) + len(set(own)) if has_texts else None,
        num_groups=len(groups) if groups else None,
        num_units=len(rows) - len(units) + len(set(units.values())),
    )
