"""More: further labelled test rows for a trained run, sealed with the first ones and judged together with them."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from pretune.configs import ReadConfig
from pretune.configs.data import NEAR_THRESHOLD
from pretune.data.alike.duplicates import find_duplicates
from pretune.data.alike.units import find_copies, sample_of
from pretune.data.clean import clean_examples
from pretune.data.labels.classes import check_known
from pretune.data.read.path import read_table
from pretune.data.read.table import Table
from pretune.data.seal.learned import Learned, look_back
from pretune.data.seal.seal import Seal, TrainingData
from pretune.errors import DataError
from pretune.hashing import fingerprint, fold
from pretune.records import Example, More, Receipt, RunRecord
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.wording.counts import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Further rows of a test, as they are about to be sealed.

    Args:
        part: The rows alone.
        whole: The first rows and these.
        more: What became of the rows that came in.
        receipt: Of the run, with these rows accounted for.
    """

    part: Seal
    whole: Seal
    more: More
    receipt: Receipt

    def add_to(self, record: RunRecord) -> RunRecord:
        """Return the record with these rows."""
        return replace(record, more=(*record.more, self.more), receipt=self.receipt)

    def save(self, folder: RunFolder) -> None:
        """Seal the rows beside the first ones."""
        self.part.save(folder.data / self.more.file)


def read_more(
    source: Any, folder: RunFolder, record: RunRecord, training: TrainingData, learned: Learned, trace: Trace
) -> Addition:
    """Read further labelled rows; take out what training has seen, or nearly, and what the test has already.

    Args:
        source: Whatever ``read_table`` reads, by the columns of the run.
        folder: Of the run.
        record: Of the run.
        training: Its training and validation rows.
        learned: From what the model has learned.
        trace: Receives the stage.

    Raises:
        DataError: They cannot be read, have a class that the model does not know, or none is left.
    """
    receipt, first = record.receipt, Seal.load(*folder.sealed_files(record))
    if receipt is None:
        raise DataError(f"{folder.path} has no receipt", expected="a run that kept the columns of its data", fix="run it again")
    number = len(record.more) + 1
    with trace.stage("read more", str(source)) as stage:
        table = _read(source, record.settings.read, receipt, f"more-{number}")
        rows, _ = clean_examples(table.examples)
        check_known(rows, record.classes, table.source)
        kept, num_seen, num_held = _keep_new(rows, first, training, learned, receipt)
        said = (
            f"of {counted(len(rows), 'further row')} {num_seen:,} were seen in training or validation, or nearly, and "
            f"{num_held:,} are in the test already: {len(kept):,} are sealed with the first {first.num_rows:,}"
        )
        stage.done, stage.shape_out, stage.notes = said, f"{first.num_rows + len(kept):,} test rows", list(table.notes)
    if not kept:
        raise DataError(
            f"no row of {table.source} is new: {said.partition(':')[0]}",
            expected="labelled rows that neither training nor the test has",
            fix="label others; `pretune judge` without --more judges the rows that are sealed",
        )
    part = Seal(kept)
    file = f"more-{number}.sealed.jsonl"
    more = More(file=file, source=table.source, num_rows=len(kept), num_seen=num_seen, num_held=num_held, digest=part.digest)
    whole, note = Seal.joined(first, part), f"further test rows from {table.source}: {said}"
    receipt = _account(receipt, table, kept, whole, len(rows) - len(kept), note)
    return Addition(part=part, whole=whole, more=more, receipt=receipt)


def _read(source: Any, config: ReadConfig, receipt: Receipt, name: str) -> Table:
    columns = receipt.columns
    config = replace(config, text=columns.text, label=columns.label, group=columns.group)
    base = str(source).rpartition("/")[2] if isinstance(source, str) else "row"
    return read_table(source, config, role="test", name=f"{name}/{base}", is_further=True)


def _keep_new(
    rows: tuple[Example, ...], first: Seal, training: TrainingData, learned: Learned, receipt: Receipt
) -> tuple[tuple[Example, ...], int, int]:
    """Return the rows that are new, how many training has seen, and how many the test has."""
    known = (*training.train, *training.validation)
    threshold = receipt.near_duplicate_threshold or NEAR_THRESHOLD
    found = find_duplicates([row.text for row in (*known, *rows)], threshold=threshold)
    numbers = found.folded if receipt.are_near_copies_apart else found.component
    seen, own = set(numbers[: len(known)].tolist()), numbers[len(known) :].tolist()
    groups = {row.group for row in known} - {None}
    past = look_back(learned, [row.text for row in rows])
    prints = {*past.exact, *past.near}
    held = {fold(text) for text in first.texts()}
    kept, num_seen, num_held = list[Example](), 0, 0
    for row, number in zip(rows, own, strict=True):
        if number in seen or row.group in groups or fingerprint(row.text) in prints:
            num_seen += 1
        elif fold(row.text) in held:
            num_held += 1
        else:
            kept.append(row)
    return tuple(kept), num_seen, num_held


def _account(receipt: Receipt, table: Table, rows: tuple[Example, ...], whole: Seal, num_removed: int, note: str) -> Receipt:
    """Put the further rows on the receipt; the user labelled them, so counting their classes is no look."""
    numbered = [Example(id=str(number), text=text) for number, text in enumerate(whole.texts())]
    num_texts = sample_of(numbered, find_copies(numbered, receipt)).num_texts
    before = next(item for item in receipt.splits if item.name == "test")
    labels = Counter(before.labels) + Counter(str(row.label) for row in rows)
    test = replace(
        before, num_rows=whole.num_rows, labels=dict(sorted(labels.items())), digest=whole.digest, num_texts=num_texts
    )
    return replace(
        receipt,
        files=(*receipt.files, *table.files),
        num_rows=receipt.num_rows + sum(file.num_rows for file in table.files),
        num_used=receipt.num_used + sum(file.num_used for file in table.files),
        num_rejected=receipt.num_rejected + sum(len(file.rejected) for file in table.files),
        num_filtered=receipt.num_filtered + sum(file.num_filtered for file in table.files),
        num_removed=receipt.num_removed + num_removed,
        splits=tuple(test if item.name == "test" else item for item in receipt.splits),
        notes=(*receipt.notes, note),
    )
