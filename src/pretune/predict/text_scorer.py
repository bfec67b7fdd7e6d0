"""Text scorers: one protocol for whatever answers texts, a run's network or an exported form of it; without torch."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pretune.intervals import Floats
from pretune.records import Example, Predictions


class TextScorer(Protocol):
    """What answers clean, non-empty texts.

    A scorer may be shared by threads that ask one after the other; whether it may be asked at the same time, its class says.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the columns of ``shares``."""
        ...

    def shares(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each class, float64 of shape (num_texts, num_classes); each row sums to 1."""
        ...

    def decide(self, shares: Floats) -> list[int]:
        """Return the number of each text's class: the largest, or by a threshold that the shares do not hold already."""
        ...


def answers_of(scorer: TextScorer, rows: Sequence[Example], *, split: str = "given") -> Predictions:
    """Return labels and probabilities of clean examples, as the scorer answers them."""
    shares, classes = scorer.shares([row.text for row in rows]), scorer.classes
    return Predictions(
        source="finetuned",
        split=split,
        classes=classes,
        ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows),
        predicted=tuple(classes[index] for index in scorer.decide(shares)),
        probabilities=tuple(tuple(row) for row in shares.tolist()),
    )


def decide(shares: Floats, *, positive: int | None = None, threshold: float | None = None) -> npt.NDArray[np.int64]:
    """Return the class index of each text, (num_texts,): the largest, or by the stored threshold on ``positive``.

    Example:
        >>> decide(np.array([[0.6, 0.4]]), positive=1, threshold=0.3).tolist()
        [1]
    """
    if positive is None or threshold is None:
        return np.asarray(shares.argmax(axis=1), dtype=np.int64)
    others = shares.copy()
    others[:, positive] = -1.0
    return np.where(shares[:, positive] >= threshold, positive, others.argmax(axis=1))
