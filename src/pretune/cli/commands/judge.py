"""What judges, or shows a judgement again: judge, audit, compare, report. Heavy imports wait until a command runs."""

import logging
import shlex
from dataclasses import replace
from pathlib import Path

import typer

from pretune.cli import options as o
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
from pretune.cli.settings import build_config, flags_of

logger = logging.getLogger(__name__)


def judge(
    run: o.Run, positive: o.Positive = None, goal: o.Goal = None, keep: o.Keep = None, cost: o.Cost = None,
    min_precision: o.MinPrecision = None,
    min_recall: o.MinRecall = None, min_accuracy: o.MinAccuracy = None, policy: o.PolicyFile = None,
    thorough: o.Thorough = False, recompute: o.Recompute = False, json: o.Json = False, quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> int:  # fmt: skip
    """Open the sealed test of a run, and judge.

    Evaluate, diagnose, give the verdict, write the report. Every opening of the same rows is counted. With --recompute
    nothing is opened: the verdict is computed again from the files of the run, and must come out the same to the byte.
    """
    if recompute:
        others = [positive, goal, keep, cost, min_precision, min_recall, min_accuracy, policy, thorough or None]
        return recompute_run(run, others, json=json)
    from pretune.tasks.places import require_run

    settings = build_config(flags_of(locals())).judge
    folder, _ = require_run(run)
    require_policy(settings)
    from pretune.tasks.classify.path import judge_run

    with open_terminal(json, quiet) as terminal:
        record = judge_run(folder, settings, open_trace(terminal))
    return show_run(record, folder, json=json)


def audit(
    predictions: o.Predictions, train: o.TrainFile = None, against: o.Against = None, sealed: o.Sealed = False,
    id_: o.IdColumn = None, label: o.Label = None, predicted: o.PredictedColumn = None, score: o.ScoreColumn = None,
    score_of: o.ScoreOf = None, threshold: o.Threshold = None, logits: o.Logits = False, text: o.Text = None,
    group: o.Group = None,
    reference: o.ReferenceColumn = None, hypothesis: o.HypothesisColumn = None, task: o.Task = None,
    encoding: o.Encoding = None,
    quoting: o.Quoting = None, escape: o.Escape = None, max_cell: o.MaxCell = None, max_columns: o.MaxColumns = None,
    max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, where: o.Where = None, merge_labels: o.MergeLabels = False,
    positive: o.Positive = None, goal: o.Goal = None, cost: o.Cost = None,
    min_precision: o.MinPrecision = None, min_recall: o.MinRecall = None, min_accuracy: o.MinAccuracy = None,
    min_bleu: o.MinBleu = None, min_chrf: o.MinChrf = None, policy: o.PolicyFile = None, seed: o.Seed = None,
    report: o.ReportFile = None,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Judge predictions made by any other tool.

    A table of id, label, and score, predicted label or one column per class; or of reference and hypothesis.
    """
    from pretune.tasks.places import require_data

    settings = build_config(flags_of(locals()))
    require_data(predictions, train, against)
    require_policy(settings.judge)
    from pretune.cli.show import show, show_json
    from pretune.configs import AuditConfig
    from pretune.report.terminal.text import draw_receipt, draw_run
    from pretune.tasks.audit import Question, audit, write_audit

    config = AuditConfig(
        task=task, id=id_, predicted=predicted, score=score, score_of=score_of, threshold=threshold, logits=logits,
        reference=reference, hypothesis=hypothesis, min_bleu=min_bleu, min_chrf=min_chrf, seed=settings.seed,
        read=settings.read, judge=settings.judge,
    )  # fmt: skip
    question = Question(config=config, train=train, against=against, is_sealed=sealed)
    with open_terminal(json, quiet) as terminal:
        record = replace(audit(predictions, question, open_trace(terminal)), command=shlex.join(ARGUMENTS.get()))
    if report is not None:
        write_audit(record, Path(report))
    if json:
        show_json(summarize(record) | {"report": report})
    else:
        rejected = record.receipt is not None and record.receipt.num_rejected
        show(*([draw_receipt(record.receipt)] if record.receipt and rejected else []), draw_run(record))
        typer.echo(f"wrote {report}" if report else "--report FILE.html writes all of it as one page")
    return EXIT_CODES[str(record.verdict.outcome)] if record.verdict else 0


def compare(a: o.Run, b: o.Run, json: o.Json = False, debug: o.Debug = False) -> int:
    """Say which of two runs is better, and why, on the same rows.

    Paired, on the test rows that both scored (the ledger counts an opening of them), or on validation where one is not judged.
    """
    from pretune.tasks.places import require_run

    for place in (a, b):
        require_run(place)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.text import draw_comparisons, draw_preference, draw_scores
    from pretune.tasks.classify.compare import compare as compare_runs

    found = compare_runs(a, b)
    if json:
        show_json(found.to_json())
    else:
        show(draw_scores(found.scores), draw_comparisons(found.comparisons), draw_preference(found))
    return 0


def report(run: o.Run, json: o.Json = False, debug: o.Debug = False) -> int:
    """Write the report of a run again.

    From the run folder alone; no row is opened.
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
    if json:
        show_json({"schema": 1, "run": folder.name, "report": str(path)})
    else:
        typer.echo(f"wrote {path}")
    return 0
