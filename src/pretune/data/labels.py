"""Labels: are there classes to tell apart, and enough of each to measure anything?"""

from collections import Counter
from collections.abc import Sequence

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
        files: Receipts that an error shall carry.

    Returns:
        Notes: labels that differ only by case or spacing.

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
    return _near_labels(counts)


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
    shown = ", ".join(f"{example.label!r} ({example.id})" for example in single[:SHOWN_LABELS])
    more = f" and {len(single) - SHOWN_LABELS} more" if len(single) > SHOWN_LABELS else ""
    number = "a class has" if len(single) == 1 else f"{len(single)} classes have"
    raise DataError(
        f"column {column!r}: {number} one example only: {shown}{more}",
        expected="several examples of each class, so that training, validation and test can each have some",
        fix="merge the class into another, drop its row, or label more rows of it",
        files=files,
    )


def _near_labels(counts: Counter[str]) -> tuple[str, ...]:
    folded: dict[str, list[str]] = {}
    for label in counts:
        folded.setdefault(" ".join(label.casefold().split()), []).append(label)
    groups = [sorted(labels) for labels in folded.values() if len(labels) > 1]
    return tuple(
        f"labels {', '.join(map(repr, labels))} differ only by case or spacing: are they one class?" for labels in groups
    )
