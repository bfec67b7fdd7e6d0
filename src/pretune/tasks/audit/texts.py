"""Generated text: figures with their uncertainty, paired with another system and with replies that need no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pretune.data.foreign.generated import GeneratedTable, read_generated
from pretune.data.foreign.pairs import PromptPairs, read_pairs
from pretune.data.read.table import RawTable
from pretune.errors import UsageError
from pretune.evaluate.generated import compare_counted, in_order_of, score_counted
from pretune.evaluate.matches import count_texts
from pretune.evaluate.rivals import CONSTANT, RETRIEVAL, reply_always, reply_nearest
from pretune.evaluate.subject import compare_subject, find_subjects, score_subject
from pretune.intervals import confidence_at
from pretune.records import Comparison, Predictions, Receipt, RunRecord, Score
from pretune.run.trace import Trace
from pretune.tasks.audit.opening import open_further
from pretune.tasks.audit.question import AUDITED, SPLIT, Question, other_name, shown
from pretune.verdict.generated import decide_generated


@dataclass(frozen=True, slots=True)
class _Figures:
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]


def audit_texts(raw: RawTable, source: Any, question: Question, trace: Trace) -> RunRecord:
    """Judge hypotheses by their references. Raises what ``audit`` does."""
    _check_flags(question)
    tables = [_read(raw, source, AUDITED, question, trace)]
    if question.against is not None:
        other = open_further(question.against, question.config.read)
        tables.append(_read(other, question.against, other_name(question.against), question, trace))
    pairs = None if question.train is None else _read_train(tables[0], question, trace)
    systems = [table.predictions for table in tables]
    figures = _evaluate(systems, _rivals(tables[0], pairs, question.config.seed, trace), tables[0], pairs, trace)
    config = question.config
    files = (*(file for table in tables for file in table.files), *([pairs.receipt] if pairs is not None else []))
    gates = {name: value for name, value in (("bleu", config.min_bleu), ("chrf", config.min_chrf)) if value is not None}
    notes = (*(note for table in tables for note in table.notes), *(pairs.notes if pairs is not None else ()))
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
            num_filtered=sum(file.num_filtered for file in files),
            notes=tuple(dict.fromkeys(notes)),
        ),
        scores=figures.scores,
        comparisons=figures.comparisons,
        verdict=decide_generated(figures.scores, figures.comparisons, gates, rivals=(CONSTANT, RETRIEVAL)),
    )


def _read(raw: RawTable, source: Any, name: str, question: Question, trace: Trace) -> GeneratedTable:
    with trace.stage("read", shown(source)) as stage:
        table = read_generated(raw, question.config, source=name, split=SPLIT)
        stage.notes, stage.shape_out = list(table.notes), f"{len(table.predictions.ids):,} rows"
        if len(set(table.predictions.predicted)) == 1:
            stage.notes.append(f"{name} gives the same reply to every row")
    return table


def _read_train(judged: GeneratedTable, question: Question, trace: Trace) -> PromptPairs:
    with trace.stage("read training", shown(question.train)) as stage:
        raw = open_further(question.train, question.config.read, role="train")
        pairs = read_pairs(raw, question.config.read, prompt=judged.prompt, reply=str(judged.columns.label))
        stage.notes, stage.shape_out = list(pairs.notes), f"{len(pairs.prompts):,} pairs"
    return pairs


def _rivals(judged: GeneratedTable, pairs: PromptPairs | None, seed: int, trace: Trace) -> list[Predictions]:
    """Answer as anyone could: always the same, and as the nearest question of training was answered."""
    wanted = judged.predictions
    with trace.stage("baseline", f"{len(wanted.ids):,} rows") as stage:
        rivals = [reply_always(wanted, pairs.replies if pairs is not None else list(map(str, wanted.labels)), seed=seed)]
        if pairs is None:
            stage.notes = ["without --train, the constant reply is one of the references themselves, and there is no retrieval"]
        elif judged.prompt is None:
            stage.notes = ["without a prompt column, there is no retrieval; --text COL names one"]
        else:
            nearest = reply_nearest(wanted, judged.prompts, pairs.prompts, pairs.replies)
            rivals += [nearest] if nearest is not None else []
        stage.done = ", ".join(rival.source for rival in rivals)
    return rivals


def _evaluate(
    systems: Sequence[Predictions],
    rivals: Sequence[Predictions],
    judged: GeneratedTable,
    pairs: PromptPairs | None,
    trace: Trace,
) -> _Figures:
    """Score all, and compare the judged system: with the other one on both figures, with the rivals on chrF."""
    confidence, main = confidence_at(1, len(systems)), systems[0]
    systems = [main, *(in_order_of(main, other) for other in systems[1:])]
    with trace.stage("evaluate", f"{len(main.ids):,} hypotheses") as stage:
        own, others, anyone = count_texts(main), [*map(count_texts, systems[1:])], [*map(count_texts, rivals)]
        compared = [item for other in others for item in compare_counted(own, other, confidence=confidence)]
        for rival in anyone:
            compared += compare_counted(own, rival, metrics=("chrf",), confidence=confidence)
        scores = [score for one in (own, *others, *anyone) for score in score_counted(one, confidence=confidence)]
        texts = [*map(str, main.labels), *((*pairs.prompts, *pairs.replies) if pairs is not None else ())]
        subjects = find_subjects(judged.prompts, texts) if judged.prompts else []
        found = compare_subject(main, subjects, confidence=confidence) if subjects else None
        if found is not None:
            scores += [item for one in (*systems, *rivals) if (item := score_subject(one, subjects, confidence=confidence))]
            scores.append(found[0])
            compared.append(found[1])
        stage.notes = [f"{score.metric}: {score.method}" for score in scores if score.source == AUDITED]
    return _Figures(tuple(scores), tuple(compared))


def _check_flags(question: Question) -> None:
    judge = question.config.judge
    unfit = {
        "--sealed": question.is_sealed,
        "--positive": judge.positive,
        "--goal": judge.goal,
        "--policy": judge.policy,
        "--min-precision": judge.min_precision,
        "--min-recall": judge.min_recall,
        "--min-accuracy": judge.min_accuracy,
        "--min-pr-area": judge.min_pr_area,
        "--min-class-recall": judge.min_class_recall,
        "--min-slice-accuracy": judge.min_slice_accuracy,
        "--at-precision": judge.at_precision,
        "--max-alerts": judge.max_alerts,
        "--prevalence": judge.prevalence,
        "--max-cost": judge.max_cost,
        "--max-calibration-error": judge.max_calibration_error,
        "--margin": question.config.margin,
        "--threshold": question.config.threshold,
    }
    given = [flag for flag, value in unfit.items() if value is not None and value is not False]
    if given:
        raise UsageError(
            f"{', '.join(given)} with generated text",
            expected="--min-bleu, --min-chrf, --against or --train",
            fix="leave it out, or pass --task classify to read the table as predicted classes",
        )
