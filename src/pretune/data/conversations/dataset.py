"""``load_conversations``: read, clean, divide by what is asked, seal — the path of conversations up to training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from pretune.configs import ReadConfig, SplitConfig
from pretune.configs.data import MAX_CELL, MAX_COLUMNS
from pretune.data.conversations.facts import count_conversations
from pretune.data.conversations.read import ConversationTable, read_conversations
from pretune.data.dataset import names_apart, split_rows
from pretune.data.options import read_options
from pretune.data.receipt import receipt_of_splits
from pretune.data.seal.seal import Seal, seal_splits
from pretune.data.split.divide import Splits
from pretune.data.split.repair import divide_repaired
from pretune.errors import DataError, SealedError
from pretune.records import Conversation, ConversationCounts, Example, FileReceipt, Receipt, Repair
from pretune.run.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConversations:
    """All that training may see; no path leads from here to a test row."""

    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]


class ConversationSet:
    """Conversations ready for training, and test conversations that stay sealed.

    Attributes:
        training: Conversations to train on, and those that choose the epoch: all that training may see.
        receipt: What became of every row.
        seal: The test, as examples of which ``Conversation.from_example`` makes conversations again.
        counts: What the table holds, and what keeps conversations on one side of the split.
    """

    def __init__(self, training: TrainingConversations, seal: Seal, receipt: Receipt, counts: ConversationCounts) -> None:
        self.training, self.seal, self.receipt, self.counts = training, seal, receipt, counts

    @property
    def train(self) -> tuple[Conversation, ...]:
        """Conversations to train on."""
        return self.training.train

    @property
    def validation(self) -> tuple[Conversation, ...]:
        """Conversations that choose the epoch and the decoding."""
        return self.training.validation

    @property
    def form(self) -> str:
        """What the table is, with the role of each column."""
        return self.counts.form

    @property
    def split_by(self) -> str:
        """What keeps conversations on one side: ``question``, ``group 'focus'``, ``time 'date'`` or ``files``."""
        return self.counts.split_by

    @property
    def test(self) -> NoReturn:
        """Sealed.

        Raises:
            SealedError: Always.
        """
        raise SealedError(
            f"the {self.seal.num_rows:,} test conversations are sealed",
            expected="a counted opening",
            fix="verdict = pretune.judge(model, data); data.validation can be read freely",
        )

    def __repr__(self) -> str:
        sizes = (
            f"{len(self.train):,} train, {len(self.validation):,} validation, {self.seal.num_rows:,} sealed test conversations"
        )
        return f"ConversationSet({self.receipt.source!r}: {sizes}; split by {self.split_by})"


def load_conversations(
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
    allow_rejects: bool = False,
    keep_leaks: bool = False,
    repair: bool = False,
    quoting: str | None = None,
    escape: str | None = None,
    max_cell: int = MAX_CELL,
    max_columns: int = MAX_COLUMNS,
    max_size: str | int | None = None,
) -> ConversationSet:
    """Read conversations, clean them, split them so that no question is on two sides, and seal the test.

    Each option has the name of its command-line flag; those of ``load_data`` that concern labels are missing.

    Args:
        source: A catalogue name, a file or folder, a hub id, a data frame, a list of dictionaries, (prompts, replies), or a
            list of conversations, each a list of messages.
        text: Column or columns of what is asked, or of whole conversations; if empty, they are guessed, and the receipt notes
            the guess.
        label: Column of the reply; guessed likewise.
        group: Column whose equal values must stay in one split, such as the subject.
        validation: The validation conversations, if they are given apart; ``None`` takes them from the data.
        test: The test conversations, likewise.
        split_seed: Another seed gives another split.
        time: Column by which to divide: training is older than validation, and the test is newest.
        encoding: Of the files, where it is neither UTF-8 nor UTF-16 with a byte-order mark.
        where: Read only rows with this value, such as ``"answer=accept"`` or ``"answer!=reject"``; several must all hold.
        allow_rejects: Continue if over 1 % of the rows cannot be used.
        keep_leaks: Leave conversations that given splits share where they are.
        repair: Drop leaks, and divide again by a group that is found.
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
        "split_seed": split_seed, "time": time, "encoding": encoding, "where": where, "allow_rejects": allow_rejects,
        "keep_leaks": keep_leaks, "repair": repair, "quoting": quoting, "escape": escape, "max_cell": max_cell,
        "max_columns": max_columns, "max_size": max_size,
    }  # fmt: skip
    read, split = read_options(source, columns, options)
    return prepare(source, read, split, given={"validation": validation, "test": test})


def prepare(
    source: Any,
    read: ReadConfig,
    split: SplitConfig,
    *,
    given: Mapping[str, Any] | None = None,
    questions: int | None = None,
    trace: Trace | None = None,
) -> ConversationSet:
    """Take conversations from their source to a ``ConversationSet``.

    Args:
        source: As for ``load_conversations``.
        read: Columns, encoding and bounds.
        split: Shares, seed and time.
        given: Names validation or test conversations of their own.
        questions: About how many conversations validation and test have at most, where they are divided here.
        trace: Receives the stages.
    """
    trace = trace or Trace()
    others = {role: item for role, item in (given or {}).items() if item is not None}
    tables = _read_all({"train" if others else "data": source, **others}, read, trace)
    rows = {role: tuple(item.as_example() for item in table.conversations) for role, table in tables.items()}
    split = _at_most(questions, sum(map(len, rows.values())), split)
    files = tuple(receipt for table in tables.values() for receipt in table.table.files)
    by = _split_by(read, split, is_given="test" in others and "validation" in others)
    try:
        divided, repairs = _divide(rows, split, trace, by=by)
    except DataError as error:
        error.files = error.files or files
        raise
    receipt = replace(_receipt(tables, files, divided, split), repairs=repairs)
    with trace.stage("seal", f"{len(divided.test):,} test conversations") as stage:
        training, seal = seal_splits(divided)
        stage.done, stage.shape_out = "their replies are not read before judging", "0 rows in reach of training"
    found = [item for table in tables.values() for item in table.conversations]
    first = next(iter(tables.values()))
    counts = count_conversations(found, first.form, [table.done for table in tables.values()], split_by=by)
    return ConversationSet(
        TrainingConversations(
            train=tuple(map(Conversation.from_example, training.train)),
            validation=tuple(map(Conversation.from_example, training.validation)),
        ),
        seal,
        receipt,
        counts,
    )


def _at_most(questions: int | None, total: int, split: SplitConfig) -> SplitConfig:
    """Return the shares of validation and test, lower where there are many conversations: each reply takes a second or so."""
    if questions is None or not total:
        return split
    share = questions / total
    return replace(split, validation_share=min(split.validation_share, share), test_share=min(split.test_share, share))


def _read_all(sources: dict[str, Any], config: ReadConfig, trace: Trace) -> dict[str, ConversationTable]:
    shown = next(iter(sources.values()))
    with trace.stage("read", str(shown) if isinstance(shown, (str, Path)) else type(shown).__name__) as stage:
        names, tables = names_apart(sources), dict[str, ConversationTable]()
        for role, item in sources.items():
            tables[role] = read_conversations(item, config, role=role, name=names.get(role), is_further=bool(tables))
        first = next(iter(tables.values()))
        files = [file for table in tables.values() for file in table.table.files]
        rows, used = sum(file.num_rows for file in files), sum(file.num_used for file in files)
        num_found = sum(len(table.conversations) for table in tables.values())
        stage.shape_in = f"{rows:,} rows"
        stage.shape_out = f"{num_found:,} conversations"
        stage.done = f"{first.form}{' (guessed)' if first.form.guessed else ''}; {rows - used:,} rows rejected"
        stage.notes = list(dict.fromkeys(note for table in tables.values() for note in table.table.notes))
        stage.example = "\n".join(f"{turn.role}: {turn.text}" for turn in first.conversations[0].turns)
    return tables


def _split_by(read: ReadConfig, split: SplitConfig, *, is_given: bool) -> str:
    """What decides which conversations are on one side."""
    if is_given:
        return "files"
    if split.time is not None:
        return f"time {split.time!r}"
    return "question" if read.group is None else f"group {read.group!r}"


def _divide(
    rows: dict[str, tuple[Example, ...]], config: SplitConfig, trace: Trace, *, by: str
) -> tuple[Splits, tuple[Repair, ...]]:
    total = sum(map(len, rows.values()))
    with trace.stage("split", f"{total:,} conversations") as stage:
        if config.repair:
            divided, repairs = divide_repaired(rows, lambda parts: split_rows(parts, config, by_name=True))
        else:
            divided, repairs = split_rows(rows, config, by_name=True), ()
        but = ", but for those in which only the names of their groups differ" if by.startswith("group") else ""
        note = (
            f"split by {by}; equal and nearly equal questions stay together{but}" if by != "files" else "split as the files are"
        )
        stage.shape_out = " + ".join(f"{receipt.num_rows:,} {receipt.name}" for receipt in divided.receipts)
        stage.done = (
            f"by {by}: {divided.num_exact_duplicates:,} equal and {divided.num_near_duplicates:,} nearly equal questions "
            "kept in one split" + (f", {len(divided.removed):,} conversations taken out" if divided.removed else "")
        )
        stage.notes = [*divided.notes, *(repair.summary for repair in repairs)]
    return replace(divided, notes=(note, *divided.notes)), repairs


def _receipt(
    tables: Mapping[str, ConversationTable], files: tuple[FileReceipt, ...], divided: Splits, config: SplitConfig
) -> Receipt:
    cleaned = dict[str, int]()
    for table in tables.values():
        control = {f"{name} at an end of a reply": count for name, count in table.done.control.most_common()}
        for what, count in {**table.done.cleaned, **control}.items():
            cleaned[what] = cleaned.get(what, 0) + count
    return receipt_of_splits({role: item.table for role, item in tables.items()}, files, divided, cleaned, config)
