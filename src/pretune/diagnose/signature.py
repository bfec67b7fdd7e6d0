"""Signatures: does one word, or one column, give the label away?

A language model finds such a mark at once, scores well on any test drawn from the same table, and fails where the mark is not
set: the classes came from two sources, or an editor stamped one of them. The mark is sought in training, and
measured on other rows, so that looking at thousands of words does not make one up.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from pretune.diagnose.columns import asked_rows, filled_columns, read_moments, read_numbers
from pretune.diagnose.measures import percent
from pretune.hashing import fold
from pretune.intervals import average_bounds, proportion_interval
from pretune.records import Evaluation, Evidence, Example, Finding, Severity

# Balanced accuracy of a rule that looks at one word: from the first we warn, from the second the label is given away. Ours:
# the best single word of seven public sets reaches 0.74 ("$" for things on sale; docs/decisions/0011).
WARN_ACCURACY = 0.80
MAX_TOKEN_ACCURACY = 0.95
# A word that is never wrong gives away a part of a class even if the rest of the class lacks it: from this precision and
# this share of the class we warn, too, both with the lower end of their intervals.
SURE_PRECISION = 0.95
SURE_SHARE = 0.33
# Balanced accuracy of the most telling column, which the model does not read unless it is part of the text.
MAX_COLUMN_ACCURACY = 0.90
# Share of rows whose text holds the column's value from which the model reads it all the same.
MIN_IN_TEXT = 0.50
# Rows looked at of each split: enough to measure 0.95 within a point.
MAX_ROWS = 5_000
NUM_BINS = 10
# A column with fewer distinct numbers is a rating, from which labels are made, rather than a number of the row.
MAX_RATINGS = 100

MARK = re.compile(r"\w+|[^\w\s]")
LABEL_LIKE = re.compile(r"label|class|target|categor|rating|score|star|polarity|sentiment|intent|topic", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A mark and how well it tells a label, measured on rows it was not found in."""

    name: str
    label: str
    accuracy: float  # mean of the shares of rows of the label, and of others, that the mark gets right
    low: float
    examples: tuple[str, ...]
    is_sure: bool = False  # hardly ever wrong where it is set, and set in a good part of the class


def check_signature_token(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how well the presence of the most telling word alone tells a class from the rest."""
    check = "leakage.signature_token"
    name, asked = asked_rows(evidence, labelled=True)
    if not asked or not evidence.has_texts("train", name):
        return Finding.unknown(check, "needs labelled texts of training and of validation or test")
    found = find_token(_sample(evidence.train), _sample(asked))
    if found is None:
        return Finding(check=check, severity=Severity.OK, summary="no word occurs in enough rows to tell a class")
    reached = f"{found.name} alone tells {found.label} from the rest with a balanced accuracy of {percent(found.accuracy)}"
    severity = Severity.BLOCKING if found.low > MAX_TOKEN_ACCURACY else Severity.WARNING
    if found.low <= WARN_ACCURACY and not found.is_sure:
        severity = Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"the word {reached} of {name} rows (at least {percent(found.low)})",
        measured=found.accuracy,
        limit=MAX_TOKEN_ACCURACY if severity is Severity.BLOCKING else WARN_ACCURACY,
        examples=found.examples if severity is not Severity.OK else (),
        fix=f"Take {found.name} out of the texts, or collect rows of every class with and without it."
        if severity is not Severity.OK
        else "",
    )


def check_signature_column(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
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
    severity, why = _weigh_column(evidence.train, worst.name)
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


def find_token(train: Sequence[Example], asked: Sequence[Example]) -> Signature | None:
    """Return the word, or first or last word, whose presence in training tells a class best, measured on ``asked``."""
    labels = np.array([row.label for row in train])
    classes, sizes = np.unique(labels, return_counts=True)
    vectorizer = CountVectorizer(analyzer=_marks, binary=True, min_df=5)
    texts = [row.text for row in train]
    try:
        present = vectorizer.fit_transform(texts)
    except ValueError:  # no word is in five texts
        return None
    counts = np.stack([np.asarray(present[labels == label].sum(axis=0)).ravel() for label in classes])  # (classes, words)
    inside = counts / sizes[:, None]
    outside = (counts.sum(axis=0) - counts) / np.maximum(sizes.sum() - sizes, 1)[:, None]
    row, column = np.unravel_index(np.argmax(inside - outside), inside.shape)
    word, label = str(vectorizer.get_feature_names_out()[column]), str(classes[row])
    return _measure_token(asked, word, label)


def _measure_token(asked: Sequence[Example], word: str, label: str) -> Signature | None:
    has = np.array([word in _marks(row.text) for row in asked])
    is_label = np.array([row.label == label for row in asked])
    num_inside, num_outside = int(is_label.sum()), int((~is_label).sum())
    if not num_inside or not num_outside:
        return None
    hits = np.array([(has & is_label).sum(), (~has & ~is_label).sum()], dtype=float)
    low, _ = average_bounds(hits, np.array([num_inside, num_outside], dtype=float), 0.95)
    shown = tuple(asked[index].id for index in np.flatnonzero(has & is_label)[:5])
    accuracy = float((hits / np.array([num_inside, num_outside])).mean())
    precision, _ = proportion_interval(int(hits[0]), int(has.sum()))
    share, _ = proportion_interval(int(hits[0]), num_inside)
    is_sure = precision > SURE_PRECISION and share > SURE_SHARE
    return Signature(name=_say(word), label=label, accuracy=accuracy, low=float(low), examples=shown, is_sure=is_sure)


def _marks(text: str) -> set[str]:
    """Return the words and signs of a text as written, and its first and last one as marks of their own."""
    words = MARK.findall(text)
    return {*words, f"{words[0]} …", f"… {words[-1]}"} if words else set()


def _say(word: str) -> str:
    place = " at the start" if word.endswith(" …") else " at the end" if word.startswith("… ") else ""
    return f"{word.removesuffix(' …').removeprefix('… ')!r}{place}"


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


def _weigh_column(rows: Sequence[Example], column: str) -> tuple[Severity, str]:
    in_text = sum(len(value := fold(row.extra.get(column, ""))) > 1 and value in fold(row.text) for row in _sample(rows))
    share = in_text / len(_sample(rows))
    if share > MIN_IN_TEXT:
        return Severity.BLOCKING, f"it gives the label away, and {percent(share)} of the texts hold its value"
    values = {row.extra.get(column, "") for row in rows}
    numbers = read_numbers(sorted(values))
    if LABEL_LIKE.search(column) or (numbers is not None and 2 < len(values) <= MAX_RATINGS):
        return Severity.NOTE, "it looks like the label under another name, and is not read by the model"
    if numbers is not None and len(values) > MAX_RATINGS:
        return Severity.NOTE, "the rows are sorted by label along it; it is not read by the model"
    return Severity.WARNING, "it is not read by the model, but the texts of each value may have a manner of their own"


def _sample(rows: Sequence[Example]) -> Sequence[Example]:
    """Return rows evenly spread over the split, since files are often sorted."""
    step = max(1, -(-len(rows) // MAX_ROWS))
    return rows[::step]
