"""Kinds of labels in a table of predictions that does not hold classes: real numbers, and several labels per row."""

import math
from collections import Counter
from collections.abc import Sequence

from pretune.configs import MAX_REJECTED_SHARE
from pretune.data.labels.several import SEPARATORS, note_joined
from pretune.data.read.table import Origin, unusable
from pretune.errors import DataError

# Different numbers beyond which they are measured, not chosen among; and fractions, which no list of classes has so many of.
MAX_NUMBERS, MAX_FRACTIONS = 101, 20
# Share of rows whose label looks joined from several from which the table is one of several labels a row.
MIN_JOINED_SHARE = 0.05


def refuse_other_kinds(labels: Sequence[str], said: Sequence[str], origin: Origin) -> DataError | None:
    """Return the error that names what the table is, where it is not one of classes.

    Args:
        labels: As read.
        said: Predicted classes as read; nothing where the table has scores only.
        origin: The file, for messages.
    """
    return _several(Counter(labels), origin) or _real(labels, said, origin)


def _several(counts: Counter[str], origin: Origin) -> DataError | None:
    joined = note_joined(counts)
    num_joined = sum(counts[label] for label in counts if any(sign in label for sign in SEPARATORS)) if joined else 0
    if num_joined < max(1, MIN_JOINED_SHARE * counts.total()):
        return None
    return unusable(
        origin,
        f"{num_joined:,} of {counts.total():,} rows hold several labels: {joined[0].split(':')[0]}",
        expected="one class a row: of several labels a row, each is a question of its own",
        fix="write one table for each label, with the classes yes and no, and audit each with its own gates",
    )


def _real(labels: Sequence[str], said: Sequence[str], origin: Origin) -> DataError | None:
    wanted, answered = _numbers(labels), _numbers(said)
    if wanted is None or (said and answered is None):
        return None
    if _is_measured(wanted):
        return unusable(
            origin,
            f"the labels are real numbers: {len(set(wanted)):,} different ones in {len(wanted):,} rows",
            expected="classes; a regression would need a margin that counts as right, and intervals of its error",
            fix="cut labels and predictions into the classes that the decision needs, such as low, medium and high",
        )
    strangers = [value for value in answered or () if value not in set(wanted)]
    if len(strangers) > MAX_REJECTED_SHARE * len(wanted) and _is_measured(answered or ()):
        return unusable(
            origin,
            f"the predictions are real numbers, such as {strangers[0]:g}, and the labels are {len(set(wanted))} numbers",
            expected="predictions that are among the labels",
            fix="round the predictions to the labels, by the rule that production uses",
        )
    return None


def _is_measured(values: Sequence[float]) -> bool:
    different = set(values)
    return len(different) > MAX_NUMBERS or sum(value != round(value) for value in different) > MAX_FRACTIONS


def _numbers(names: Sequence[str]) -> list[float] | None:
    try:
        values = [float(name) for name in names]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None
