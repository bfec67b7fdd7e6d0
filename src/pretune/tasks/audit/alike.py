"""Gives the classes of further files the names that the judged table uses."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from pretune.data.foreign.scored import ScoredTable
from pretune.data.labels.naming import named_as
from pretune.data.labels.spelling import join_spellings, near_index, note_near
from pretune.errors import DataError
from pretune.records import Example

Notes = tuple[str, ...]


def spell_predictions(other: ScoredTable, judged: ScoredTable, name: str, *, merge: bool) -> ScoredTable:
    """Return the predictions of another model in the words of the judged ones; what was renamed is among its notes.

    Raises:
        DataError: Its labels differ from those of the judged table in case or spacing.
    """
    found, known = other.predictions, judged.predictions.classes
    counts = Counter([*map(str, found.labels), *found.predicted])
    rename, notes = _renaming(counts, found.classes, known, name, merge=merge)
    labels = tuple(rename(str(label)) for label in found.labels)
    find, strangers = near_index(known), dict.fromkeys(labels).keys() - set(known)
    strange = next(((label, near) for label in labels if label in strangers and (near := find(label))), None)
    if strange is not None:
        raise DataError(
            f"{name} labels rows {strange[0]!r}, and the judged table has {strange[1]!r}: they differ only in case or spacing",
            expected="the same labels for the same rows",
            fix="pass --merge-labels, which makes them one class, or spell them alike",
        )
    predictions = replace(
        found, labels=labels, predicted=tuple(map(rename, found.predicted)), classes=tuple(map(rename, found.classes))
    )
    examples = tuple(replace(row, label=rename(str(row.label))) for row in other.examples)
    return replace(other, predictions=predictions, examples=examples, notes=(*other.notes, *notes))


def spell_examples(
    rows: tuple[Example, ...], judged: ScoredTable, name: str, *, merge: bool
) -> tuple[tuple[Example, ...], Notes]:
    """Return training rows with labels in the words of the judged table, and notes of what was renamed or is nearly alike."""
    counts = Counter(str(row.label) for row in rows)
    rename, notes = _renaming(counts, (), judged.predictions.classes, name, merge=merge)
    return tuple(replace(row, label=rename(str(row.label))) for row in rows), notes


def _renaming(
    counts: Counter[str], columns: Iterable[str], known: tuple[str, ...], name: str, *, merge: bool
) -> tuple[Callable[[str], str], Notes]:
    names = join_spellings(counts, known=known, merge=merge).names
    names |= {column: named_as(column, known, merge=merge) for column in columns if column not in names}
    if len({names[column] for column in columns}) < len(set(columns)):  # two columns for one class: neither can be dropped
        return str, ()
    renamed = {label: new for label, new in names.items() if label != new and counts[label]}
    said = tuple(f"{name}: label {label!r} ({counts[label]:,}) is read as {new!r}" for label, new in renamed.items())
    final = {**dict.fromkeys(known, 0), **{names[label]: count for label, count in counts.items()}}
    own = note_near(dict.fromkeys(known, 0))
    near = tuple(f"{name}: {note}" for note in note_near(final) if note not in own)
    return names.__getitem__, (*said, *near)
