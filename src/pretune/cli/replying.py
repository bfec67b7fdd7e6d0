"""What predict, evaluate and trace do with a chat model. Heavy imports wait until one of them runs."""

import sys
from collections.abc import Mapping
from json import dumps
from typing import TYPE_CHECKING, Any

from pretune.cli.running import open_terminal, open_trace
from pretune.cli.show import show, show_json
from pretune.cli.streams import refusal_of
from pretune.errors import UsageError
from pretune.report.words import one_line

if TYPE_CHECKING:
    from pretune.configs import ReadConfig


def predict_chat(run: str, texts: list[str] | None, read: "ReadConfig", flags: Mapping[str, Any]) -> int:
    """Reply to arguments, to the lines of standard input as they come, or to every row of a file.

    Raises:
        UsageError: There is no text, or flags do not fit each other.
    """
    file, output = flags["file"], flags["output"]
    if file is not None:
        if texts:
            raise UsageError("texts and --file were both given", expected="one of them")
        return _reply_to_file(run, read, flags)
    if output or flags["kept"]:
        raise UsageError(
            f"{'--output' if output else '--keep'} without --file", expected="both, or neither", fix="add --file FILE"
        )
    from pretune.tasks.converse.ask import open_model, reply_to

    lines = [line for line in texts or (line.rstrip("\n") for line in sys.stdin) if line.strip()]
    if not lines:
        raise UsageError("no text: every line is empty", expected="at least one text", fix='`pretune predict RUN "a question"`')
    model = open_model(run)
    for line in lines:
        found = reply_to(model, line)
        shown = dumps({"schema": 1, "text": line, "reply": found.text, "ended": found.ended}) if flags["json"] else found.text
        sys.stdout.write(f"{shown}\n")
        if refusal_of(sys.stdout) is not None:
            break
    return 0


def _reply_to_file(run: str, read: "ReadConfig", flags: Mapping[str, Any]) -> int:
    from pretune.tasks.classify.predict import check_output
    from pretune.tasks.converse.ask import reply_to_file

    output = flags["output"]
    if output is not None:
        check_output(output)
    with open_terminal(flags["json"] and output is None, flags["quiet"]) as terminal:
        rows = reply_to_file(run, flags["file"], read, output, overwrite=flags["overwrite"], trace=open_trace(terminal))
    if output is not None:
        print(f"wrote {one_line(output)}: {len(rows):,} replies")  # noqa: T201
        return 0
    for row in rows:
        sys.stdout.write(f"{dumps(row) if flags['json'] else row['reply']}\n")
        if refusal_of(sys.stdout) is not None:
            break
    return 0


def evaluate_chat(run: str, data: str, read: "ReadConfig", *, json: bool, quiet: bool) -> int:
    """Score a chat model on other conversations; a look at them, and counted."""
    from pretune.report.terminal.conversation import draw_figures
    from pretune.tasks.converse.ask import evaluate_on
    from pretune.tasks.places import require_data

    require_data(data)
    with open_terminal(json, quiet) as terminal:
        evaluation = evaluate_on(run, data, read, open_trace(terminal))
    if json:
        show_json({"run": run, **evaluation.to_json()})
    else:
        show(draw_figures(evaluation.scores, title="Given"))
    return 0


def trace_chat(run: str, text: str, *, json: bool) -> int:
    """Follow one question through a chat model."""
    from pretune.report.terminal.conversation import draw_reply
    from pretune.report.terminal.words import draw_words
    from pretune.tasks.converse.ask import follow

    found = follow(run, text)
    if json:
        show_json(found.to_json())
    else:
        show(draw_words(found.words), draw_reply(found))
    return 0
