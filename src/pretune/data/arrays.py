"""Plain lists of texts and labels as the examples that the rest of pretune works on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.data.clean import clean_text
from pretune.data.seal import TrainingData
from pretune.data.split import split_validation
from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.records import Example
from pretune.trace import Trace

Texts = Sequence[str] | npt.NDArray[Any]
Labels = Sequence[Any] | npt.NDArray[Any]


def to_training_data(
    texts: Texts, labels: Labels | None, validation: tuple[Texts, Labels] | None, trace: Trace
) -> tuple[TrainingData, npt.NDArray[Any]]:
    """Return training and validation rows, and the user's own labels in the order of the classes.

    Args:
        texts: Raw texts.
        labels: One a text, of any type that can be told apart as text.
        validation: Texts and labels that choose the epoch; held out of the rows where there are none.
        trace: Told about the hold-out.

    Raises:
        MissingLabelsError: There are no labels.
        DataError: Lengths differ, or validation has a class that training lacks.
    """
    rows = to_examples(texts, labels)
    if validation is not None:
        train, held_out = rows, to_examples(*validation, prefix="validation")
    else:
        train, held_out = split_validation(rows)
        trace.note(f"no validation_data given: {len(held_out):,} of {len(rows):,} rows are held out to choose the epoch")
    own, trained = np.unique(np.asarray(labels)), {row.label for row in train}  # 2 before 10 where they are numbers
    kept = np.array([str(label) in trained for label in own])
    classes = tuple(str(label) for label in own[kept])
    unknown = sorted({str(row.label) for row in held_out} - set(classes))
    if unknown:
        raise DataError(
            f"validation has the class {unknown[0]!r}, which training lacks",
            expected=f"classes of training: {', '.join(classes[:10])}",
            fix="pass validation rows of these classes",
        )
    return TrainingData(train=train, validation=held_out, classes=classes), own[kept]


def to_examples(texts: Texts, labels: Labels | None, *, prefix: str = "row") -> tuple[Example, ...]:
    """Return clean examples with labels as text.

    Raises:
        MissingLabelsError: There are no labels.
        UsageError: ``texts`` is one string.
        DataError: Lengths differ, or something is not text.
    """
    if labels is None:
        raise MissingLabelsError(
            "texts came without labels", expected="one label a text", fix="pass y as well; predict needs no labels"
        )
    found = as_texts(texts)
    if len(found) != len(labels):
        raise DataError(f"{len(found)} texts and {len(labels)} labels", expected="one label a text", fix="check both lists")
    pairs = enumerate(zip(found, labels, strict=True))
    return tuple(Example(id=f"{prefix} {index}", text=clean_text(text), label=str(label)) for index, (text, label) in pairs)


def as_texts(texts: Any) -> list[str]:
    """Return the texts as a list; a number, ``None`` or a row of columns is not one, and is not made one in silence.

    Raises:
        UsageError: ``texts`` is one string.
        DataError: Something in it is not text.
    """
    if isinstance(texts, str):
        raise UsageError(f"texts is one string, {texts[:40]!r}", expected="a list of texts", fix="pass [text]")
    found = list(texts)
    wrong = next((index for index, text in enumerate(found) if not isinstance(text, str)), None)
    if wrong is not None:
        raise DataError(
            f"text {wrong} is {found[wrong]!r:.60}, a {type(found[wrong]).__name__}",
            expected="a list, or one column, of texts",
            fix="pass the column of texts, such as frame['text'], with empty cells filled",
        )
    return found
