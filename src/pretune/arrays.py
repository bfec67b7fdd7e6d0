"""Plain lists of texts and labels as the examples that the rest of pretune works on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.data import TrainingData, clean_text, split_validation
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
    classes = tuple(sorted({str(row.label) for row in train}))
    unknown = sorted({str(row.label) for row in held_out} - set(classes))
    if unknown:
        raise DataError(
            f"validation has the class {unknown[0]!r}, which training lacks",
            expected=f"classes of training: {', '.join(classes[:10])}",
            fix="pass validation rows of these classes",
        )
    own = {str(label): label for label in (labels if labels is not None else ())}
    return TrainingData(train=train, validation=held_out, classes=classes), np.array([own[label] for label in classes])


def to_examples(texts: Texts, labels: Labels | None, *, prefix: str = "row") -> tuple[Example, ...]:
    """Return clean examples with labels as text.

    Raises:
        MissingLabelsError: There are no labels.
        UsageError: ``texts`` is one string.
        DataError: Lengths differ.
    """
    if labels is None:
        raise MissingLabelsError(
            "texts came without labels", expected="one label a text", fix="pass y as well; predict needs no labels"
        )
    if isinstance(texts, str):
        raise UsageError(f"texts is one string, {texts[:40]!r}", expected="a list of texts", fix="pass [text]")
    if len(texts) != len(labels):
        raise DataError(f"{len(texts)} texts and {len(labels)} labels", expected="one label a text", fix="check both lists")
    pairs = enumerate(zip(texts, labels, strict=True))
    return tuple(
        Example(id=f"{prefix} {index}", text=clean_text(str(text)), label=str(label)) for index, (text, label) in pairs
    )
