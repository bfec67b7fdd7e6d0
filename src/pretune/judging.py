"""Judging: open the seal once, then evaluate, diagnose, decide and report."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pretune import storage
from pretune.configs import JudgeConfig
from pretune.data import Opening, Seal, TrainingData
from pretune.diagnose import diagnose
from pretune.estimators import TextClassifier
from pretune.evaluate import choose_positive, evaluate_sources, groups_of
from pretune.records import Evaluation, Evidence, Example, Finding, Predictions, RunRecord
from pretune.report.card import render_card
from pretune.report.html import render_html
from pretune.runs import RunFolder
from pretune.trace import Trace
from pretune.verdict import Policy, decide, load_policy

# Training rows scored to measure the gap to validation; more would cost time and change the gap by under a point.
GAP_ROWS = 2_000
# Who predicts on every split.
SOURCES = ("finetuned", "majority", "linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A fitted model with its linear baseline, what it was trained on, and the rows it will be judged by."""

    model: TextClassifier
    training: TrainingData
    seal: Seal


def read_policy(config: JudgeConfig) -> Policy:
    """Return the policy that a config names.

    Raises:
        UsageError: It cannot be read, or a goal or gate does not exist.
    """
    return load_policy(
        Path(config.policy) if config.policy else None,
        goal=config.goal,
        min_precision=config.min_precision,
        min_recall=config.min_recall,
        min_accuracy=config.min_accuracy,
    )


def open_and_judge(candidate: Candidate, record: RunRecord, config: JudgeConfig, folder: RunFolder, trace: Trace) -> RunRecord:
    """Open the sealed test, which is counted before any figure is shown, and take the run to its verdict."""
    start, policy = time.perf_counter(), read_policy(config)
    labels = [str(row.label) for row in candidate.training.train]
    positive = choose_positive(labels, config.positive) if config.positive else record.positive
    known = _score_known(candidate, folder, trace)
    opening = _open(candidate.seal, folder, trace)
    tested = _score_test(candidate, opening, folder, trace)
    groups = groups_of((*opening.examples, *candidate.training.validation))
    evaluation = evaluate_sources(
        tested, main="finetuned", positive=positive, look=opening.look, confidence=opening.confidence, groups=groups
    )
    given = [item for item in known if item.split == "validation"]
    validated = evaluate_sources(given, main="finetuned", positive=positive, groups=groups)
    evidence = Evidence(
        classes=candidate.training.classes,
        positive=positive,
        train=candidate.training.train,
        validation=candidate.training.validation,
        test=opening.examples,
        predictions=(*known, *tested),
        history=record.history,
        receipt=record.receipt,
        token_counts=record.token_counts,
    )
    findings = _diagnose(evidence, evaluation, trace)
    with trace.stage("judge", f"{len(evaluation.scores)} figures, {len(findings)} findings") as stage:
        verdict = decide(evaluation, findings, policy, positive=positive, look=opening.look)
        held = sum(reason.holds is True for reason in verdict.reasons)
        stage.done = f"{held} of {len(verdict.reasons)} conditions hold, policy {policy.name!r}"
        stage.shape_out = str(verdict.outcome).replace("_", " ")
    record = replace(
        record,
        status="judged",
        positive=positive,
        scores=(*evaluation.scores, *validated.scores),
        comparisons=evaluation.comparisons,
        confusions=(*evaluation.confusions, *validated.confusions),
        findings=findings,
        verdict=verdict,
        look=opening.look,
        ledger_head=opening.head,
        first_known_look=opening.first_known,
        seconds={**record.seconds, "judging": round(time.perf_counter() - start, 1)},
    )
    folder.write_record(record)
    with trace.stage("report", f"run {record.run}") as stage:
        stage.shape_out = "report.html, README.md"
    write_report(folder, record)
    return record


def write_report(folder: RunFolder, record: RunRecord) -> Path:
    """Draw ``report.html`` and the model card from the run folder; nothing is computed, no row is opened."""
    storage.replace(folder.report, render_html(record, folder.read_events()))
    storage.replace(folder.card, render_card(record))
    return folder.report


def _score_known(candidate: Candidate, folder: RunFolder, trace: Trace) -> tuple[Predictions, ...]:
    """Return predictions for what is not sealed: validation, as scored after training, and a fixed sample of training."""
    rows = candidate.training.train
    with trace.stage("score training", f"{len(rows):,} training texts") as stage:
        chosen = np.random.default_rng(0).permutation(len(rows))[:GAP_ROWS]
        sample = candidate.model.predictions([rows[index] for index in sorted(chosen)], "train", trace=trace)
        folder.write_predictions(sample)
        stage.done = "a fixed sample with dropout off, for the gap to validation"
        stage.shape_out = f"{len(sample.ids):,} × {len(sample.classes)} probabilities"
    return (sample, *(folder.read_predictions("validation", source) for source in SOURCES))


def _open(seal: Seal, folder: RunFolder, trace: Trace) -> Opening:
    with trace.stage("open the seal", f"{seal.num_rows:,} sealed rows") as stage:
        opening = seal.open(run=folder.name, purpose="judge", copy=folder.openings)
        stage.done = f"look {opening.look}" + (", the first known" if opening.first_known else "") + ", in the ledger"
        stage.shape_out = f"{seal.num_rows:,} test texts; intervals at {opening.confidence:.4g}"
    return opening


def _score_test(candidate: Candidate, opening: Opening, folder: RunFolder, trace: Trace) -> tuple[Predictions, ...]:
    rows, model = opening.examples, candidate.model
    with trace.stage("evaluate", f"{len(rows):,} test texts") as stage:
        tested = (model.predictions(rows, "test", trace=trace), *model.baselines(candidate.training, rows, "test"))
        for item in tested:
            folder.write_predictions(item)
        stage.done = f"{', '.join(SOURCES)} on the same rows"
        stage.shape_out = f"{len(rows):,} × {len(candidate.training.classes)} logits → probabilities → decisions"
        stage.example = _describe_decision(model, rows[0])
    return tested


def _diagnose(evidence: Evidence, evaluation: Evaluation, trace: Trace) -> tuple[Finding, ...]:
    with trace.stage("diagnose", f"{len(evaluation.scores)} figures, {len(evidence.predictions)} sets of predictions") as stage:
        findings = diagnose(evidence, evaluation)
        counts = Counter(str(finding.severity).replace("_", " ") for finding in findings)
        stage.done = ", ".join(f"{count} {severity}" for severity, count in counts.items())
        stage.shape_out = f"{len(findings)} findings"
    return findings


def _describe_decision(model: TextClassifier, row: Example) -> str:
    values = ", ".join(f"{value:.2f}" for value in model.logits([row.text])[0].tolist())
    return f"{row.text[:60]} → logits {values} → {model.predict([row.text])[0]} (label {row.label})"
