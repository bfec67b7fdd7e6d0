"""Passes over all documents, in blocks that any number of processes may work on."""

from collections import Counter
from pathlib import Path

from pretune.configs import MAX_REJECTED_SHARE, CorpusConfig
from pretune.data.corpus.blocks import Message, in_blocks, pack_texts, ranges_of
from pretune.data.corpus.boilerplate import RepeatedLines, limit_of
from pretune.data.corpus.draft import EMPTY, SHORT, Draft
from pretune.data.corpus.intake import MAX_CHARACTERS, Documents, Intake
from pretune.data.corpus.minhash import minima_of
from pretune.data.corpus.sources import Source
from pretune.data.corpus.spool import Spool, SpoolWriter
from pretune.data.corpus.workers import Workers
from pretune.errors import DataError
from pretune.run.trace import Trace

_CUT = f"cut into parts of {MAX_CHARACTERS:,} characters"


def read_all(source: Source, config: CorpusConfig, workers: Workers, scratch: Path, trace: Trace) -> Draft:
    """Read and clean every document, and count the lines that may be boilerplate.

    Raises:
        DataError: A file cannot be read, or more documents than may be.
    """
    intakes: list[Intake] = []
    changed: Counter[str] = Counter()
    lines = RepeatedLines()
    num_files = f"{len(source.parts):,} file{'s' * (len(source.parts) > 1)}"
    with trace.stage("read", f"{source.name}: {num_files}") as stage, SpoolWriter(scratch / "cleaned") as writer:
        blocks = in_blocks(_documents(source, config, intakes))
        for answer in workers.map("clean", map(pack_texts, blocks)):
            writer.write_block(answer.arrays["data"].tobytes(), answer.arrays["sizes"])
            changed.update(answer.values["changed"])
            lines.add(answer.arrays["lines"])
            trace.progress("read", writer.num_texts, 0, "documents")
        writer.close()
        draft = _draft(source, intakes, lines, changed, scratch)
        _check_intakes(draft, config)
        lines.limit = limit_of(config.boilerplate, draft.num_documents)
        stage.done = f"{draft.num_unreadable:,} could not be read"
        stage.shape_out = f"{draft.num_documents:,} documents, {draft.spool.num_bytes:,} bytes once cleaned"
        stage.example = " ".join(next(draft.spool.texts(), "")[:200].split())
        stage.notes.extend(draft.notes)
    return draft


def describe_all(draft: Draft, config: CorpusConfig, workers: Workers, trace: Trace) -> None:
    """Drop boilerplate lines and what is empty or too short; hash words and texts, and find the keys of near duplicates."""
    place = draft.scratch / "lines"
    draft.lines.write(place)
    num_minima = 0 if config.near_duplicate_threshold is None else minima_of(config.near_duplicate_threshold)
    common = {"spool": str(draft.spool.path), "lines": str(place), "limit": draft.lines.limit, "num_minima": num_minima}
    blocks = list(ranges_of(draft.spool.starts))
    messages = (Message({**common, "first": first, "last": last}) for first, last in blocks)
    with trace.stage("clean", f"{len(draft.spool):,} documents") as stage:
        with (draft.scratch / "hashes").open("wb") as hashes, (draft.scratch / "keys").open("wb") as keys:
            for (first, last), answer in zip(blocks, workers.map("describe", messages), strict=True):
                hashes.write(answer.arrays["hashes"].astype("<u8").tobytes())
                keys.write(answer.arrays["keys"].astype("<u4").tobytes())
                draft.exact[first:last], draft.sizes[first:last] = answer.arrays["exact"], answer.arrays["words"]
                draft.is_trimmed[first:last] = answer.arrays["trimmed"]
                draft.fate[first:last][answer.arrays["empty"]] = EMPTY
                trace.progress("clean", last, len(draft.spool), "documents")
        draft.fate[(draft.fate != EMPTY) & (draft.sizes < config.min_words)] = SHORT
        if num_trimmed := int(draft.is_trimmed.sum()):
            draft.changed["boilerplate lines"] = num_trimmed
        changed = ", ".join(f"{what} {count:,}" for what, count in draft.changed.most_common())
        stage.done = f"changed: {changed or 'nothing'}; {len(draft.spool) - draft.num_kept:,} empty or too short dropped"
        stage.shape_out = f"{draft.num_kept:,} documents"
        stage.notes.append(_boilerplate_rule(draft))


def _documents(source: Source, config: CorpusConfig, intakes: list[Intake]) -> Documents:
    """Yield the documents of all files; a file of a folder that cannot be read is counted."""
    for part in source.parts:
        intake = Intake(part.origin, config)
        intakes.append(intake)
        try:
            yield from intake.counted(part.read(intake))
        except DataError as error:
            if not source.is_folder:
                raise
            intake.reject(None, error.got.removeprefix(f"{part.origin.shown}: "))


def _draft(source: Source, intakes: list[Intake], lines: RepeatedLines, changed: Counter[str], scratch: Path) -> Draft:
    num_cut = sum(intake.num_cut for intake in intakes)
    if num_cut:
        changed[_CUT] = num_cut
    return Draft(
        name=source.name,
        licence=source.licence,
        scratch=scratch,
        files=tuple(intake.receipt() for intake in intakes),
        spool=Spool(scratch / "cleaned"),
        lines=lines,
        num_given=sum(intake.num_documents for intake in intakes if intake.origin.role == "validation"),
        num_unreadable=sum(intake.num_rejected for intake in intakes),
        changed=changed,
        notes=[*source.notes, *(note for intake in intakes for note in intake.notes)],
    )


def _check_intakes(draft: Draft, config: CorpusConfig) -> None:
    if not len(draft.spool) and not draft.num_unreadable:
        raise DataError(
            f"{draft.name} is empty: {len(draft.files):,} file{'s' * (len(draft.files) > 1)} without a document",
            expected="text",
            fix="check that it was written and copied in full",
        )
    rejected = [rejection for file in draft.files for rejection in file.rejected]
    is_whole_file = any(rejection.row is None for rejection in rejected)
    is_dirty = bool(rejected) and (is_whole_file or _share(draft) > MAX_REJECTED_SHARE)
    if len(draft.spool) and (config.allow_rejects or not is_dirty):
        return
    first = rejected[0]
    where = (
        first.file
        + (f", row {first.row}" if first.row is not None else "")
        + (f", column {first.column!r}" if first.column else "")
    )
    raise DataError(
        f"{draft.num_unreadable:,} of {draft.num_documents:,} documents of {draft.name} cannot be read; "
        f"the first is {where}: {first.reason}",
        expected="readable text" + ("" if is_whole_file else f" in all but {MAX_REJECTED_SHARE:.0%} of the documents"),
        fix="repair or remove them, or pass --allow-rejects to continue without them",
    )


def _share(draft: Draft) -> float:
    return draft.num_unreadable / draft.num_documents


def _boilerplate_rule(draft: Draft) -> str:
    limit = draft.lines.limit
    return (
        f"boilerplate: lines of three or more words that occur in {limit:,} documents or more"
        if limit
        else "no line is boilerplate"
    )
