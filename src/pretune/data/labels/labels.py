"""Labels: are there classes to tell apart, each with enough rows to measure anything?"""

from collections import Counter
from collections.abc import Mapping, Sequence

from pretune.data.labels.several import note_joined
from pretune.data.labels.spelling import MISSING_WORDS, near_index, note_missing_words, note_near
from pretune.errors import DataError, MissingLabelsError
from pretune.records import Example, FileReceipt

# Share of distinct labels above which the column holds free text or numbers, not classes.
MAX_DISTINCT_SHARE = 0.5
SHOWN_LABELS = 5


def check_labels(
    examples: Sequence[Example], *, column: str | None = "label", files: tuple[FileReceipt, ...] = ()
) -> tuple[str, ...]:
    """Check that the labels are classes that a model can learn and a test can measure.

    Args:
        examples: All used rows.
        column: Name of the label column, for messages.
        files: Receipts that an error should carry.

    Returns:
        Notes: labels that differ only by case or spacing, that read like missing values or like several labels in one.

    Raises:
        MissingLabelsError: No row, or not every row, has a label.
        DataError: One class only, a class with one example, or about as many labels as rows.
    """
    missing = [example.id for example in examples if example.label is None]
    if missing or not examples:
        raise MissingLabelsError(
            f"{len(missing)} of {len(examples)} rows have no label" + (f", the first is {missing[0]}" if missing else ""),
            expected="a label in every row",
            fix="name the column of the class with --label COL",
            files=files,
        )
    counts = Counter(example.label or "" for example in examples)
    _check_distinct(counts, examples, column, files)
    if len(counts) == 1:
        raise DataError(
            f"column {column!r} holds one class only: {next(iter(counts))!r} in all {len(examples):,} rows",
            expected="at least two classes",
            fix="add rows of another class, or name another column with --label COL",
            files=files,
        )
    _check_singles(counts, examples, column, files)
    return (*note_near(counts), *note_missing_words(counts, column=column or "label"), *note_joined(counts))


def _check_distinct(
    counts: Counter[str], examples: Sequence[Example], column: str | None, files: tuple[FileReceipt, ...]
) -> None:
    # Two rows of two classes are a tiny table, not free text: that is for the next checks to say.
    if len(counts) <= max(2, MAX_DISTINCT_SHARE * len(examples)):
        return
    raise DataError(
        f"column {column!r} holds {len(counts):,} distinct labels in {len(examples):,} rows",
        expected="classification needs far fewer labels than rows",
        fix="name the column of the class with --label COL",
        files=files,
    )


def _check_singles(
    counts: Counter[str], examples: Sequence[Example], column: str | None, files: tuple[FileReceipt, ...]
) -> None:
    single = [example for example in examples if counts[example.label or ""] == 1]
    if not single:
        return
    find = near_index(label for label, _ in counts.most_common())
    near = {label: name for example in single if (name := find(label := str(example.label))) is not None}
    shown = ", ".join(f"{example.label!r} ({example.id}{_near(example, near, counts)})" for example in single[:SHOWN_LABELS])
    more = f" and {len(single) - SHOWN_LABELS} more" if len(single) > SHOWN_LABELS else ""
    number = "a class has" if len(single) == 1 else f"{len(single)} classes have"
    raise DataError(
        f"column {column!r}: {number} one example only: {shown}{more}",
        expected="several examples of each class, so that training, validation and test can each have some",
        fix=_cure_of_singles([str(example.label) for example in single], near, column or "label"),
        files=files,
    )


def _near(example: Example, near: Mapping[str, str], counts: Counter[str]) -> str:
    name = near.get(str(example.label))
    return f", {counts[name]:,} of {name!r}" if name is not None else ""


def _cure_of_singles(labels: Sequence[str], near: Mapping[str, str], column: str) -> str:
    missing = [label for label in labels if label.casefold() in MISSING_WORDS]
    first = next(iter(near), None)
    cures = (
        [] if first is None else [f"pass --merge-labels, which merges labels that differ only in case or spacing ({first!r})"]
    )
    cures += [f"pass --where '{column}!={missing[0]}' if {missing[0]!r} stands for a missing label"] if missing else []
    if len({*near, *missing}) < len(labels):
        cures.append("merge the class into another, drop its row, or label more rows of it")
    return "; ".join(cures)
