"""Audit: classes or generated text, then the record of what was found."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.data.foreign.generated import looks_generated
from pretune.records import RunRecord
from pretune.report.page.html import render_html
from pretune.run.trace import Trace
from pretune.tasks.audit.classes import audit_classes
from pretune.tasks.audit.opening import open_table
from pretune.tasks.audit.question import Question, name_of, shown
from pretune.tasks.audit.texts import audit_texts


def audit(source: Any, question: Question | None = None, trace: Trace | None = None) -> RunRecord:
    """Judge a table of predictions: figures with intervals, baselines, findings, slices and the verdict.

    Args:
        source: A file (CSV, TSV, JSON lines, Parquet, each also ``.gz``) or a data frame: of id, label and score, or
            predicted label, or one column per class; or of id, reference and hypothesis.
        question: What is asked; the default guesses all columns.
        trace: Where stages and notes are told.

    Returns:
        The record of a run, though there is no run folder; ``source`` of the judged figures is ``audited``.

    Raises:
        DataError: The table, or the training rows, cannot be used; one message.
        UsageError: A policy, goal, gate or positive class that does not exist, or a flag that does not fit the table.
    """
    question, trace, start = question or Question(), trace or Trace(), time.perf_counter()
    raw = open_table(source, question.config.read)
    make = audit_texts if looks_generated(raw, question.config) else audit_classes
    return replace(
        make(raw, source, question, trace),
        run=name_of(source),
        status="judged",
        command="pretune audit",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_source=shown(source),
        model_source="predictions made elsewhere",
        seconds={"audit": round(time.perf_counter() - start, 2)},
    )


def write_audit(record: RunRecord, path: Path) -> None:
    """Write the report of an audit as one HTML file."""
    storage.replace(path, render_html(record))
