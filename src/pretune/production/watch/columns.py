"""Columns: are the values of a further column, such as a language or a channel, as common as they were in the test?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pretune.evaluate.slices import MAX_VALUES, numbers_in
from pretune.intervals import Counts, Floats
from pretune.production.watch.compared import compare_values, count
from pretune.production.watch.making import MAX_ITEMS, Make, certainty, compare_hits, signal_of
from pretune.production.watch.measured import Measured
from pretune.records import Signal


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of both, and its kinds; none where it has numbers."""

    name: str
    before: tuple[str, ...]
    now: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    @property
    def num_tests(self) -> int:
        return len(self.kinds) or 1


def find_columns(test: Measured, window: Measured, make: Make, level: Callable[..., float]) -> list[Signal]:
    """Compare the columns that the test has as well: each of up to 20 values, or the size of numbers.

    Columns of more values that are no numbers are left out, and so are numbers that are all different, as ids and times are.
    """
    columns = list(_columns_in_both(test, window))
    error = level("columns", max(1, sum(column.num_tests for column in columns)))
    found = [signal for column in columns for signal in _compare(column, (test.units, window.units), make, error)]
    return sorted(found, key=certainty)[:MAX_ITEMS]


def _columns_in_both(test: Measured, window: Measured) -> Iterator[_Column]:
    for name, now in window.columns.items():
        before = test.columns.get(name)
        if before is None:
            continue
        kinds = sorted({*before, *now})
        if 2 <= len(kinds) <= MAX_VALUES:
            yield _Column(name, before, now, tuple(kinds if len(kinds) > 2 else kinds[:1]))
        elif len(kinds) > MAX_VALUES and all(map(_are_figures, (before, now))):
            yield _Column(name, before, now)


def _are_figures(values: Sequence[str]) -> bool:
    return len(set(values)) < len(values) and numbers_in(values) is not None


def _compare(column: _Column, units: tuple[Counts, Counts], make: Make, level: float) -> Iterator[Signal]:
    about = partial(make, name="columns", column=column.name)
    if not column.kinds:
        (before, first), (now, second) = map(_figures, (column.before, column.now), units)
        found = compare_values(before, now, (first, second), level)
        medians = {"before": float(np.median(before)), "now": float(np.median(now))}
        yield signal_of(partial(about, unit="median"), found, level=level, **medians)
    for kind in column.kinds:
        is_before, is_now = (np.array([value == kind for value in values]) for values in (column.before, column.now))
        named = partial(about, item=kind or "(empty)", unit="share of texts")
        yield compare_hits(named, count(is_before, units[0]), float(is_before.mean()), is_now, units[1], level=level)


def _figures(values: Sequence[str], units: Counts) -> tuple[Floats, Counts]:
    """Return the numbers of a column, and the units of the texts that have one."""
    numbers = np.array(numbers_in(values), dtype=np.float64)
    is_there = ~np.isnan(numbers)
    return numbers[is_there], units[is_there]
