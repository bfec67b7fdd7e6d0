"""Predictions as arrays: labels, answers, probabilities, and which rows belong together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.intervals import Floats
from pretune.records import RULES, USUAL, Confusion, Example, Predictions, Terms

MACRO = "macro"
Counts = npt.NDArray[np.int64]
Groups = Mapping[str, str]  # id of a row → its group; rows that are not named stand alone


@dataclass(frozen=True, eq=False)
class Rows:
    """Scored rows.

    Args:
        classes: In the order of the codes.
        labels: Position of the true class, shape (num_examples,).
        predicted: Position of the answer, likewise.
        shares: Probabilities, shape (num_examples, num_classes), or ``None``.
        units: Number of the unit of each row, shape (num_examples,); ``None`` where each row stands alone.
        unit: What units are called.
        rules: Version of the rules by which figures are made (``records.RULES``).
    """

    classes: tuple[str, ...]
    labels: Counts
    predicted: Counts
    shares: Floats | None
    units: Counts | None
    unit: str = USUAL.unit
    rules: int = RULES

    @cached_property
    def counts(self) -> Counts:
        """Rows by true and predicted class, shape (num_classes, num_classes)."""
        size = len(self.classes)
        return np.bincount(self.labels * size + self.predicted, minlength=size * size).reshape(size, size)

    @cached_property
    def support(self) -> Counts:
        """How many independent units have rows of each class, shape (num_classes,)."""
        size = len(self.classes)
        if self.units is None:
            return np.bincount(self.labels, minlength=size)
        return np.bincount(np.unique(self.units * size + self.labels) % size, minlength=size)

    @cached_property
    def crowding(self) -> Floats | None:
        """How many rows of its class a row's unit holds, on the mean over the rows of the class, shape (num_examples,).

        ``None`` where each row stands alone, and by the first two rules.
        """
        if self.units is None or self.rules < 3:
            return None
        size = len(self.classes)
        pairs, counts = np.unique(self.units * size + self.labels, return_counts=True)
        squares = np.bincount(pairs % size, counts.astype(float) ** 2, minlength=size)
        of_class: Floats = squares / np.maximum(np.bincount(self.labels, minlength=size), 1)
        return of_class[self.labels]

    def rarer(self, index: int | None = None) -> int:
        """How many units have rows of the class, or of the others, whichever is less; of the rarest class without one."""
        if index is None:
            return int(self.support.min())
        return min(int(self.support[index]), self.others(index))

    def others(self, index: int) -> int:
        """How many units have rows of another class."""
        others = self.labels != index
        return int(others.sum()) if self.units is None else len(np.unique(self.units[others]))

    def rarer_even(self, index: int | None = None) -> int:
        """How many units of one size would say as much as those that ``rarer`` counts; at most as many."""
        rarer = self.rarer(index)
        if self.crowding is None:
            return rarer
        codes = range(len(self.classes)) if index is None else (index,)
        sides = [self.labels == code for code in codes] + ([] if index is None else [self.labels != index])
        evens = [float(side.sum() / self.crowding[side].mean()) for side in sides if side.any()]
        return max(2, min(rarer, int(min(evens))))

    @property
    def unit_name(self) -> str:
        """What the units are called: ``rows`` where each stands alone."""
        return "rows" if self.units is None else self.unit


def rows_of(predictions: Predictions, terms: Terms = USUAL) -> Rows:
    """Return predictions as arrays. Raises what ``codes_of`` does, and DataError where probabilities do not fit."""
    labels, predicted = codes_of(predictions)
    units = units_of(predictions.ids, terms.groups)
    return Rows(predictions.classes, labels, predicted, _shares_of(predictions), units, terms.unit, terms.rules)


def units_of(ids: Iterable[str], groups: Groups | None) -> Counts | None:
    """Number the groups of rows, shape (num_examples,); ``None`` where no two rows share one.

    Example:
        >>> units_of(["a", "b", "c"], {"a": "x", "c": "x"})
        array([1, 0, 1])
    """
    if not groups:
        return None
    names = [(True, groups[row]) if row in groups else (False, row) for row in ids]
    position = {name: number for number, name in enumerate(sorted(set(names)))}  # whatever the order of the rows
    return np.array([position[name] for name in names], dtype=np.int64) if len(position) < len(names) else None


def groups_of(examples: Iterable[Example]) -> dict[str, str]:
    """Return the group of each row that has one, by its id."""
    return {example.id: example.group for example in examples if example.group is not None}


def codes_of(predictions: Predictions) -> tuple[Counts, Counts]:
    """Return label and predicted class of each row as positions in ``classes``, each of shape (num_examples,).

    Raises:
        MissingLabelsError: A row has no label.
        DataError: A label or prediction is not among the classes.
        UsageError: These are not predictions of classes.
    """
    if predictions.task != "classify":
        raise UsageError(f"predictions of task {predictions.task!r}", expected="classify", fix="score labelled classes")
    missing = [id for id, label in zip(predictions.ids, predictions.labels, strict=True) if label is None]
    if missing:
        raise MissingLabelsError(
            f"{len(missing)} of {len(predictions.ids)} rows of {predictions.split!r} have no label, such as {missing[0]}",
            expected="a label in every row",
            fix="label them, or use predict, which needs no labels",
        )
    position = {label: index for index, label in enumerate(predictions.classes)}
    strangers = sorted({str(item) for item in (*predictions.labels, *predictions.predicted)} - set(position))
    if strangers:
        raise DataError(
            f"the rows of {predictions.split!r} hold the label {strangers[0]!r}, which the model does not know",
            expected="one of " + ", ".join(repr(name) for name in predictions.classes),
            fix="map the labels to those of training, or train on rows that have it",
        )
    labels = np.array([position[str(label)] for label in predictions.labels], dtype=np.int64)
    return labels, np.array([position[label] for label in predictions.predicted], dtype=np.int64)


def confusion_of(predictions: Predictions) -> Confusion:
    """Count rows by true and predicted class. Raises what ``codes_of`` does."""
    labels, predicted = codes_of(predictions)
    size = len(predictions.classes)
    counts = np.bincount(labels * size + predicted, minlength=size * size).reshape(size, size)
    rows = tuple(tuple(int(count) for count in row) for row in counts)
    return Confusion(split=predictions.split, source=predictions.source, classes=predictions.classes, counts=rows)


def _shares_of(predictions: Predictions) -> Floats | None:
    if predictions.probabilities is None:
        return None
    expected = (len(predictions.ids), len(predictions.classes))
    fix = "write one probability per class in every row, or leave them all out"
    try:
        shares = np.asarray(predictions.probabilities, float).reshape(-1, expected[1])
    except ValueError as error:
        raise DataError(
            f"the probabilities of {predictions.source!r} differ in number from row to row ({error})",
            expected=f"{expected[1]} in each row",
            fix=fix,
        ) from error
    if shares.shape != expected or not np.isfinite(shares).all():
        got = f"probabilities of shape {shares.shape}" if shares.shape != expected else "a probability that is not finite"
        raise DataError(f"{got} from {predictions.source!r}", expected=f"finite numbers of shape {expected}", fix=fix)
    return shares
