"""The command that puts a classifier behind HTTP. Heavy imports wait until it runs."""

import typer

from pretune.cli import arguments as a
from pretune.cli.show import show_json
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def serve(model: a.Served, flags: Flags) -> int:
    """Serve a classifier over HTTP: POST /predict, a page to try it, probes and metrics.

    MODEL is a run, a model folder or an export. Answers are those of `pretune predict`. Listens on this machine alone unless
    --host says otherwise; Ctrl-C or SIGTERM ends it once everything that was accepted is answered.
    """
    from pretune.production.serve.limits import Limits
    from pretune.production.serve.path import PORT, Asked, open_server
    from pretune.report.live.loopback import HOST
    from pretune.tasks.places import is_chat, require_classifier

    if is_chat(model):
        raise UsageError(f"{model} is a chat model", expected="a classifier", fix=f"`pretune chat {model} --web` serves it")
    require_classifier(model, linear=True, exports=True)
    given = {"max_batch": "batch", "delay": "delay", "max_waiting": "queue", "max_texts": "max_texts", "max_chars": "max_chars"}
    limits = Limits(**{name: flags[flag] for name, flag in given.items() if flags[flag] is not None})
    asked = Asked(
        where=model,
        host=flags["host"] or HOST,
        port=PORT if flags["port"] is None else flags["port"],
        limits=limits,
        token_file=flags["token_file"],
        log_texts=flags["log_texts"],
        threads=flags["threads"],
        is_watched=not flags["no_watch"],
    )
    server = open_server(asked, lambda text: typer.echo(text, err=True))
    if flags["json"]:
        show_json({"schema": 1, "model": model, "url": server.url})
    else:
        typer.echo(f"{model} answers at {server.url} (Ctrl-C ends)", err=True)
    return server.answer()
