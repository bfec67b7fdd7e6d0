"""Slices: is there a kind of row on which the model does worse, or does it only seem so?"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp

from pretune.errors import DataError
from pretune.evaluate.codes import Rows, rows_of
from pretune.evaluate.compare import holm
from pretune.evaluate.mistakes import certainty_of
from pretune.evaluate.shares import proportion, worth_in
from pretune.intervals import MIN_RARER_CLASS, Floats
from pretune.records import USUAL, Example, Predictions, Score, Slice, Terms

# Rows below which a slice is left out: as few as give an average no interval.
MIN_ROWS = MIN_RARER_CLASS
# Values up to which a column is taken as kinds of rows; a column of more numbers is cut into quartiles, others are left out.
MAX_VALUES = 20
# Slices kept in the record, worst first; all that were looked at count in the correction.
MAX_SLICES = 50
MAX_EXAMPLES = 5

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Part:
    column: str
    value: str
    rows: Bools  # shape (num_examples,)


def find_slices(
    predictions: Predictions, examples: Sequence[Example] = (), terms: Terms = USUAL, *, limit: int | None = MAX_SLICES
) -> tuple[Slice, ...]:
    """Measure accuracy on the kinds of rows there are: by label, by length of the text, by each further column.

    A slice is called worse when so few of its rows are right that chance would hardly do it: under the hypothesis that
    mistakes fall on all rows alike, the hits in a slice are hypergeometric given how many there are in all. Many slices
    are looked at, and some look bad by chance, so the p values are corrected (Holm): with no weak slice, the
    probability that any is called worse is at most 1 less the confidence. Where rows come in units, each side counts for
    as many rows as it is worth.

    Args:
        predictions: With labels; shape (num_examples,).
        examples: Texts and further columns of the same rows, found by id; those without are sliced by label alone.
        terms: Of every interval, and of the correction.
        limit: How many to return; ``None`` for all.

    Returns:
        Slices of at least 20 rows: those called worse first, then by accuracy.

    Raises:
        DataError: What ``rows_of`` raises, or an example is there twice.

    Source:
        Fisher (1935), The logic of inductive inference (exact test); Holm (1979), A simple sequentially rejective
        multiple test procedure; Rao and Scott (1992), A simple method for the analysis of clustered binary data (counts divided
        by their design effect).
    """
    rows = rows_of(predictions, terms if terms.rules > 1 else replace(terms, groups={}))
    is_right = rows.labels == rows.predicted
    parts = [part for part in _parts(predictions, _in_order(predictions, examples)) if _is_large_enough(part)]
    p_values = holm([_p_value(part, rows, is_right, terms.confidence) for part in parts])
    order = np.argsort(-certainty_of(predictions), kind="stable")
    wrong = order[~is_right[order]]
    make = partial(Score, split=predictions.split, source=predictions.source, confidence=terms.confidence)
    found = []
    for part, p_value in zip(parts, p_values, strict=True):
        accuracy = proportion(make, (part.column, part.value), rows, is_right & part.rows, part.rows)
        shown = tuple(predictions.ids[row] for row in wrong[part.rows[wrong]][:MAX_EXAMPLES])
        rest = float(is_right[~part.rows].mean())
        how = f"exact test against the other {rows.unit_name}, Holm over {len(parts)} slices"
        units = accuracy.units if terms.rules > 2 else None
        found.append(replace(_slice(accuracy, rest, p_value, shown, how), units=units))
    return tuple(sorted(found, key=lambda item: (not item.is_worse, item.accuracy, -item.num_examples))[:limit])


def tail_probability(num_hits: int, num_rows: int, is_right: Bools) -> float:
    """Return the probability of at most ``num_hits`` among ``num_rows`` rows drawn from ``is_right`` without replacement.

    Example:
        >>> round(tail_probability(0, 2, np.array([True, True, False, False])), 4)  # 2/4 · 1/3
        0.1667
    """
    total, hits = len(is_right), int(is_right.sum())
    fewest = max(0, num_rows - (total - hits))
    counts = np.arange(fewest, num_hits + 1)
    logs = _log_choose(hits, counts) + _log_choose(total - hits, num_rows - counts) - _log_choose(total, num_rows)
    return min(1.0, float(np.exp(logsumexp(logs))))


def _p_value(part: _Part, rows: Rows, is_right: Bools, confidence: float) -> float:
    """Test whether so few of a slice's rows are right by chance; of rows in units, as many count as they are worth."""
    sides = part.rows, ~part.rows
    worths = [worth_in(rows, is_right, side, confidence) for side in sides]
    if not all(worth.is_known for worth in worths):
        return 1.0
    sizes = [int(side.sum() * worth.share + 0.5) for side, worth in zip(sides, worths, strict=True)]
    hits = [int(is_right[side].mean() * size + 0.5) for side, size in zip(sides, sizes, strict=True)]
    return tail_probability(hits[0], sizes[0], np.arange(sum(sizes)) < sum(hits))


def _log_choose(total: int, chosen: npt.ArrayLike) -> Floats:
    chosen = np.asarray(chosen, float)
    logs: Floats = gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)
    return logs


def _in_order(predictions: Predictions, examples: Sequence[Example]) -> list[Example]:
    """Return the example of each prediction, in their order; none where any is missing."""
    known = {example.id: example for example in examples}
    if len(known) < len(examples):
        raise DataError("an example is there twice", expected="each id once", fix="number the rows again")
    return [known[id] for id in predictions.ids] if all(id in known for id in predictions.ids) else []


def _parts(predictions: Predictions, examples: Sequence[Example]) -> Iterator[_Part]:
    yield from _by_value("label", [str(label) for label in predictions.labels], limit=len(predictions.classes))
    if any(example.text for example in examples):
        yield from _by_quartile("length", [float(len(example.text)) for example in examples], unit=" characters")
    for column in dict.fromkeys(name for example in examples for name in example.extra):
        yield from _by_column(column, [example.extra.get(column, "").strip() for example in examples])


def _by_column(column: str, values: Sequence[str]) -> Iterator[_Part]:
    if len(set(values)) <= MAX_VALUES:
        yield from _by_value(column, values, limit=MAX_VALUES)
    elif (numbers := numbers_in(values)) is not None:
        yield from _by_quartile(column, numbers)


def _by_value(column: str, values: Sequence[str], *, limit: int) -> Iterator[_Part]:
    kinds = sorted(set(values))
    if 2 <= len(kinds) <= limit:
        column_of_values = np.array(values, dtype=object)
        for kind in kinds:
            yield _Part(column, kind or "(empty)", np.asarray(column_of_values == kind, bool))


def _by_quartile(column: str, numbers: Sequence[float], *, unit: str = "") -> Iterator[_Part]:
    """Cut at the quartiles; equal numbers stay together, and missing ones (NaN) are a part of their own."""
    values = np.asarray(numbers, float)
    known = ~np.isnan(values)
    edges = np.unique(np.quantile(values[known], (0.25, 0.5, 0.75)))
    bins = np.searchsorted(edges, values, side="left")
    parts = [known & (bins == number) for number in range(len(edges) + 1)]
    filled = [rows for rows in parts if rows.any()]
    for rows in filled if len(filled) > 1 else []:
        low, high = values[rows].min(), values[rows].max()
        yield _Part(column, f"{low:,.6g} to {high:,.6g}{unit}", rows)
    if not known.all():
        yield _Part(column, "(empty)", ~known)


def numbers_in(values: Sequence[str]) -> list[float] | None:
    """Return the values as numbers, NaN where empty; ``None`` where one is no finite number or all are empty."""
    try:
        found = [float(value) if value else math.nan for value in values]
    except ValueError:
        return None
    filled = [number for value, number in zip(values, found, strict=True) if value]
    return found if filled and all(map(math.isfinite, filled)) else None


def _is_large_enough(part: _Part) -> bool:
    return int(part.rows.sum()) >= MIN_ROWS and not part.rows.all()


def _slice(accuracy: Score, rest: float, p_value: float, examples: tuple[str, ...], how: str) -> Slice:
    hits, value = accuracy.num_hits or 0, accuracy.value or 0.0
    return Slice(
        column=accuracy.metric,
        value=accuracy.label or "",
        split=accuracy.split,
        source=accuracy.source,
        num_examples=accuracy.num_examples,
        num_hits=hits,
        accuracy=value,
        low=accuracy.low,
        high=accuracy.high,
        confidence=accuracy.confidence,
        rest=rest,
        p_value=p_value,
        is_worse=p_value <= 1 - accuracy.confidence + 1e-12 and value < rest,
        method=f"{accuracy.method}; {how}",
        examples=examples,
    )


def columns_left_out(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the further columns that were not sliced: neither few values nor numbers."""
    columns: Mapping[str, list[str]] = {
        name: [example.extra.get(name, "").strip() for example in examples]
        for name in dict.fromkeys(name for example in examples for name in example.extra)
    }
    return tuple(name for name, values in columns.items() if len(set(values)) > MAX_VALUES and numbers_in(values) is None)
