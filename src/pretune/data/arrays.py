"""Plain lists of texts and labels, turned into the examples that the rest of pretune works on."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from pretune.data.clean import clean_text
from pretune.data.labels.several import label_in, note_joined
from pretune.data.labels.spelling import clean_label, is_missing, join_spellings, note_missing_words, note_near
from pretune.data.labels.types import kept_type, type_of_labels, typed
from pretune.data.read.given import columns_in, labels_in, pair_in, texts_in
from pretune.data.read.table import as_cell
from pretune.data.seal.seal import TrainingData
from pretune.data.split.divide import split_validation
from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.records import Example
from pretune.run.trace import Trace

Texts = Sequence[str] | npt.NDArray[Any]
Labels = Sequence[Any] | npt.NDArray[Any]


def to_training_data(
    texts: Texts, labels: Labels | None, validation: tuple[Texts, Labels] | None, trace: Trace
) -> TrainingData:
    """Return training and validation rows; classes are in the order of the user's own labels: 2 before 10.

    Args:
        texts: Raw texts, or a frame of one column.
        labels: One a text; numbers and truth values are answered as such, other types as their text.
        validation: Texts and labels that choose the epoch; held out of the rows where there are none.
        trace: Told about the hold-out, and about what is odd in the labels.

    Raises:
        MissingLabelsError: There are no labels, or some are missing.
        DataError: Lengths differ, the shape is another, or validation has a class that training lacks.
    """
    given = labels_in(labels)
    rows, notes = _read(texts, given, prefix="row", own=(), known=())
    kind = type_of_labels(given)
    if kind == "str" and any(not isinstance(label, (str, list, tuple)) for label in given):
        notes = (*notes, f"labels are of type {_types_of(given)}: predict answers with their text")
    own = tuple(columns_in(texts) or ())
    if validation is not None:
        names = tuple(dict.fromkeys(str(row.label) for row in rows))
        held_out = to_examples(*pair_in(validation, "validation_data"), prefix="validation", own=own, known=names)
        train = rows
    else:
        train, held_out, divided = split_validation(rows)
        notes = (*notes, *divided)
        trace.note(f"no validation_data given: {len(held_out):,} of {len(rows):,} rows are held out to choose the epoch")
    for note in notes:
        trace.note(note)
    classes = tuple(sorted({str(row.label) for row in train}))
    kind = kept_type(classes, kind)
    order = typed(classes, kind).argsort(kind="stable")
    classes = tuple(classes[index] for index in order)
    unknown = sorted({str(row.label) for row in held_out} - set(classes))
    if unknown:
        raise DataError(
            f"validation has the class {unknown[0]!r}, which training lacks",
            expected=f"classes of training: {', '.join(classes[:10])}",
            fix="pass validation rows of these classes",
        )
    return TrainingData(train=train, validation=held_out, classes=classes, text_columns=own, label_type=kind)


def to_examples(
    texts: Texts, labels: Labels | None, *, prefix: str = "row", own: Sequence[str] = (), known: Sequence[str] = ()
) -> tuple[Example, ...]:
    """Return clean examples with labels as text.

    Args:
        texts: Raw texts, or a frame.
        labels: One a text.
        prefix: What ids begin with.
        own: Columns that a frame of several is read by.
        known: Classes whose spelling a label takes that is one of them.

    Raises:
        MissingLabelsError: There are no labels, or some are missing.
        UsageError: ``texts`` is one string.
        DataError: Lengths differ, the shape is another, or something is not text.
    """
    return _read(texts, labels_in(labels), prefix=prefix, own=own, known=known)[0]


def as_texts(texts: Any, own: Sequence[str] = ()) -> list[str]:
    """Return the texts as a list; a number, ``None`` or a row of columns is not one, and is not made one in silence.

    Args:
        texts: A list, an array of shape (n,) or (n, 1), a series, a generator, or a frame.
        own: Columns that a frame of several is read by.

    Raises:
        UsageError: ``texts`` is one string.
        DataError: Something in it is not text, or it has several columns.
    """
    found = texts_in(texts, own)
    wrong = next((index for index, text in enumerate(found) if not isinstance(text, str)), None)
    if wrong is not None:
        raise DataError(
            f"text {wrong} is {found[wrong]!r:.60}, a {type(found[wrong]).__name__}",
            expected="a list, or one column, of texts",
            fix="pass the column of texts, such as frame['text'], with empty cells filled",
        )
    return found


def check_alone(x: object, **others: object) -> None:
    """Check that nothing is given beside data that has labels and validation rows of its own.

    Raises:
        UsageError: Something is.
    """
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise UsageError(
            f"{given[0]} was given with a {type(x).__name__}, which has its own labels and validation rows",
            expected="fit(data), or fit(texts, y)",
            fix=f"leave out {given[0]}; to choose the validation rows, pass load_data(..., validation=...)",
        )


def label_names(labels: Sequence[Any]) -> list[str]:
    """Return clean labels as text, each as its type writes it.

    Raises:
        MissingLabelsError: Some are missing; it names the first.
        DataError: One is no label, or holds several.
    """
    missing = [index for index, label in enumerate(labels) if is_missing(label)]
    names = dict[Any, str | None]()
    found = list[str]()
    for index, label in enumerate(labels):
        name = None
        if not is_missing(label):
            key = (type(label), label) if isinstance(label, (str, int, float)) else None
            if key not in names or key is None:
                names[key] = _name_of(label, index)
            name = names[key]
            missing += [index] if name is None else []
        found.append(name or "")
    if missing:
        first = min(missing)
        raise MissingLabelsError(
            f"{len(missing):,} of {len(labels):,} labels are missing, the first is label {first} ({labels[first]!r:.40})",
            expected="a label for every text",
            fix="leave these rows out, or label them; a class may be called 'none', but needs a name",
        )
    return found


def _name_of(label: Any, index: int) -> str | None:
    try:
        name = label_in(cell) if (cell := as_cell(label)) is not None else None
    except ValueError as error:
        raise DataError(f"label {index} {error}", expected="one label per text") from error
    return (clean_label(name) or None) if name is not None else None


def _read(
    texts: Any, labels: list[Any], *, prefix: str, own: Sequence[str], known: Sequence[str]
) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    found = as_texts(texts, own)
    if len(found) != len(labels):
        raise DataError(f"{len(found)} texts and {len(labels)} labels", expected="one label per text")
    names = label_names(labels)
    counts = Counter(names)
    spelled = join_spellings(counts, known=known)
    joined = Counter[str]()
    for name, count in counts.items():
        joined[spelled.names[name]] += count
    rows = tuple(
        Example(id=f"{prefix} {index}", text=clean_text(text), label=spelled.names[name])
        for index, (text, name) in enumerate(zip(found, names, strict=True))
    )
    return rows, (*spelled.notes, *note_near(joined, cure=""), *note_missing_words(joined, cure=""), *note_joined(joined))


def _types_of(labels: Sequence[Any]) -> str:
    return " or a ".join(sorted({type(label).__name__ for label in labels}))
