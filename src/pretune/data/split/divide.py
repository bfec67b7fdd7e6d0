"""Split: which rows train the model, which choose the best epoch, and which are kept for the verdict?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pretune.configs import SplitConfig
from pretune.data.alike.duplicates import Duplicates, find_duplicates, join_components
from pretune.data.alike.shared import find_conflicts, find_shared
from pretune.data.labels.spelling import near_index
from pretune.data.split.allocate import allocate
from pretune.errors import DataError
from pretune.hashing import digest_of, digest_of_lines
from pretune.records import Conflict, Example, Shared, SplitReceipt

Examples = tuple[Example, ...]
NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """The three splits, before the test is sealed, and what was found while dividing.

    ``len(train) + len(validation) + len(test) + len(removed)`` is the number of rows that came in.
    """

    train: Examples
    validation: Examples
    test: Examples
    num_exact_duplicates: int  # rows whose folded text is that of an earlier row
    num_near_duplicates: int  # further rows nearly the same as an earlier row
    conflicts: tuple[Conflict, ...]
    shared: tuple[Shared, ...]  # between given splits
    removed: tuple[str, ...]  # ids of rows taken out because a later split has them, or by --repair
    receipts: tuple[SplitReceipt, ...]
    seed: int | None  # None where all splits were given
    notes: tuple[str, ...] = ()
    texts: Mapping[str, int] = field(default_factory=dict)  # number of each row's text by id; copies and near copies have one
    are_near_copies_apart: bool = False  # no class could be divided with them on one side


DIVIDED_ALL_THE_SAME = (
    "{num_near:,} rows are near copies of others, and no class could be split with these kept together: "
    "they are split by {why}, so the test may hold near copies of training rows, and its figures may flatter the model"
)


def split_examples(examples: Sequence[Example], config: SplitConfig | None = None, *, by_name: bool = False) -> Splits:
    """Divide rows, stratified by label, with duplicates, near-duplicates and groups on one side.

    The split depends on the texts, labels and groups and on ``config.seed`` only; each split keeps the order of the rows.

    Args:
        examples: The rows.
        config: Shares and seed.
        by_name: Whether texts that differ in nothing but the names of their groups are apart (``data/alike/named.py``).

    Raises:
        DataError: There are fewer than two classes, or a class has fewer than three rows that can be separated.
    """
    config = config or SplitConfig()
    _check_classes(examples)
    duplicates = _find_duplicates(examples, config, by_name=by_name)
    shares = {"validation": config.validation_share, "test": config.test_share}
    parts, component, notes = _divide_apart(examples, duplicates, shares, config)
    apart = bool(notes)
    conflicts, notes = find_conflicts(examples, duplicates), (*notes, *_note_units(component, parts, shares))
    return _build(parts, examples, duplicates, conflicts, seed=config.seed, notes=notes, are_near_copies_apart=apart)


def keep_given(
    train: Sequence[Example],
    validation: Sequence[Example] | None,
    test: Sequence[Example] | None,
    config: SplitConfig | None = None,
    *,
    by_name: bool = False,
) -> Splits:
    """Keep splits that the user gave, and repair what they share.

    Rows that a given split shares with a later one (train < validation < test) are counted, and taken out of the earlier
    one unless ``config.keep_leaks``: out of training, and out of validation where the test has them, because
    validation chooses the epoch and the threshold. The test is never changed. A split that was not given is
    carved out of training: the config's share of the rows that training still has.

    Raises:
        DataError: Nothing is left of a split, or a class is in validation or test but not in training.
    """
    config = config or SplitConfig()
    given = {name: tuple(rows) for name, rows in zip(NAMES, (train, validation, test), strict=True) if rows is not None}
    examples = tuple(example for rows in given.values() for example in rows)
    _check_classes(examples)
    duplicates = _find_duplicates(examples, config, by_name=by_name)
    shared, leaking = find_shared(given, duplicates, keep=config.keep_leaks)
    owners = [name for name, rows in given.items() for _ in rows]
    parts = {name: _rows_left(examples, owners, leaking, name) for name in NAMES if name in given}
    _check_left(given, parts)
    missing = {name: getattr(config, f"{name}_share") for name in NAMES if name not in given}
    notes: tuple[str, ...] = ()
    if missing:
        is_train = np.array([owner == "train" and row not in leaking for row, owner in enumerate(owners)])
        own = replace(duplicates, folded=duplicates.folded[is_train], component=duplicates.component[is_train])
        divided, _, notes = _divide_apart(parts["train"], own, missing, config)
        parts |= divided
    _check_trained(parts)
    conflicts = find_conflicts(examples, duplicates)
    removed = tuple(examples[row].id for row in sorted(leaking))
    seed = config.seed if missing else None
    apart, notes = bool(notes), (*notes, *_note_classes(parts))
    splits = _build(parts, examples, duplicates, conflicts, seed=seed, notes=notes, are_near_copies_apart=apart)
    return replace(splits, shared=shared, removed=removed)


def split_validation(
    examples: Sequence[Example], config: SplitConfig | None = None
) -> tuple[Examples, Examples, tuple[str, ...]]:
    """Hold out validation rows, stratified, with duplicates on one side; return training and validation rows, and notes.

    These rows choose an epoch and are no test, so texts that are made from a few templates are divided all the same, and that
    is noted.

    Raises:
        DataError: There are fewer than two classes, or a class has fewer than two rows that can be separated.
    """
    config = config or SplitConfig()
    _check_classes(examples)
    duplicates = _find_duplicates(examples, config)
    parts, _, notes = _divide_apart(
        examples,
        duplicates,
        {"validation": config.validation_share},
        replace(config, keep_leaks=True),
        note="{num_near:,} rows are near copies of others, and no class could be split with these kept together: "
        "validation holds near copies of training rows, and its figures flatter the model",
    )
    return parts["train"], parts["validation"], notes


def digest_of_rows(examples: Sequence[Example]) -> str:
    """Return the SHA-256 of rows: ids, texts, labels, groups and other columns, in this order."""
    return digest_of_lines(digest_of(example.to_json()) for example in examples)


def _find_duplicates(examples: Sequence[Example], config: SplitConfig, *, by_name: bool = False) -> Duplicates:
    groups = [example.group for example in examples] if by_name else None
    return find_duplicates([example.text for example in examples], threshold=config.near_duplicate_threshold, groups=groups)


def _divide(
    examples: Sequence[Example], component: NDArray[np.int64], shares: Mapping[str, float], seed: int
) -> dict[str, Examples]:
    names = allocate(examples, component, shares, seed)
    return {part: tuple(row for row, name in zip(examples, names, strict=True) if name == part) for part in ("train", *shares)}


def _divide_apart(
    examples: Sequence[Example],
    duplicates: Duplicates,
    shares: Mapping[str, float],
    config: SplitConfig,
    *,
    note: str = DIVIDED_ALL_THE_SAME,
) -> tuple[dict[str, Examples], NDArray[np.int64], tuple[str, ...]]:
    """Divide with copies, near copies and groups on one side; return the parts, the number of each row's unit, and notes.

    Texts that are made from a few templates are near copies of each other throughout, and cannot be divided so. Where the user
    named a group, or asked for leaks to be kept, near copies are then divided like other rows, and that is said.

    Raises:
        DataError: A class has too few rows that can be separated.
    """
    groups = [example.group for example in examples]
    component = join_components(duplicates.component, groups)
    try:
        return _divide(examples, component, shares, config.seed), component, ()
    except DataError as error:
        is_asked = config.keep_leaks or any(group is not None for group in groups)
        if not is_asked or duplicates.num_near == 0:
            raise
        component = join_components(duplicates.folded, groups)
        try:
            parts = _divide(examples, component, shares, config.seed)
        except DataError:
            raise error from None
    why = "--keep-leaks" if config.keep_leaks else "the groups"
    return parts, component, (note.format(num_near=duplicates.num_near, why=why),)


def _build(
    parts: Mapping[str, Examples],
    examples: Sequence[Example],
    duplicates: Duplicates,
    conflicts: tuple[Conflict, ...],
    *,
    seed: int | None,
    notes: tuple[str, ...],
    are_near_copies_apart: bool,
) -> Splits:
    if duplicates.largest > 1:
        notes = (f"the largest cluster of duplicates and near-duplicates has {duplicates.largest:,} rows", *notes)
    numbers = (duplicates.folded if are_near_copies_apart else duplicates.component).tolist()
    texts = {row.id: number for row, number in zip(examples, numbers, strict=True)}
    return Splits(
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        num_exact_duplicates=duplicates.num_exact,
        num_near_duplicates=duplicates.num_near,
        conflicts=conflicts,
        shared=(),
        removed=(),
        receipts=tuple(receipt_of(name, parts[name], texts) for name in NAMES),
        seed=seed,
        notes=notes,
        texts=texts,
        are_near_copies_apart=are_near_copies_apart,
    )


def receipt_of(name: str, rows: Examples, texts: Mapping[str, int]) -> SplitReceipt:
    """Count a split's rows by class, and its texts, and take the digest of its rows."""
    labels = dict(sorted(Counter(row.label for row in rows if row.label is not None).items()))
    num_texts = len({texts[row.id] for row in rows})
    return SplitReceipt(name=name, num_rows=len(rows), labels=labels, digest=digest_of_rows(rows), num_texts=num_texts)


def _rows_left(examples: Examples, owners: Sequence[str], leaking: frozenset[int], name: str) -> Examples:
    return tuple(row for index, row in enumerate(examples) if owners[index] == name and index not in leaking)


def _note_units(component: NDArray[np.int64], parts: Mapping[str, Examples], shares: Mapping[str, float]) -> tuple[str, ...]:
    """Say where groups or clusters kept a split from the size it was to have."""
    why = "classes are small, or rows" if any(_labels_of(rows) for rows in parts.values()) else "rows"
    total, largest = len(component), int(np.bincount(component).max(initial=0))
    off = {name: len(parts[name]) / total for name in shares if abs(len(parts[name]) / total - shares[name]) > 0.02}
    return tuple(
        f"{name} has {share:.1%} of the rows instead of {shares[name]:.1%}: {why} must stay together "
        f"(up to {largest:,} of them)"
        for name, share in off.items()
    )


def _note_classes(parts: Mapping[str, Examples]) -> tuple[str, ...]:
    known = _labels_of(parts["train"])
    lacking = {name: sorted(known - _labels_of(parts[name])) for name in ("validation", "test")}
    return tuple(f"{name} has no row of {', '.join(map(repr, labels))}" for name, labels in lacking.items() if labels)


def _labels_of(rows: Sequence[Example]) -> set[str]:
    return {row.label for row in rows if row.label is not None}


def _check_classes(examples: Sequence[Example]) -> None:
    labels = _labels_of(examples)
    if len(labels) == 1:
        raise DataError(
            f"all {len(examples):,} rows have the label {labels.pop()!r}",
            expected="at least two classes",
            fix="name the column that holds the classes with --label",
        )


def _check_left(given: Mapping[str, Examples], parts: Mapping[str, Examples]) -> None:
    for name, rows in parts.items():
        if not rows:
            raise DataError(
                f"nothing is left of {name}: {len(given[name]):,} rows were given, and each is the same or nearly "
                "the same as a row of a later split"
                if given[name]
                else f"{name} has no rows",
                expected="different rows in each split",
                fix="check that two splits are not the same file, or pass --keep-leaks to keep the rows that they share",
            )


def _check_trained(parts: Mapping[str, Examples]) -> None:
    known = _labels_of(parts["train"])
    for name in ("validation", "test"):
        unknown = sorted(_labels_of(parts[name]) - known)
        if unknown:
            find = near_index(sorted(known))
            near = {label: found for label in unknown if (found := find(label)) is not None}
            spelled = "; ".join(f"{label!r} is spelled {found!r} there" for label, found in list(near.items())[:5])
            raise DataError(
                f"{name} has the class {', '.join(map(repr, unknown[:5]))}, which training does not have"
                + (f" ({spelled})" if near else ""),
                expected=f"classes of training: {', '.join(map(repr, sorted(known)[:10]))}",
                fix="pass --merge-labels, which merges labels that differ only in case or spacing"
                if len(near) == len(unknown)
                else "check that the files name classes alike, or add rows of that class to the training file",
            )
