"""Sums: can these numbers, rounded as they are, be the probabilities of all classes?"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pretune.data.read.table import Origin, unusable
from pretune.errors import DataError

# How far the probabilities of a row may be from 1 together where they have all their digits: what half precision loses.
MAX_SUM_ERROR = 0.02
# Decimal places from which half a digit a class is less than that for any number of classes that we read.
_FULL = 6
# Rows looked at: one of them has a probability that ends in no zero.
_LOOKED_AT = 1_000


def step_of(rows: Iterable[Mapping[str, float]]) -> float:
    """Return to what the probabilities of a table were rounded, such as 0.01; 0 where they have all their digits.

    Example:
        >>> step_of([{"a": 0.5, "b": 0.5}, {"a": 0.93, "b": 0.07}]), step_of([{"a": 1 / 3}])
        (0.01, 0.0)
    """
    places = 0
    for _, row in zip(range(_LOOKED_AT), rows, strict=False):
        places = max([places, *(-int(Decimal(repr(share)).as_tuple().exponent) for share in row.values())])
        if places >= _FULL:
            return 0.0
    return 10.0**-places


def bounds_of(row: Mapping[str, float], step: float) -> tuple[float, float]:
    """Return between which sums rounded probabilities of all classes lie: each may be half a step off, and 0 is never too much.

    Example:
        >>> low, high = bounds_of({"a": 0.9, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.0, "f": 0.1}, 0.01)
        >>> round(low, 3), round(high, 3)
        (0.97, 1.02)
    """
    num_more = sum(share > 0 for share in row.values())
    return 1 - max(MAX_SUM_ERROR, len(row) * step / 2) - 1e-9, 1 + max(MAX_SUM_ERROR, num_more * step / 2) + 1e-9


def bad_sums(num_off: int, num_rows: int, origin: Origin) -> DataError:
    """Return the error for probabilities that are no distribution over the classes."""
    return unusable(
        origin,
        f"in {num_off:,} of {num_rows:,} rows the probabilities do not add up to 1",
        expected=f"a probability per class, together 1 (± {MAX_SUM_ERROR}, or half a digit of each where they are rounded)",
        fix="write the softmax of each row; one sigmoid per class means several yes-or-no questions: audit each by itself",
    )
