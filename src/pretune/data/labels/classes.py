"""Classes: which labels, of one or several tables and of a model, are one class, and what is it called?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pretune.data.labels.several import note_joined
from pretune.data.labels.spelling import Spellings, join_spellings, near_index, note_missing_words, note_near
from pretune.data.read.table import Table
from pretune.errors import DataError
from pretune.records import Example
from pretune.wording.counts import counted

SHOWN_LABELS = 5
SHOWN_CLASSES = 20


def join_labels(tables: Mapping[str, Table], *, merge: bool) -> dict[str, Table]:
    """Give each class one name, in every table that of the first; notes say what was joined.

    Args:
        tables: By role, the one that is trained on first.
        merge: Whether labels that differ in case or spacing only are one class as well.
    """
    known, joined = tuple[str, ...](), dict[str, Table]()
    for role, table in tables.items():
        spelled = spellings_of(table.examples, known=known, merge=merge)
        known = known or tuple(dict.fromkeys(spelled.names.values()))
        joined[role] = replace(table, examples=respelled(table.examples, spelled), notes=(*table.notes, *spelled.notes))
    return joined


def align_labels(table: Table, classes: Sequence[str], *, merge: bool) -> Table:
    """Name labels as a model does, and note what is joined, what is nearly one of its classes, and what reads like no label."""
    spelled = spellings_of(table.examples, known=classes, merge=merge)
    examples = respelled(table.examples, spelled)
    counts = Counter(example.label for example in examples if example.label is not None)
    column = table.columns.label or "label"
    notes = (*spelled.notes, *note_near(counts), *note_missing_words(counts, column=column), *note_joined(counts))
    return replace(table, examples=examples, notes=(*table.notes, *notes))


def check_known(rows: Sequence[Example], classes: Sequence[str], source: str) -> None:
    """Check that a model knows the labels of some rows.

    Raises:
        DataError: It names the labels that the model does not know, with their rows, and the class that each nearly is.
    """
    known, find = frozenset(classes), near_index(classes)
    unknown = Counter(str(row.label) for row in rows if row.label not in known)
    if not unknown:
        return
    shown = ", ".join(
        f"{label!r} ({counted(count, 'row')}" + (f"; the model has {near!r})" if (near := find(label)) is not None else ")")
        for label, count in sorted(unknown.items())[:SHOWN_LABELS]
    )
    more = f" and {len(unknown) - SHOWN_LABELS} more" if len(unknown) > SHOWN_LABELS else ""
    is_near = all(find(label) is not None for label in unknown)
    raise DataError(
        f"{source} has the label {shown}{more}, which the model does not know",
        expected=f"its classes: {', '.join(classes[:SHOWN_CLASSES])}"
        + (f" and {len(classes) - SHOWN_CLASSES} more" if len(classes) > SHOWN_CLASSES else ""),
        fix="pass --merge-labels, which merges labels that differ only in case or spacing"
        if is_near
        else "name the label column with --label, or leave these rows out with --where",
    )


def spellings_of(examples: Sequence[Example], *, known: Sequence[str], merge: bool) -> Spellings:
    """Return the class of each label of some rows; ``known`` classes keep their names."""
    counts = Counter(example.label for example in examples if example.label is not None)
    return join_spellings(counts, known=known, merge=merge)


def respelled(examples: tuple[Example, ...], spelled: Spellings) -> tuple[Example, ...]:
    """Return the rows under the names of their classes."""
    changed = {label: name for label, name in spelled.names.items() if label != name}
    if not changed:
        return examples
    return tuple(
        replace(example, label=changed[example.label]) if example.label in changed else example for example in examples
    )
