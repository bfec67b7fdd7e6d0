"""Groups that nobody named: in which columns do rows with the same value agree on the label more often than chance?

Rows of one film or author have more in common than their label. If they are on both sides of a split, a model can
recognize the film instead of reading the review, and its test score says little about new films.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pretune.records import Example

# A column can hold groups where its values have at least two rows on average, and there are at least this many values:
# fewer are categories, such as a language, and dividing rows by them would leave a split without some.
MIN_VALUES = 20
MIN_ROWS_A_VALUE = 2.0
# A value with more than this share of the rows cannot be put on one side of a split.
MAX_VALUE_SHARE = 0.10
# Points by which the other labels of a group must at least guess a label better than the commonest class does. Ours: what a
# random split then hides is several times the gain of one point that we call worth having.
MIN_GAIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupColumn:
    """A column whose values look like groups.

    Args:
        column: Its name.
        num_values: Distinct values.
        gain: How much oftener the other rows of a value guess a row's label than the commonest class does.
        low: Lower end of the 95 % interval of ``gain``.
        high: Upper end.
        limit: What ``low`` had to exceed.
    """

    column: str
    num_values: int
    gain: float
    low: float
    high: float
    limit: float = MIN_GAIN


def find_group_columns(rows: Sequence[Example]) -> tuple[GroupColumn, ...]:
    """Return the columns that hold groups, the most telling first.

    Args:
        rows: Labelled rows of one split, so that no test label is read.
    """
    counts = Counter(name for row in rows for name in row.extra)
    names = dict.fromkeys(name for row in rows[:1_000] for name in row.extra)
    often = [name for name in names if counts[name] >= MIN_VALUES * MIN_ROWS_A_VALUE]
    found = [item for name in often if (item := _measure(rows, name)) is not None and item.low > MIN_GAIN]
    return tuple(sorted(found, key=lambda item: -item.low))


def _measure(rows: Sequence[Example], column: str) -> GroupColumn | None:
    labels: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        value = row.extra.get(column, "").strip()
        if value and row.label is not None:
            labels[value].append(row.label)
    num_rows = sum(map(len, labels.values()))
    largest = max(map(len, labels.values()), default=0)
    if len(labels) < MIN_VALUES or num_rows < MIN_ROWS_A_VALUE * len(labels) or largest > MAX_VALUE_SHARE * num_rows:
        return None
    commonest = Counter(label for group in labels.values() for label in group).most_common(1)[0][0]
    gains = np.array(
        [_gain(group, commonest) for group in labels.values()], dtype=float
    )  # one a group: rows are not independent
    mean = gains.sum() / num_rows
    sizes = np.array([len(group) for group in labels.values()], dtype=float)
    spread = float(np.sqrt(((gains - mean * sizes) ** 2).sum())) / num_rows
    low, high = float(mean - 1.96 * spread), float(mean + 1.96 * spread)
    return GroupColumn(column=column, num_values=len(labels), gain=float(mean), low=low, high=high)


def _gain(group: list[str], commonest: str) -> int:
    """Return how many more rows of a group its other rows guess than the commonest class does."""
    counts, gain = Counter(group), 0
    for label, count in counts.items():
        others = counts - Counter({label: 1})
        best = max(others.values(), default=0)
        tied = [name for name, number in others.items() if number == best]
        guess = commonest if not tied or commonest in tied else min(tied)
        gain += count * ((guess == label) - (commonest == label))
    return gain
