"""Commands that judge, or show a judgement again: judge, audit, compare, report. Heavy imports wait until a command runs."""

import logging
import shlex
from dataclasses import replace
from pathlib import Path

import typer

from pretune.cli import arguments as o
from pretune.cli.conversing import judge_chat
from pretune.cli.logs import reopen_logs, require_logs
from pretune.cli.running import (
    ARGUMENTS,
    EXIT_CODES,
    open_terminal,
    open_trace,
    recompute_run,
    require_policy,
    show_run,
    summarize,
)
from pretune.cli.settings import build_config
from pretune.cli.signature import Flags, takes_flags
from pretune.wording.flags import PLACES

logger = logging.getLogger(__name__)
# Fields of ``AuditConfig`` that are flags of their own name.
AUDIT_FLAGS = (
    "task", "predicted", "score", "score_of", "threshold", "logits", "reference", "hypothesis", "min_bleu", "min_chrf", "margin"
)  # fmt: skip


@takes_flags
def judge(run: o.Run, flags: Flags) -> int:
    """Open the sealed test of a run and judge it.

    Evaluates, diagnoses, gives the verdict and writes the report. Every opening of the same rows is counted. --recompute
    opens nothing: it computes the verdict again from the run's files, which must give the same bytes. --more adds labelled rows
    to the test; those that training has seen, or nearly, are left out.
    """
    require_logs(flags)
    if flags["recompute"]:
        return recompute_run(
            run, [flags[name] or None for name in flags if name in PLACES or name in ("more", "log")], json=flags["json"]
        )
    from pretune.tasks.places import require_data, require_run

    settings, more = build_config(flags).judge, flags["more"]
    folder, known = require_run(run, chats=True)
    if known.task == "converse":
        return judge_chat(folder, flags)
    if more is not None:
        require_data(more)
    require_policy(settings)
    from pretune.tasks.classify.path import judge_run

    logs = reopen_logs(flags, folder, known.configs)
    with open_terminal(flags["json"], flags["quiet"]) as terminal, logs:
        record = judge_run(folder, settings, open_trace(terminal, logs), more=more)
        logs.finish(folder, record)
    return show_run(record, folder, json=flags["json"])


@takes_flags
def audit(predictions: o.Predictions, flags: Flags) -> int:
    """Judge predictions made by any other tool.

    Takes a table of id, label, and score, predicted label or one column per class; or of reference and hypothesis.
    """
    from pretune.tasks.places import require_data

    settings = build_config(flags)
    require_data(predictions, flags["train"], flags["against"])
    require_policy(settings.judge)
    from pretune.cli.show import show, show_json
    from pretune.configs import AuditConfig
    from pretune.report.terminal.text import draw_receipt, draw_run
    from pretune.tasks.audit import Question, audit, write_audit

    own = {name: flags[name] for name in AUDIT_FLAGS}
    config = AuditConfig(**own, id=flags["id_"], seed=settings.seed, read=settings.read, judge=settings.judge)
    question = Question(config=config, train=flags["train"], against=flags["against"], is_sealed=flags["sealed"])
    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        record = replace(audit(predictions, question, open_trace(terminal)), command=shlex.join(ARGUMENTS.get()))
    report = flags["report"]
    if report is not None:
        write_audit(record, Path(report))
    if flags["json"]:
        show_json(summarize(record) | {"report": report})
    else:
        rejected = record.receipt is not None and record.receipt.num_rejected
        show(*([draw_receipt(record.receipt)] if record.receipt and rejected else []), draw_run(record))
        typer.echo(f"wrote {report}" if report else "--report FILE.html writes all this as one page")
    return EXIT_CODES[str(record.verdict.outcome)] if record.verdict else 0


@takes_flags
def plan(flags: Flags) -> int:
    """Say how many test rows a decision takes, before any is labelled.

    From the figures that you expect, the gates and the prevalence: `pretune plan --accuracy 0.9 --gate 0.85`.
    """
    from pretune.cli.planning import make_plan

    found = make_plan(flags)
    if flags["json"]:
        from pretune.cli.show import show_json

        show_json({"schema": 1, **found.to_json()})
    else:
        typer.echo(found.text)
    return 0


@takes_flags
def compare(a: o.Run, b: o.Run, flags: Flags) -> int:
    """Say which of two runs is better on the same rows, and why.

    Compares in pairs: on the test rows that both scored (the ledger counts an opening of them), or on validation if either
    is not judged.
    """
    from pretune.tasks.places import require_run

    for place in (a, b):
        require_run(place)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.text import draw_comparisons, draw_preference, draw_scores
    from pretune.tasks.classify.compare import compare as compare_runs

    found = compare_runs(a, b)
    if flags["json"]:
        show_json(found.to_json())
    else:
        show(draw_scores(found.scores), draw_comparisons(found.comparisons), draw_preference(found))
    return 0


@takes_flags
def report(run: o.Run, flags: Flags) -> int:
    """Write the report of a run again.

    Reads the run folder alone and opens no row.
    """
    from pretune.tasks.places import require_run

    folder, record = require_run(run, languages=True)
    from pretune.cli.show import show_json
    from pretune.tasks.classify.baselines import void_finding
    from pretune.tasks.report import write_report

    void = void_finding(folder)
    path = write_report(folder, record, above=void)
    for finding in void:
        logger.warning(finding.summary)
    if flags["json"]:
        show_json({"schema": 1, "run": folder.name, "report": str(path)})
    else:
        typer.echo(f"wrote {path}")
    return 0
