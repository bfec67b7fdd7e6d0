"""Questions to a run: evaluate and trace. Answers to texts are in ``tasks.classify.predict``."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.alike.units import find_copies, with_units
from pretune.data.clean import clean_examples, clean_text
from pretune.data.labels.classes import align_labels, check_known
from pretune.data.read.path import read_table
from pretune.data.read.table import Table
from pretune.data.seal.known import known_rows
from pretune.data.seal.ledger import record_opening
from pretune.errors import DataError, StorageError, UsageError
from pretune.evaluate import evaluate_sources
from pretune.evaluate.baselines import majority, prior
from pretune.hashing import fingerprint
from pretune.intervals import confidence_at
from pretune.models import load_language_model
from pretune.predict.masked import follow_words
from pretune.records import Evaluation, Example, FileReceipt, PredictionTrace, Receipt, Terms, WordTrace
from pretune.report.receipts import describe_rejection
from pretune.run import RunFolder, check_run
from pretune.run.trace import Trace
from pretune.tasks.classify.baselines import RESTORED, open_linear
from pretune.tasks.classify.encoder_linear import open_encoder_linear
from pretune.tasks.classify.load import load_model
from pretune.tasks.classify.predict import predict_texts, read_texts

__all__ = ["evaluate_on", "follow_text", "guess_words", "predict_texts", "read_texts"]

logger = logging.getLogger(__name__)


def evaluate_on(run: str, source: Any, config: ReadConfig, trace: Trace) -> tuple[Evaluation, Receipt, str | None]:
    """Score other labelled data, beside the run's own baselines; a look at these rows, and counted."""
    model, folder, main = load_model(run), RunFolder(Path(run)), "finetuned"
    if folder.is_begun:
        main = folder.read_record().judged_source
        names = (f"predictions/validation.{source}.csv" for source in ("linear", "encoder_linear"))
        check_run(folder, folder.read_record(), "data", "linear", "encoder_linear", *names)
    table = align_labels(_read_as_the_run_did(source, config, folder), model.card_.classes, merge=config.merge_labels)
    rows, cleaned = clean_examples(table.examples)
    for note in (*table.notes, *_describe_rejected(table.files), *_describe_trained(rows, folder)):
        trace.note(note)
    check_known(rows, model.card_.classes, table.source)
    texts = [row.text for row in rows]
    known = known_rows(texts).describe()
    opened = open_linear(folder) if folder.is_begun else None
    encoder_linear = open_encoder_linear(folder, model.device_, trace) if folder.is_begun else None
    # Nothing is shown before the look is counted, and what may fail comes first: a crash costs no look, as in judging.
    sources = [model.predictions(rows, "given", trace=trace)]
    if opened is not None:
        labels = [str(row.label) for row in folder.read_examples("train")]
        sources += [guess(labels, rows, split="given", classes=model.card_.classes) for guess in (majority, prior)]
        if opened.is_restored:
            trace.note(RESTORED)
        sources.append(opened.model.predict(rows, split="given", classes=model.card_.classes))
        if encoder_linear is not None:
            sources.append(encoder_linear.predict(rows, split="given", classes=model.card_.classes, trace=trace))
    if all(item.source != main for item in sources):
        trace.note(f"{main}, which was judged, cannot be opened: the figures are of the fine-tuned model")
        main = "finetuned"
    entry = record_opening(texts, run=folder.name, purpose="evaluate")
    trace.note(f"look {entry.look} at these rows, counted in the ledger" + (f"; {known}" if known else ""))
    terms = Terms(positive=model.card_.positive, confidence=confidence_at(entry.look), look=entry.look)
    evaluation = evaluate_sources(sources, with_units(terms, rows, find_copies(rows)), main=main)
    receipt = Receipt(
        source=table.source,
        files=table.files,
        columns=table.columns,
        num_rows=sum(f.num_rows for f in table.files),
        num_used=len(rows),
        num_rejected=sum(len(f.rejected) for f in table.files),
        num_filtered=sum(f.num_filtered for f in table.files),
        num_cleaned=cleaned,
        notes=table.notes,
    )
    return evaluation, receipt, model.card_.positive


def _read_as_the_run_did(source: Any, config: ReadConfig, folder: RunFolder) -> Table:
    """Read by the columns of the run, where none are named and the file has them; else guess them again."""
    receipt = folder.read_record().receipt if folder.is_begun else None
    if receipt is None or config.text or config.label:
        return read_table(source, config)
    try:
        return read_table(source, replace(config, text=receipt.columns.text, label=receipt.columns.label))
    except DataError:
        return read_table(source, config)


def _describe_trained(rows: Sequence[Example], folder: RunFolder) -> list[str]:
    """Say how many of the rows the run was trained on: their figures are better than those of new rows."""
    if not folder.is_begun:
        return []
    known = {fingerprint(row.text) for row in folder.read_examples("train")}
    num_known = sum(fingerprint(row.text) in known for row in rows)
    return [f"{num_known:,} of the {len(rows):,} rows were trained on: their figures flatter the model"] if num_known else []


def follow_text(run: str, text: str) -> PredictionTrace:
    """Follow one text through the layers; a run folder keeps what was seen in its ``trace.jsonl``."""
    found, folder = load_model(run).trace(text), RunFolder(Path(run))
    if folder.is_begun:
        try:
            Trace(folder.trace).prediction(found)
        except StorageError as error:  # a run that is on a read-only disk, or somebody else's
            logger.warning("this trace is not kept: %s", error.got)
    return found


def guess_words(model: str | None, prompt: str) -> WordTrace:
    """Follow the guesses of a language model for each ``[MASK]``, or for the next word, through its layers.

    Args:
        model: A pre-training run, a folder with a model, or a name; ``None`` takes the newest pre-training run in ``runs/``.
        prompt: With ``[MASK]`` where a word is hidden; for a causal model the beginning of a text.

    Raises:
        UsageError: No model is named and none is there, or nothing is hidden.
        ModelLoadError: It is no language model.
    """
    name = model or _newest_language_model()
    start = load_language_model(name)
    note = f"{start.note}: until it is pre-trained, its guesses mean nothing" if start.has_fresh_head else start.note
    return replace(follow_words(start.network, start.tokenizer, clean_text(prompt)), model=name, note=note)


def _newest_language_model() -> str:
    for path in sorted(Path("runs").glob("*/run.json"), key=lambda path: (path.stat().st_mtime, path), reverse=True):
        if RunFolder(path.parent).read_record().status == "pretrained":
            return str(path.parent)
    raise UsageError(
        "no model is named, and runs/ has no pre-trained one",
        expected="a language model: a run of `pretune pretrain`, a folder, or a name such as smollm2",
        fix='`pretune trace RUN --mask "the sun rises in the [MASK]"`',
    )


def _describe_rejected(files: tuple[FileReceipt, ...]) -> list[str]:
    return [f"left out: {describe_rejection(item)}" for file in files for item in file.rejected]
