"""Signature columns: does another column give the label away, or is it the label under another name?"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pretune.data.moments import read_moments
from pretune.diagnose.columns import asked_rows, filled_columns, read_numbers, spread
from pretune.diagnose.measures import percent
from pretune.diagnose.signature import Signature
from pretune.hashing import fold
from pretune.intervals import average_bounds
from pretune.records import RULES, Evaluation, Evidence, Example, Finding, Severity

# Balanced accuracy of the most telling column, which the model does not read unless it is part of the text.
MAX_COLUMN_ACCURACY = 0.90
# Share of rows whose text holds the column's value from which the model reads it all the same.
MIN_IN_TEXT = 0.50
NUM_BINS = 10
# A column with fewer distinct numbers is a rating, from which labels are made, rather than a number of the row.
MAX_RATINGS = 100
# Share of rows in the commonest class of their value from which values divide the classes, and the mean rows of a value.
MIN_PURE, MIN_ROWS_OF_VALUE = 0.99, 5

LABEL_LIKE = re.compile(r"label|class|target|categor|rating|score|star|polarity|sentiment|intent|topic", re.IGNORECASE)


def check_signature_column(evidence: Evidence, _evaluation: Evaluation | None = None, *, rules: int = RULES) -> Finding:
    """Measure how well the most telling further column alone (source, date, id) tells the label."""
    check = "leakage.signature_column"
    columns, (name, asked) = filled_columns(evidence.train), asked_rows(evidence, labelled=True)
    if not columns:
        return Finding.not_applicable(check, "the rows have no column besides text and label")
    if not asked:
        return Finding.unknown(check, "needs labelled rows of validation or test")
    found = [_measure_column(evidence.train, asked, column) for column in columns]
    worst = max(found, key=lambda item: item.low)
    says = (
        f"the column {worst.name!r} alone tells the label of {percent(worst.accuracy)} of {name} rows, classes weighted alike"
    )
    if worst.low <= MAX_COLUMN_ACCURACY:
        return Finding(check=check, severity=Severity.OK, summary=says, measured=worst.accuracy, limit=MAX_COLUMN_ACCURACY)
    severity, why = _weigh_column(evidence.train, worst.name, rules)
    return Finding(
        check=check,
        severity=severity,
        summary=f"{says}: {why}",
        measured=worst.accuracy,
        limit=MAX_COLUMN_ACCURACY,
        examples=worst.examples,
        fix=""
        if severity is Severity.NOTE
        else f"Leave {worst.name!r} out of the text, and collect rows of every class "
        "from every source; else the model may learn where a row comes from.",
    )


def _measure_column(train: Sequence[Example], asked: Sequence[Example], column: str) -> Signature:
    """Return the best of what a column tells by its values, their pattern, their beginning, or their place in order."""
    ways = [_accuracy_of(keys, train, asked) for keys in _views(train, asked, column)]
    accuracy, low = max(ways, key=lambda way: way[1], default=(0.0, 0.0))
    return Signature(name=column, label="", accuracy=accuracy, low=low, examples=tuple(row.id for row in asked[:5]))


def _views(train: Sequence[Example], asked: Sequence[Example], column: str) -> Iterator[tuple[list[str], list[str]]]:
    known, new = ([row.extra.get(column, "") for row in rows] for rows in (train, asked))
    yield known, new
    yield [re.sub(r"\d+", "#", value) for value in known], [re.sub(r"\d+", "#", value) for value in new]
    yield [_beginning(value) for value in known], [_beginning(value) for value in new]
    numbers, new_numbers = _in_order(train, column), _in_order(asked, column)
    if numbers and new_numbers:
        edges = np.unique(np.quantile(numbers, np.linspace(0, 1, NUM_BINS + 1)[1:-1]))
        yield [str(bin) for bin in np.searchsorted(edges, numbers)], [str(bin) for bin in np.searchsorted(edges, new_numbers)]


def _beginning(value: str) -> str:
    found = re.match(r"[^\W\d_]*", value)
    return found.group() if found else ""


def _in_order(rows: Sequence[Example], column: str) -> list[float] | None:
    moments = read_moments(rows, column)
    if moments:
        return [moments.get(row.id, 0.0) for row in rows]
    return read_numbers([row.extra.get(column, "") or "nan" for row in rows])


def _accuracy_of(keys: tuple[list[str], list[str]], train: Sequence[Example], asked: Sequence[Example]) -> tuple[float, float]:
    """Return the balanced accuracy on ``asked`` of the commonest label that each key has in training, and its low end."""
    labels_of: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, row in zip(keys[0], train, strict=True):
        labels_of[key][str(row.label)] += 1
    overall = Counter(str(row.label) for row in train).most_common(1)[0][0]
    hits, totals = Counter[str](), Counter[str]()
    for key, row in zip(keys[1], asked, strict=True):
        said = labels_of[key].most_common(1)[0][0] if key in labels_of else overall
        totals[str(row.label)] += 1
        hits[str(row.label)] += said == row.label
    right = np.array([hits[label] for label in totals], dtype=float)
    sizes = np.array([totals[label] for label in totals], dtype=float)
    low, _ = average_bounds(right, sizes, 0.95)
    return float((right / sizes).mean()), float(low)


def _weigh_column(rows: Sequence[Example], column: str, rules: int) -> tuple[Severity, str]:
    in_text = sum(len(value := fold(row.extra.get(column, ""))) > 1 and value in fold(row.text) for row in spread(rows))
    share = in_text / len(spread(rows))
    if share > MIN_IN_TEXT:
        return Severity.BLOCKING, f"it gives the label away, and {percent(share)} of the texts hold its value"
    values = {row.extra.get(column, "") for row in rows}
    numbers = read_numbers(sorted(values))
    finer = _finer(rows, column) if rules > 1 else None
    if LABEL_LIKE.search(column) or (numbers is not None and 2 < len(values) <= MAX_RATINGS) or (finer and finer.is_named):
        as_finer = f"a finer label under another name ({finer.says})" if finer else "the label under another name"
        return Severity.NOTE, f"it looks like {as_finer}, and is not read by the model"
    if numbers is not None and len(values) > MAX_RATINGS:
        return Severity.NOTE, "the rows are sorted by label along it; it is not read by the model"
    either = f"it is a finer label ({finer.says}), or says where rows come from: " if finer else ""
    return Severity.WARNING, f"{either}it is not read by the model, but the texts of each value may have a manner of their own"


@dataclass(frozen=True, slots=True)
class _Finer:
    says: str
    is_named: bool  # values begin or end with the name of their class, such as "sports/hockey"


def _finer(rows: Sequence[Example], column: str) -> _Finer | None:
    """Describe a column whose values divide the classes: more of them than classes, each with rows of one class."""
    labels_of: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        labels_of[row.extra.get(column, "")][str(row.label)] += 1
    classes = {label for found in labels_of.values() for label in found}
    pure = sum(found.most_common(1)[0][1] for found in labels_of.values())
    is_finer = len(classes) < len(labels_of) <= len(rows) / MIN_ROWS_OF_VALUE and pure >= MIN_PURE * len(rows)
    if not is_finer:
        return None
    owner = {value: found.most_common(1)[0][0] for value, found in labels_of.items()}
    named = sum(
        fold(label) in (fold(value)[: len(fold(label))], fold(value)[-len(fold(label)) :]) for value, label in owner.items()
    )
    example = next(value for value in owner if value)
    says = f"{len(labels_of)} values for {len(classes)} classes, each of one class, such as {example!r} of {owner[example]}"
    return _Finer(says, named > len(owner) / 2)
