"""Questions to data and to a model: check, evaluate, predict, trace. Heavy imports wait until a command runs."""

from typing import Annotated

import typer

from pretune.cli import options as o
from pretune.cli.running import open_terminal, open_trace
from pretune.cli.settings import build_config, flags_of
from pretune.errors import UsageError
from pretune.records import PredictionTrace


def check(
    data: o.Data, text: o.Text = None, label: o.Label = None, group: o.Group = None, validation: o.ValidationFile = None,
    test: o.TestFile = None, split_seed: o.SplitSeed = None, encoding: o.Encoding = None,
    quoting: o.Quoting = None, escape: o.Escape = None, max_cell: o.MaxCell = None, max_columns: o.MaxColumns = None,
    max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, where: o.Where = None, merge_labels: o.MergeLabels = False,
    keep_leaks: o.KeepLeaks = False, repair: o.Repair = False, json: o.Json = False, quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> int:  # fmt: skip
    """Read and diagnose the data only.

    Receipt, duplicates, conflicts, leakage, imbalance; nothing is written, no test row is scored.
    """
    from pretune.tasks.places import require_data

    require_data(data, validation, test)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.repairs import draw_repair
    from pretune.report.terminal.text import draw_findings, draw_receipt
    from pretune.tasks.classify.check import check_data
    from pretune.tasks.classify.repair import unrepaired

    settings = build_config(flags_of(locals()))
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
    quoting: o.Quoting = None, escape: o.Escape = None, max_cell: o.MaxCell = None, max_columns: o.MaxColumns = None,
    max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, where: o.Where = None, merge_labels: o.MergeLabels = False, json: o.Json = False,
    quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Score other labelled data; this counts as a look.

    The figures of these rows are shown, so the ledger counts an opening of them.
    """
    from pretune.tasks.places import require_classifier, require_data, require_order

    require_order(run, data)
    require_classifier(run)
    require_data(data)
    from pretune.asking import evaluate_on
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.text import draw_comparisons, draw_confusion, draw_scores

    settings = build_config(flags_of(locals()))
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
    encoding: o.Encoding = None,
    quoting: o.Quoting = None, escape: o.Escape = None, max_cell: o.MaxCell = None, max_columns: o.MaxColumns = None,
    max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, keep: o.KeepColumns = None, output: o.OutputFile = None,
    overwrite: o.OverwriteFile = False, json: o.Json = False, quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> int:  # fmt: skip
    """Predict labels and probabilities for texts.

    Texts are arguments, a file, or the lines of standard input; with --json the answer is JSON lines. Every row of a file has
    one answer, in order; with --output they go to a file, and the same command resumes one that was cut off.
    """
    from pretune.cli import predicting

    reading = {
        "text": column, "encoding": encoding, "quoting": quoting, "escape": escape, "max_cell": max_cell,
        "max_columns": max_columns, "allow_rejects": allow_rejects,
    }  # fmt: skip
    settings = build_config(reading)
    kept = tuple(keep.split(",")) if keep else ()
    if file is None:
        unused = {"--output": output, "--keep": keep, "--text": column, "--encoding": encoding}
        return predicting.predict_texts(run, text, [name for name, value in unused.items() if value], json=json)
    if text:
        raise UsageError("texts and --file were both given", expected="one of them", fix="leave one out")
    request = predicting.Request(file=file, keep=kept, output=output, overwrite=overwrite)
    return predicting.predict_file(run, request, settings.read, json=json, quiet=quiet)


def trace(
    run: o.Followed = None,
    text: Annotated[str | None, typer.Argument(help="The text to follow.", metavar="TEXT", show_default=False)] = None,
    mask: o.Mask = None, json: o.Json = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Follow one text through the layers.

    Tokens → embeddings → each layer → head → decision. With --mask, the words that a language model would guess after each
    layer; without RUN those of the newest pre-training run.
    """
    if (mask is None) == (text is None) or (mask is None and run is None):
        raise UsageError(
            "both TEXT and --mask were given" if mask is not None else "RUN or TEXT is missing",
            expected="RUN and TEXT, or --mask",
            fix='`pretune trace RUN "a text"`, or `pretune trace RUN --mask "the [MASK] rises"`; see `pretune trace --help`',
        )
    from pretune.tasks.places import require_classifier, require_start

    if mask is None:
        require_classifier(str(run))
    else:
        require_start(run)
    from pretune.asking import follow_text, guess_words
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.traces import draw_prediction
    from pretune.report.terminal.words import draw_words

    found = follow_text(str(run), str(text)) if mask is None else guess_words(run, mask)
    if json:
        show_json(found.to_json())
    else:
        show(draw_prediction(found) if isinstance(found, PredictionTrace) else draw_words(found))
    return 0
