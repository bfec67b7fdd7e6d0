"""Comparing: two runs on the rows that both scored, from their stored predictions alone; no model is loaded."""

from dataclasses import replace
from pathlib import Path

from pretune.data.alike.units import find_copies, with_units
from pretune.data.seal.seal import Seal
from pretune.errors import DataError, StorageError, UsageError
from pretune.evaluate import compare_metrics, score_predictions
from pretune.evaluate.prefer import prefer_compared
from pretune.records import Example, Predictions, RunComparison, Terms
from pretune.run import RunFolder, check_run
from pretune.tasks.classify.baselines import describe_void
from pretune.tasks.places import require_run


def compare(a: str | Path, b: str | Path) -> RunComparison:
    """Say which of two runs is better, and why, on the rows that both scored.

    If both were judged, these are their test rows: their labels and scores are read again, so the ledger counts an
    opening for two models. Otherwise they are the validation rows, which is not a look.

    Args:
        a: A run folder.
        b: Another one.

    Raises:
        UsageError: One is not a run folder or was interrupted, or both are the same.
        DataError: They have no row in common.
        StorageError: The stored predictions of one are damaged.
        LedgerError: The ledger of openings was changed; nothing is read.
    """
    first, second = RunFolder(Path(a)), RunFolder(Path(b))
    if first.path.resolve() == second.path.resolve():
        raise UsageError(f"{a} was given twice", expected="two different runs")
    records = [require_run(place)[1] for place in (a, b)]
    split = "test" if all(record.status == "judged" for record in records) else "validation"
    for folder, record in zip((first, second), records, strict=True):
        check_run(folder, record, "data", f"predictions/{split}.{record.judged_source}.csv")
    judged = zip((first, second), records, strict=True)
    predictions = [folder.read_predictions(split, record.judged_source) for folder, record in judged]
    shared = _shared_rows(first, second, split, predictions)
    examples, look, confidence = _open(first, split)
    names = [folder.name if first.name != second.name else str(folder.path) for folder in (first, second)]
    pair = [_keep(item, shared, name) for item, name in zip(predictions, names, strict=True)]
    positive = records[0].positive if records[0].positive == records[1].positive else None
    terms = Terms(positive=positive, confidence=confidence, look=look or 1)
    terms = with_units(terms, examples, find_copies(examples, records[0].receipt))
    comparisons = compare_metrics(pair[0], pair[1], terms)
    return RunComparison(
        split=split,
        num_examples=len(shared),
        num_rows=tuple(len(item.ids) for item in predictions),
        notes=_notes(split, shared, predictions, first, second),
        look=look,
        preference=prefer_compared(comparisons),
        comparisons=comparisons,
        scores=tuple(score for item in pair for score in score_predictions(item, terms)),
    )


def _shared_rows(a: RunFolder, b: RunFolder, split: str, predictions: list[Predictions]) -> set[str]:
    """Return the ids of rows with the same text: ids alone may name other rows in other data."""
    texts = [_texts(folder, split, item) for folder, item in zip((a, b), predictions, strict=True)]
    shared = {row for row, text in texts[0].items() if texts[1].get(row) == text}
    if not shared:
        raise DataError(
            f"{a.path} and {b.path} have no {split} row in common",
            expected="two runs on the same data and --split-seed",
        )
    return shared


def _texts(folder: RunFolder, split: str, predictions: Predictions) -> dict[str, str]:
    if split == "test":
        texts = Seal.load(*folder.sealed_files(folder.read_record())).texts()
        if len(texts) != len(predictions.ids):
            raise StorageError(
                f"{folder.path} has {len(predictions.ids)} test predictions for {len(texts)} sealed rows",
                expected="one per row",
                fix="judge it again, or make the run again",
            )
        return dict(zip(predictions.ids, texts, strict=True))
    known = {row.id: row.text for row in folder.read_examples(split)}
    return {row: known[row] for row in predictions.ids if row in known}


def _open(folder: RunFolder, split: str) -> tuple[tuple[Example, ...], int | None, float]:
    """Return the rows, which look it is, and the confidence that it allows; on disk before any figure is made."""
    if split != "test":
        return folder.read_examples(split), None, 0.95
    opening = Seal.load(*folder.sealed_files(folder.read_record())).open(run=folder.name, purpose="compare", num_models=2)
    return opening.examples, opening.look, opening.confidence


def _notes(split: str, shared: set[str], predictions: list[Predictions], a: RunFolder, b: RunFolder) -> tuple[str, ...]:
    notes = [note for folder in (a, b) if (note := describe_void(folder)) is not None]
    if split == "validation":
        sealed = " and ".join(folder.name for folder in (a, b) if folder.read_record().status != "judged")
        notes.append(
            f"on validation rows, since {sealed} was not judged: they chose the epoch, so both figures flatter, and a run with "
            "more epochs to choose from is flattered more; `pretune judge` opens the test"
        )
    for folder, item in zip((a, b), predictions, strict=True):
        if len(item.ids) > len(shared):
            common = f"{len(shared):,} of the {len(item.ids):,} {split} rows of {folder.name}"
            notes.append(f"{common} are in both runs; the others are left out")
    return tuple(notes)


def _keep(predictions: Predictions, ids: set[str], source: str) -> Predictions:
    rows = sorted((row, index) for index, row in enumerate(predictions.ids) if row in ids)
    kept = [index for _, index in rows]
    shares = predictions.probabilities
    return replace(
        predictions,
        source=source,
        ids=tuple(row for row, _ in rows),
        labels=tuple(predictions.labels[i] for i in kept),
        predicted=tuple(predictions.predicted[i] for i in kept),
        probabilities=None if shares is None else tuple(shares[i] for i in kept),
    )
