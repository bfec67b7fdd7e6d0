"""Commands that question data or a model: check, evaluate, predict, trace. Heavy imports wait until a command runs."""

from pretune.cli import arguments as a, replying
from pretune.cli.checking import check_talks
from pretune.cli.conversing import is_conversation
from pretune.cli.running import open_terminal, open_trace
from pretune.cli.settings import build_config
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError
from pretune.records import PredictionTrace


@takes_flags
def check(data: a.Data, flags: Flags) -> int:
    """Read and diagnose the data only.

    Shows the receipt, duplicates, conflicts, leakage and imbalance; of conversations also their form, repeated questions and
    replies, and control tokens. Writes nothing and scores no test row.
    """
    from pretune.data.read.glance import read_if_lacking
    from pretune.tasks.places import require_data

    settings = build_config(flags)
    require_data(data, flags["validation"], flags["test"])
    if is_conversation(data, flags):
        return check_talks(data, settings, flags)
    read_if_lacking(data, settings.read)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.repairs import draw_repair
    from pretune.report.terminal.text import draw_findings, draw_receipt
    from pretune.tasks.classify.check import check_data
    from pretune.tasks.classify.repair import unrepaired

    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        before = check_data(data, unrepaired(settings), open_trace(terminal)) if flags["repair"] else None
        receipt, findings = check_data(data, settings, open_trace(terminal))
    if flags["json"]:
        value = {"schema": 1, "data": receipt.to_json(), "findings": [finding.to_json() for finding in findings]}
        show_json(value if before is None else value | {"findings_before": [finding.to_json() for finding in before[1]]})
    else:
        show(draw_receipt(receipt), draw_findings(findings))
        if before is not None:
            show(draw_repair(receipt, before[1], findings))
    return 0


@takes_flags
def evaluate(run: a.Trained, data: a.Data, flags: Flags) -> int:
    """Score other labelled data (counts as a look at those rows).

    Shows figures of these rows, so the ledger counts an opening of them.
    """
    from pretune.tasks.places import is_chat, require_classifier, require_data, require_order

    require_order(run, data)
    if is_chat(run):
        return replying.evaluate_chat(run, data, build_config(flags).read, json=flags["json"], quiet=flags["quiet"])
    require_classifier(run)
    require_data(data)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.text import draw_comparisons, draw_confusion, draw_scores
    from pretune.tasks.ask import evaluate_on

    settings = build_config(flags)
    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        evaluation, receipt, positive = evaluate_on(run, data, settings.read, open_trace(terminal))
    if flags["json"]:
        show_json({"run": run, "positive": positive, **evaluation.to_json(), "data": receipt.to_json()})
    else:
        show(draw_scores(evaluation.scores, positive=positive), draw_confusion(evaluation.confusions[0]))
        if evaluation.comparisons:
            show(draw_comparisons(evaluation.comparisons))
    return 0


@takes_flags
def predict(run: a.Trained, text: a.Texts = None, *, flags: Flags) -> int:
    """Predict labels and probabilities for texts; of a chat model, its replies.

    Texts are arguments, a file, or the lines of standard input; --json prints JSON lines. Every row of a file gets one
    answer, in order; --output writes the answers to a file, and the same command resumes an interrupted one.
    """
    from pretune.cli import predicting
    from pretune.tasks.places import is_chat

    settings = build_config({**flags, "text": flags["column"]})
    if is_chat(run):
        return replying.predict_chat(run, text, settings.read, flags)
    file, kept = flags["file"], tuple(flags["kept"].split(",")) if flags["kept"] else ()
    if file is None:
        unused = {"--output": flags["output"], "--keep": kept, "--text": flags["column"], "--encoding": flags["encoding"]}
        return predicting.predict_texts(run, text, [name for name, value in unused.items() if value], json=flags["json"])
    if text:
        raise UsageError("texts and --file were both given", expected="one of them")
    request = predicting.Request(file=file, keep=kept, output=flags["output"], overwrite=flags["overwrite"])
    return predicting.predict_file(run, request, settings.read, json=flags["json"], quiet=flags["quiet"])


@takes_flags
def trace(run: a.Followed = None, text: a.Text = None, *, flags: Flags) -> int:
    """Follow one text through the layers.

    Shows tokens → embeddings → each layer → head → decision; of a chat model the first word of the reply, then the reply.
    With --mask, shows the words that a language model would guess after each layer; RUN defaults to the newest pre-training
    run.
    """
    mask = flags["mask"]
    if (mask is None) == (text is None) or (mask is None and run is None):
        raise UsageError(
            "both TEXT and --mask were given" if mask is not None else "RUN or TEXT is missing",
            expected="RUN and TEXT, or --mask",
            fix='`pretune trace RUN "a text"`, or `pretune trace RUN --mask "the [MASK] rises"`; see `pretune trace --help`',
        )
    from pretune.tasks.places import is_chat, require_classifier, require_start

    if mask is None and is_chat(str(run)):
        return replying.trace_chat(str(run), str(text), json=flags["json"])
    if mask is None:
        require_classifier(str(run))
    else:
        require_start(run)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.traces import draw_prediction
    from pretune.report.terminal.words import draw_words
    from pretune.tasks.ask import follow_text, guess_words

    found = follow_text(str(run), str(text)) if mask is None else guess_words(run, mask)
    if flags["json"]:
        show_json(found.to_json())
    else:
        show(draw_prediction(found) if isinstance(found, PredictionTrace) else draw_words(found))
    return 0
