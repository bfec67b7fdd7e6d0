"""Reference: the sealed test as it was judged, which the texts of production are held against. Reading it again is no look."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from pretune import storage
from pretune.data.alike.duplicates import words_in
from pretune.data.seal.seal import recall_opening
from pretune.errors import StorageError, UsageError
from pretune.hashing import digest_of, fold
from pretune.production.watch.compared import Bools
from pretune.production.watch.measured import Measure, Measured, confidence_of
from pretune.records import Example, Predictions, Receipt, RunRecord
from pretune.run import RunFolder
from pretune.tasks.classify.predict import Answering
from pretune.tasks.places import model_in

CACHE = "reference.json"
FOLDER = "watch"  # in the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a run was judged on.

    Args:
        measured: The test in numbers.
        labels: Of the test's texts.
        texts: Of the test.
        others: Texts of validation, from which a classifier learns what the test looks like.
        classes: In the order of their numbers.
        positive: The class that is looked for.
        num_drawn: Rows that the test's shares of classes stand for, where the split was stratified.
        measure: Measures other texts in the same way.
    """

    measured: Measured
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    others: tuple[str, ...]
    classes: tuple[str, ...]
    positive: str | None
    num_drawn: int | None
    measure: Measure

    def worth_of_test(self, is_hit: Bools) -> float:
        """Return how many independent rows each of the test's is worth, for the share of hits.

        A stratified split gives the test the classes of all rows, so its share varies only as far as rows of one class differ,
        and as the classes of all rows do.

        Source:
            Cochran (1977), Sampling techniques, chapter 5 (stratified random sampling with proportional allocation).
        """
        share, size = float(is_hit.mean()), len(is_hit)
        if self.num_drawn is None or share in (0.0, 1.0):
            return 1.0
        _, strata = np.unique(np.array(self.labels), return_inverse=True)
        sizes, hits = np.bincount(strata).astype(float), np.bincount(strata, is_hit).astype(float)
        within = float((hits * (sizes - hits) / sizes).sum()) / size
        whole = share * (1 - share)
        return whole / (within + (whole - within) * size / self.num_drawn)


def read_reference(folder: RunFolder, record: RunRecord, answering: Answering) -> Reference:
    """Return what a run was judged on; the answers are those that the model gives today, kept for the next time.

    Raises:
        UsageError: The run was not judged.
        StorageError: A file of the run is missing or damaged.
    """
    if record.verdict is None or record.receipt is None:
        raise UsageError(
            f"{folder.path} has no verdict: it is {record.status}",
            expected="a judged run, whose test production is held against",
            fix=f"`pretune judge {folder.path}`",
        )
    rows, _ = recall_opening(folder.sealed_files(record), folder.openings, record.ledger_head)
    train = folder.read_examples("train")
    counts = Counter(word for row in train for word in words_in(fold(row.text)))
    tokenizer = model_in(folder.path) / "tokenizer.json"
    has_tokens = record.judged_source != "linear" and tokenizer.is_file()
    measure = Measure(counts=counts, classes=answering.classes, tokenizer=tokenizer if has_tokens else None)
    columns, answers = dict.fromkeys(name for row in rows for name in row.extra), _answers(folder, rows, answering)
    return Reference(
        measured=measure(rows, answers.predicted, confidence_of(answers), columns),
        labels=tuple(str(row.label) for row in rows),
        texts=tuple(row.text for row in rows),
        others=tuple(row.text for row in folder.read_examples("validation")),
        classes=answering.classes,
        positive=record.positive,
        num_drawn=_num_drawn(record.receipt),
        measure=measure,
    )


def _answers(folder: RunFolder, rows: tuple[Example, ...], answering: Answering) -> Predictions:
    """Return what the model answers to the test, as `pretune predict` does; kept until model or test change."""
    about = digest_of([answering.digest(), [[row.id, row.text] for row in rows], version("pretune")])
    path = folder.path / FOLDER / CACHE
    try:
        kept: dict[str, Any] = storage.read_json(path) if path.is_file() else {}
    except StorageError:
        kept = {}
    if kept.get("about") == about:
        return Predictions.from_json(kept["answers"])
    answers = answering.ask(rows)
    with suppress(StorageError):  # where nothing may be written, the test is answered each time
        storage.replace_json(path, {"schema": 1, "about": about, "answers": answers.to_json()})
    return answers


def _num_drawn(receipt: Receipt) -> int | None:
    """Return how many rows were split, where each class has its share of the test to the row; else nothing."""
    splits = {split.name: split for split in receipt.splits}
    if "test" not in splits or receipt.columns.group is not None:
        return None
    total, test = sum(split.num_rows for split in receipt.splits), splits["test"]
    for label in {label for split in receipt.splits for label in split.labels}:
        rows = sum(split.labels.get(label, 0) for split in receipt.splits)
        if abs(test.labels.get(label, 0) - rows * test.num_rows / total) > 1:
            return None
    return total
