"""Prepare: read, clean, drop what repeats, drop what the test has, hold out, and put the rest on disk."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from pretune import storage
from pretune.configs import CorpusConfig
from pretune.data.corpus.contamination import find_contaminated, hash_sealed
from pretune.data.corpus.corpus import FOLDER, Corpus, load_corpus
from pretune.data.corpus.draft import CONTAMINATED, EMPTY, EXACT, NEAR, SHORT, Draft
from pretune.data.corpus.hold_out import choose_held_out
from pretune.data.corpus.near import find_near
from pretune.data.corpus.passes import describe_all, read_all
from pretune.data.corpus.sketch import SHARED
from pretune.data.corpus.sources import Source, find_source
from pretune.data.corpus.workers import Workers
from pretune.data.corpus.write import write_corpus
from pretune.errors import DataError
from pretune.run.trace import Trace


def prepare_corpus(
    source: str | Path,
    config: CorpusConfig | None = None,
    folder: Path | None = None,
    *,
    sealed: Iterable[str] = (),
    trace: Trace | None = None,
) -> Corpus:
    """Make a corpus to pre-train on from raw text.

    Every document is read, cleaned, and dropped where it is empty, too short, repeats one before it (exactly or nearly), or
    shares text with a sealed test; about one in a hundred of the rest is held out. What comes out is a function of the
    source and the config. Texts are never held: they go through files in ``folder``.

    Args:
        source: A catalogue name, a file (text, JSON lines, CSV, each also ``.gz``, or Parquet), a folder of such files, a
            folder or id of the ``datasets`` package, or ``-`` for standard input.
        config: How.
        folder: Where to put it: ``data`` of a run. What was there of a corpus is replaced once the new one is whole.
        sealed: Texts of a known test; documents that share 13 words in a row with one, or hold a shorter one, are dropped.
        trace: Receives the stages.

    Raises:
        DataError: The source is not what can be read, or nothing is left of it; the message says of what file, and why.
        StorageError: The disk refused, or a process died.
    """
    config, trace, target = config or CorpusConfig(), trace or Trace(), folder or Path("data")
    found = _sources(source, config)
    for note in found.notes:
        trace.note(note)
    storage.make_folder(target)
    storage.sweep(target)
    with storage.scratch(target / "scratch") as scratch:
        with Workers(config.workers) as workers:
            draft = read_all(found, config, workers, scratch, trace)
            describe_all(draft, config, workers, trace)
        _drop_duplicates(draft, config, trace)
        _drop_contaminated(draft, tuple(sealed), trace)
        _hold_out(draft, config, trace)
        with trace.stage("keep", f"{draft.num_kept:,} documents") as stage:
            storage.replace(target / FOLDER, partial(write_corpus, draft, config))
            corpus = load_corpus(target)
            receipt = corpus.receipt
            stage.done = (
                f"texts, digests, and a sketch of every eight words in a row of {corpus.num_texts('train'):,} documents"
            )
            stage.shape_out = (
                f"{receipt.num_kept:,} documents, {receipt.num_words:,} words, {receipt.num_characters:,} characters"
            )
    return corpus


def _sources(source: str | Path, config: CorpusConfig) -> Source:
    """The source, with the file of held-out documents, if there is one, before it."""
    main = find_source(source, config)
    if config.validation is None:
        return main
    given = find_source(config.validation, config, role="validation")
    kept = tuple(part for part in main.parts if part.origin.role != "validation")
    return Source(name=main.name, parts=(*given.parts, *kept), licence=main.licence, notes=main.notes, is_folder=main.is_folder)


def _drop_duplicates(draft: Draft, config: CorpusConfig, trace: Trace) -> None:
    threshold = config.near_duplicate_threshold
    with trace.stage("duplicates", f"{draft.num_kept:,} documents") as stage:
        rows = draft.kept()
        _, first = np.unique(draft.exact[rows], return_index=True)
        repeats = np.ones(len(rows), dtype=np.bool_)
        repeats[first] = False
        draft.drop(rows[repeats], EXACT)
        if threshold is not None:
            near = find_near(draft.keys(), draft.kept(), draft.words(), threshold=threshold)
            draft.drop(np.flatnonzero(near.repeats), NEAR)
            draft.near = {"compared": near.num_compared, "near": near.num_near, "largest": near.largest}
            stage.notes.append(
                f"{near.num_compared:,} pairs shared a key and were compared; {near.num_near:,} were near "
                f"(Jaccard ≥ {threshold:g}); the largest cluster has {near.largest:,} documents"
            )
        stage.done = f"{draft.count(EXACT):,} exact and {draft.count(NEAR):,} near duplicates dropped"
        stage.shape_out = f"{draft.num_kept:,} documents"


def _drop_contaminated(draft: Draft, sealed: tuple[str, ...], trace: Trace) -> None:
    with trace.stage("contamination", f"{draft.num_kept:,} documents, {len(sealed):,} sealed texts") as stage:
        if sealed:
            found = find_contaminated(draft.words(), hash_sealed(sealed))
            draft.drop(np.flatnonzero(found & (draft.fate == 0)), CONTAMINATED)
            stage.done = (
                f"{draft.count(CONTAMINATED):,} dropped that share {SHARED} words in a row with one, or contain a short one"
            )
        else:
            stage.done = "no test is known yet; the sketch of the corpus can tell later which test rows it contains"
        stage.shape_out = f"{draft.num_kept:,} documents"


def _hold_out(draft: Draft, config: CorpusConfig, trace: Trace) -> None:
    if draft.num_kept < 2:
        counted = ", ".join(f"{count:,} {reason}" for reason, count in draft.dropped().items())
        raise DataError(
            f"{draft.name}: {draft.num_kept} of {draft.num_documents:,} documents "
            + ("is left" if draft.num_kept == 1 else "are left")
            + (f" ({counted})" if counted else ""),
            expected="at least two documents: one to learn from, one to hold out",
            fix=_advice(draft, config),
        )
    with trace.stage("hold out", f"{draft.num_kept:,} documents") as stage:
        given = np.flatnonzero(draft.fate[: draft.num_given] == 0)
        held = given if draft.num_given else choose_held_out(draft.exact, draft.kept(), config.validation_share)
        if not 0 < len(held) < draft.num_kept:
            raise DataError(
                f"{draft.name}: {len(held):,} of the {draft.num_kept:,} remaining documents are held out",
                expected="documents to learn from, and some to hold out",
                fix="check that the file of held-out documents and the corpus are not the same, and not both empty",
            )
        draft.is_held[held] = True
        stage.done = "those of the validation file" if draft.num_given else "those whose text has the smallest hash"
        stage.shape_out = f"train {draft.num_kept - len(held):,}, validation {len(held):,}"


def _advice(draft: Draft, config: CorpusConfig) -> str:
    if draft.count(EMPTY) + draft.count(SHORT) > draft.num_documents / 2 and draft.num_documents > 1:
        return f"check the file and its column; documents under {config.min_words} words are dropped (--set corpus.min_words=1)"
    if draft.num_documents == 1 and config.document != "line":
        return "pass --document line if every line is a document"
    return "add text"
