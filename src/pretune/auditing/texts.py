"""Generated text: BLEU and chrF with their doubt, and paired against another system."""

from typing import Any

from pretune.auditing.question import SOURCE, SPLIT, Question, other_name, shown
from pretune.data import confidence_at
from pretune.data.generated import GeneratedTable, read_generated
from pretune.data.neutral import undo_neutral
from pretune.data.read import read_raw
from pretune.data.table import RawTable
from pretune.errors import UsageError
from pretune.evaluate.generated import compare_generated, score_generated
from pretune.records import Receipt, RunRecord
from pretune.trace import Trace
from pretune.verdict.generated import decide_generated


def audit_texts(raw: RawTable, source: Any, question: Question, trace: Trace) -> RunRecord:
    """Judge hypotheses by their references. Raises what ``audit`` does."""
    _check_flags(question)
    tables = [_read(raw, source, SOURCE, question, trace)]
    if question.against is not None:
        other = undo_neutral(read_raw(question.against, read=question.config.read))
        tables.append(_read(other, question.against, other_name(question.against), question, trace))
    systems = [table.predictions for table in tables]
    confidence = confidence_at(1, len(systems))
    with trace.stage("evaluate", f"{len(systems[0].ids):,} hypotheses") as stage:
        comparisons = compare_generated(systems[0], systems[1], confidence=confidence) if len(systems) > 1 else ()
        scores = tuple(score for system in systems for score in score_generated(system, confidence=confidence))
        stage.notes = [f"{score.metric}: {score.method}" for score in scores if score.source == SOURCE]
    config, files = question.config, tuple(file for table in tables for file in table.files)
    gates = {name: value for name, value in (("bleu", config.min_bleu), ("chrf", config.min_chrf)) if value is not None}
    return RunRecord(
        run="",
        status="",
        task="generate",
        receipt=Receipt(
            source=shown(source),
            files=files,
            columns=tables[0].columns,
            num_rows=sum(file.num_rows for file in files),
            num_used=sum(file.num_used for file in files),
            num_rejected=sum(len(file.rejected) for file in files),
            notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
        ),
        scores=scores,
        comparisons=comparisons,
        verdict=decide_generated(scores, comparisons, gates),
    )


def _read(raw: RawTable, source: Any, name: str, question: Question, trace: Trace) -> GeneratedTable:
    with trace.stage("read", shown(source)) as stage:
        table = read_generated(raw, question.config, source=name, split=SPLIT)
        stage.notes, stage.shape_out = list(table.notes), f"{len(table.predictions.ids):,} rows"
    return table


def _check_flags(question: Question) -> None:
    judge = question.config.judge
    unfit = {
        "--train": question.train, "--sealed": question.is_sealed, "--positive": judge.positive, "--goal": judge.goal,
        "--policy": judge.policy, "--min-precision": judge.min_precision, "--min-recall": judge.min_recall,
        "--min-accuracy": judge.min_accuracy, "--threshold": question.config.threshold,
    }  # fmt: skip
    given = [flag for flag, value in unfit.items() if value is not None and value is not False]
    if given:
        raise UsageError(
            f"{', '.join(given)} with generated text", expected="--min-bleu, --min-chrf or --against",
            fix="leave it out; with --task classify the table is read as one of classes",
        )  # fmt: skip
