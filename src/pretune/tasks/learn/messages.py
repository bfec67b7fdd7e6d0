"""The course's text messages: ``sms-spam``, divided once, with the simplest model that can work, and how figures move."""

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from pretune.records import Example
from pretune.tasks.learn.lesson import Table
from pretune.tasks.learn.rows import without_copies

if TYPE_CHECKING:
    from pretune.evaluate.baselines import LinearModel

ORDER, NUM_TRAIN = 0, 1_500
SHOWN = (0.1, 0.3, 0.5, 0.7, 0.9)  # thresholds

Rows = Sequence[Example]


@cache
def divided_messages() -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return training and validation messages; texts differ from one another.

    Raises:
        CatalogError: They cannot be fetched.
    """
    from pretune.data.clean import clean_examples
    from pretune.data.read.path import read_table

    rows, _ = clean_examples(read_table("sms-spam").examples)
    kept = without_copies(rows)
    Random(ORDER).shuffle(kept)
    return tuple(kept[:NUM_TRAIN]), tuple(kept[NUM_TRAIN:])


@cache
def fit_filter() -> "LinearModel":
    """Return the spam filter: word counts and logistic regression."""
    from pretune.evaluate.baselines import fit_linear

    return fit_linear(divided_messages()[0])


def shares_of(model: "LinearModel", rows: Rows, positive: str) -> list[float]:
    """Return the probability of a class for each row."""
    column = model.classes.index(positive)
    return [float(row[column]) for row in model.probabilities([row.text for row in rows])]


def count_cells(rows: Rows, shares: Sequence[float], positive: str, threshold: float = 0.5) -> dict[str, int]:
    """Return the four counts of a confusion matrix at a threshold.

    Example:
        >>> rows = [Example(id="1", text="a", label="spam"), Example(id="2", text="b", label="ham")]
        >>> count_cells(rows, [0.9, 0.6], "spam")
        {'tp': 1, 'fp': 1, 'fn': 0, 'tn': 0}
    """
    called = [(share >= threshold, row.label == positive) for share, row in zip(shares, rows, strict=True)]
    names = {"tp": (True, True), "fp": (True, False), "fn": (False, True), "tn": (False, False)}
    return {name: called.count(pair) for name, pair in names.items()}


def move_threshold(rows: Rows, shares: Sequence[float], positive: str, title: str) -> tuple[list[dict[str, Any]], Table]:
    """Return the figures at each threshold, as facts and as a table."""
    found = []
    for threshold in SHOWN:
        cells = count_cells(rows, shares, positive, threshold)
        called, there = cells["tp"] + cells["fp"], cells["tp"] + cells["fn"]
        precision = cells["tp"] / called if called else None
        found.append({"threshold": threshold, **cells, "precision": precision, "recall": cells["tp"] / there})
    names = ("threshold", "tp", "fp", "fn", "precision", "recall")
    drawn = tuple(tuple(_say(item[name]) for name in names) for item in found)
    columns = ("threshold", "true positives", "false positives", "false negatives", "precision", "recall")
    return found, Table(title=title, columns=columns, rows=drawn)


def _say(value: Any) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.3g}"
