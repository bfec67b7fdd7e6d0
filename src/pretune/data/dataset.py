"""``load_data``: read, clean, divide, seal — the path of the rows up to training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from pretune.configs import ReadConfig, SplitConfig
from pretune.configs.data import MAX_CELL, MAX_COLUMNS
from pretune.data.clean import clean_examples
from pretune.data.labels.classes import join_labels
from pretune.data.labels.labels import check_labels
from pretune.data.labels.types import kept_type
from pretune.data.options import read_options
from pretune.data.read.path import read_table
from pretune.data.read.table import Table
from pretune.data.receipt import receipt_of_splits
from pretune.data.seal.seal import Seal, TrainingData, seal_splits
from pretune.data.split.by_time import split_by_time
from pretune.data.split.divide import Splits, keep_given, split_examples
from pretune.data.split.repair import divide_repaired
from pretune.errors import DataError, SealedError, UsageError
from pretune.records import Example, FileReceipt, Receipt, Repair
from pretune.records.shown import Grid, Shown, Tabular
from pretune.run.trace import Trace


class Dataset(Tabular):
    """Rows ready for training, and test rows that stay sealed.

    Attributes:
        training: Training and validation rows and the classes: all that training may see.
        receipt: What became of every row.
        seal: The test rows; only ``judge`` opens them.
    """

    def __init__(self, training: TrainingData, seal: Seal, receipt: Receipt) -> None:
        self.training, self.seal, self.receipt = training, seal, receipt

    @property
    def train(self) -> tuple[Example, ...]:
        """Rows to train on."""
        return self.training.train

    @property
    def validation(self) -> tuple[Example, ...]:
        """Rows that choose the epoch."""
        return self.training.validation

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels, sorted."""
        return self.training.classes

    @property
    def test(self) -> NoReturn:
        """Sealed.

        Raises:
            SealedError: Always.
        """
        raise SealedError(
            f"the {self.seal.num_rows:,} test rows are sealed",
            expected="a counted opening",
            fix="verdict = pretune.judge(model, data); data.validation can be read freely",
        )

    def shown(self) -> Shown:
        """Show the splits, with the rows of each class; of the sealed test only what the receipt counts."""
        sizes = f"{len(self.train):,} train, {len(self.validation):,} validation, {self.seal.num_rows:,} sealed test rows"
        gist = f"{Path(self.receipt.source).name}: {sizes}; classes {', '.join(self.classes[:6])}"
        splits = self.receipt.splits
        rows = ((item.name, item.num_rows, *(item.labels.get(name, 0) for name in self.classes)) for item in splits)
        grid = Grid(("split", "rows", *self.classes), tuple(rows))
        return Shown(
            f"Data of {self.receipt.source}", gist, (f"{sizes}, {len(self.classes)} classes", *self.receipt.notes), (grid,)
        )

    def grid(self) -> Grid:
        """Return all rows that are not sealed."""
        held = {"train": self.train, "validation": self.validation}
        rows = ((split, row.id, row.text, row.label, row.group) for split, part in held.items() for row in part)
        return Grid(("split", "id", "text", "label", "group"), tuple(rows))


def load_data(
    source: Any,
    *,
    text: str | int | Sequence[str | int] = (),
    label: str | int | None = None,
    group: str | int | None = None,
    validation: Any = None,
    test: Any = None,
    split_seed: int = 0,
    time: str | None = None,
    encoding: str | None = None,
    where: str | Sequence[str] = (),
    merge_labels: bool = False,
    allow_rejects: bool = False,
    keep_leaks: bool = False,
    repair: bool = False,
    quoting: str | None = None,
    escape: str | None = None,
    max_cell: int = MAX_CELL,
    max_columns: int = MAX_COLUMNS,
    max_size: str | int | None = None,
) -> Dataset:
    """Read labelled texts, clean them, split them without leakage, and seal the test.

    Each option has the name of its command-line flag.

    Args:
        source: A catalogue name, a file or folder, a hub id, a data frame, (texts, labels), or a list of dictionaries.
        text: Column or columns with the text, by name (in a data frame, also by number); if empty, they are guessed, and the
            receipt notes the guess.
        label: Column with the class; guessed likewise.
        group: Column whose equal values must stay in one split.
        validation: The validation rows, if they are given apart; ``None`` takes them from the data.
        test: The test rows, likewise.
        split_seed: Another seed gives another split.
        time: Column by which to divide: training is older than validation, and the test is newest.
        encoding: Of the files, where it is neither UTF-8 nor UTF-16 with a byte-order mark.
        where: Read only rows with this value, such as ``"answer=accept"`` or ``"answer!=reject"``; several must all hold.
        merge_labels: Merge labels that differ only in case or spacing.
        allow_rejects: Continue if over 1 % of the rows cannot be used.
        keep_leaks: Leave rows that given splits share where they are.
        repair: Drop leaks and conflicts, and divide again by a group that is found.
        quoting: Of CSV and TSV: ``"minimal"`` where quotes hold a cell together, ``"none"`` where they are text; the lines
            tell otherwise.
        escape: What stands before a quote inside a cell, such as a backslash; the lines tell otherwise.
        max_cell: Characters that a text may have.
        max_columns: Columns that a table may have.
        max_size: Largest size of a file once unpacked, such as ``"4GB"``.

    Raises:
        UsageError: An option has a value that does not fit.
        DataError: One message with file, row and column; nothing is lost.
    """
    columns = {"text": text, "label": label, "group": group}
    options = {
        "split_seed": split_seed, "time": time, "encoding": encoding, "where": where, "merge_labels": merge_labels,
        "allow_rejects": allow_rejects, "keep_leaks": keep_leaks, "repair": repair, "quoting": quoting, "escape": escape,
        "max_cell": max_cell, "max_columns": max_columns, "max_size": max_size,
    }  # fmt: skip
    read, split = read_options(source, columns, options)
    return prepare(source, read, split, given={"validation": validation, "test": test})


def prepare(
    source: Any, read: ReadConfig, split: SplitConfig, *, given: Mapping[str, Any] | None = None, trace: Trace | None = None
) -> Dataset:
    """Take rows from their source to a ``Dataset``; ``given`` names validation or test rows of their own."""
    trace = trace or Trace()
    others = {role: item for role, item in (given or {}).items() if item is not None}
    tables = _read_all({"train" if others else "data": source, **others}, read, trace)
    rows, cleaned = _clean_all(tables, trace)
    files = tuple(receipt for table in tables.values() for receipt in table.files)
    try:
        divided, repairs = _divide(rows, split, files, trace, label=next(iter(tables.values())).columns.label)
    except DataError as error:
        error.files = error.files or files
        raise
    receipt = replace(receipt_of_splits(tables, files, divided, cleaned, split), repairs=repairs)
    with trace.stage("seal", f"{len(divided.test):,} test rows") as stage:
        training, seal = seal_splits(divided)
        stage.done, stage.shape_out = "their labels and scores are not read before judging", "0 rows in reach of training"
    kind = next(iter(tables.values())).label_type
    training = replace(training, text_columns=_text_columns(source, receipt), label_type=kept_type(training.classes, kind))
    return Dataset(training, seal, receipt)


def _text_columns(source: Any, receipt: Receipt) -> tuple[str, ...]:
    """The columns as the user's table names them; lists and folders have none, whatever pretune calls theirs."""
    has_none = isinstance(source, tuple) or receipt.files[0].format == "folder"
    return () if has_none else receipt.columns.text


def _read_all(sources: dict[str, Any], config: ReadConfig, trace: Trace) -> dict[str, Table]:
    shown = next(iter(sources.values()))
    with trace.stage("read", str(shown) if isinstance(shown, (str, Path)) else type(shown).__name__) as stage:
        names = names_apart(sources)
        tables = {role: read_table(item, config, role=role, name=names.get(role)) for role, item in sources.items()}
        tables = join_labels(tables, merge=config.merge_labels)
        first = next(iter(tables.values()))
        _check_same_labels(tables)
        rows = sum(file.num_rows for table in tables.values() for file in table.files)
        used = sum(len(table.examples) for table in tables.values())
        stage.shape_in = f"{rows:,} rows"
        stage.shape_out = f"{used:,} rows × {2 + bool(first.columns.group)} columns"
        guessed = f" (guessed: {', '.join(first.columns.guessed)})" if first.columns.guessed else ""
        described = f"text {' + '.join(map(repr, first.columns.text))}, label {first.columns.label!r}"
        stage.done = f"{described}{guessed}; {rows - used:,} rejected"
        stage.notes = list(dict.fromkeys(note for table in tables.values() for note in table.notes))
        stage.example = first.examples[0].text if first.examples else ""
    return tables


def names_apart(sources: dict[str, Any]) -> dict[str, str]:
    """Return what ids begin with where files have the same name, such as ``train/a.csv`` and ``test/a.csv``."""
    bases = {role: Path(item).name if isinstance(item, (str, Path)) else "row" for role, item in sources.items()}
    alike = [base for base in bases.values() if list(bases.values()).count(base) > 1]
    return {role: f"{role}/{base}" for role, base in bases.items() if base in alike}


def _clean_all(tables: dict[str, Table], trace: Trace) -> tuple[dict[str, tuple[Example, ...]], dict[str, int]]:
    total = sum(len(table.examples) for table in tables.values())
    with trace.stage("clean", f"{total:,} texts") as stage:
        cleaned: dict[str, tuple[Example, ...]] = {}
        counts: dict[str, int] = {}
        for role, table in tables.items():
            cleaned[role], done = clean_examples(table.examples)
            counts = {what: counts.get(what, 0) + done.get(what, 0) for what in {**counts, **done}}
        stage.shape_out = f"{total:,} texts"
        stage.done = ", ".join(f"{what}: {count:,}" for what, count in counts.items() if count) or "nothing to change"
        first = next(iter(cleaned.values()))
        stage.example = first[0].text if first else ""
    return cleaned, counts


def _divide(
    rows: dict[str, tuple[Example, ...]],
    config: SplitConfig,
    files: tuple[FileReceipt, ...],
    trace: Trace,
    *,
    label: str | None,
) -> tuple[Splits, tuple[Repair, ...]]:
    everything = tuple(row for part in rows.values() for row in part)
    with trace.stage("split", f"{len(everything):,} rows") as stage:
        notes = check_labels(everything, column=label, files=files)
        if config.repair:
            divided, repairs = divide_repaired(rows, lambda parts: split_rows(parts, config))
        else:
            divided, repairs = split_rows(rows, config), ()
        sizes = {receipt.name: receipt.num_rows for receipt in divided.receipts}
        stage.shape_out = " + ".join(f"{count:,} {name}" for name, count in sizes.items())
        stage.done = (
            f"{divided.num_exact_duplicates:,} exact and {divided.num_near_duplicates:,} near-duplicates kept in one split"
            + (f", {len(divided.removed):,} rows taken out" if divided.removed else "")
        )
        stage.notes = [*notes, *divided.notes, *(repair.summary for repair in repairs)]
    return replace(divided, notes=(*notes, *divided.notes)), repairs


def split_rows(rows: Mapping[str, tuple[Example, ...]], config: SplitConfig, *, by_name: bool = False) -> Splits:
    """Divide the rows of ``data``, or keep the splits that were given, as ``config`` says.

    Args:
        rows: By role.
        config: Shares, seed and time.
        by_name: Whether texts that differ in nothing but the names of their groups are apart.

    Raises:
        UsageError: Splits are given, and to be divided by time.
        DataError: They cannot be divided.
    """
    if config.time is not None and "data" not in rows:
        raise UsageError(
            "--time with --validation or --test",
            expected="one of them: the splits are given, or divided by time",
            fix="leave out --time, or pass all rows as one file",
        )
    if "data" in rows:
        return (split_by_time if config.time is not None else split_examples)(rows["data"], config, by_name=by_name)
    return keep_given(rows["train"], rows.get("validation"), rows.get("test"), config, by_name=by_name)


def _check_same_labels(tables: dict[str, Table]) -> None:
    names = {table.columns.label for table in tables.values()}
    if len(names) > 1:
        raise DataError(
            f"the files name the label differently: {', '.join(map(repr, sorted(map(str, names))))}",
            expected="the same columns in every file",
            fix="rename the columns, or name them with --text and --label",
        )
