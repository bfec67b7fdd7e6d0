"""The command that writes a model for other tools. Heavy imports wait until it runs."""

import typer

from pretune.cli import arguments as a
from pretune.cli.running import open_terminal, open_trace
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError, require


@takes_flags
def export(run: a.Run, flags: Flags) -> int:
    """Write a chat model as GGUF, for llama.cpp and what is built on it, or its LoRA adapters, for peft.

    Reads what was written back, and asks it and the judged model the same validation questions. `RUN/model` itself loads in
    plain transformers and needs no export.
    """
    from pretune.models.formats.forms import FORMS, KINDS
    from pretune.tasks.places import require_run

    kind, form = flags["to"] or KINDS[0], flags["form"] or FORMS[0]
    if kind not in KINDS:
        raise UsageError(
            f"--to {kind}", expected=" or ".join(KINDS), fix="use RUN/model for transformers: it is a folder that loads there"
        )
    if kind == "lora" and flags["form"]:
        raise UsageError(
            f"--precision {form} with --to lora", expected="one of them: adapters are written as they were learned"
        )
    if form not in FORMS:
        raise UsageError(f"--precision {form}", expected="one of " + ", ".join(FORMS))
    folder, record = require_run(run, chats=True)
    if record.task != "converse":
        raise UsageError(
            f"{run} is a classifier", expected="a run on conversations", fix="RUN/model loads in plain transformers as it is"
        )
    require("gguf" if kind == "gguf" else "peft", extra=kind)
    from pretune.cli.show import show_json
    from pretune.tasks.converse.export import export_gguf
    from pretune.tasks.converse.export_lora import export_lora

    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        trace = open_trace(terminal)
        about = export_gguf(folder, form=form, trace=trace) if kind == "gguf" else export_lora(folder, trace=trace)
    if flags["json"]:
        show_json(about)
    else:
        same, losses = about["same_replies"], (about["loss"], about["loss_exported"])
        typer.echo(f"wrote {about['file']}, {about['bytes'] / 1e6:,.1f} MB")
        if kind == "lora":
            typer.echo(f"load it with peft on top of {about['base']}")
        typer.echo(f"{same:.0%} of {about['questions']} replies are the same; loss {losses[0]:.4f}, exported {losses[1]:.4f}")
    return 0
