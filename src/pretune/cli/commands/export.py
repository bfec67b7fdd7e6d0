"""The command that writes a model for other tools. Heavy imports wait until it runs."""

import typer

from pretune.cli import arguments as a
from pretune.cli.running import open_terminal, open_trace
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def export(run: a.Run, flags: Flags) -> int:
    """Write a chat model as GGUF, for llama.cpp and what is built on it.

    Reads the file back and asks it and the judged model the same validation questions. `RUN/model` itself loads in plain
    transformers and needs no export.
    """
    from pretune.models.formats.forms import FORMS
    from pretune.optional import require
    from pretune.tasks.places import require_run

    kind, form = flags["to"] or "gguf", flags["form"] or FORMS[0]
    if kind != "gguf":
        raise UsageError(f"--to {kind}", expected="gguf", fix="RUN/model is a folder that plain transformers loads")
    if form not in FORMS:
        raise UsageError(f"--precision {form}", expected="one of " + ", ".join(FORMS))
    folder, record = require_run(run, chats=True)
    if record.task != "converse":
        raise UsageError(
            f"{run} is a classifier", expected="a run on conversations", fix="RUN/model loads in plain transformers as it is"
        )
    require("gguf", extra="gguf")
    from pretune.cli.show import show_json
    from pretune.tasks.converse.export import export_gguf

    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        about = export_gguf(folder, form=form, trace=open_trace(terminal))
    if flags["json"]:
        show_json(about)
    else:
        same, losses = about["same_replies"], (about["loss"], about["loss_exported"])
        typer.echo(f"wrote {about['file']}, {about['bytes'] / 1e6:,.0f} MB")
        typer.echo(f"{same:.0%} of {about['questions']} replies are the same; loss {losses[0]:.4f}, exported {losses[1]:.4f}")
    return 0
