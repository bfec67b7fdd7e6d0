"""Output of `pretune export`: what was written, and how it answers beside the model. Heavy imports wait until it runs."""

from typing import TYPE_CHECKING

import typer

from pretune.cli.running import open_terminal, open_trace
from pretune.cli.show import show_json
from pretune.cli.signature import Flags
from pretune.errors import UsageError, require

if TYPE_CHECKING:
    from pretune.records import JudgedExport
    from pretune.run import RunFolder


def export_classes(folder: "RunFolder", form: str, flags: Flags) -> int:
    """Export a classifier; return the exit code.

    Raises:
        UsageError: The run has no model that can be exported, or the form has another verdict.
    """
    from pretune.tasks.classify.export.needs import require_exportable, require_libraries

    require_exportable(folder)
    require_libraries(form)
    from pretune.tasks.classify.export.path import export_classifier

    with open_terminal(flags["json"], flags["quiet"]) as terminal:
        trace = open_trace(terminal)
        judged = export_classifier(folder, form=form, is_loss_accepted=flags["accept_loss"], trace=trace)
    if flags["json"]:
        show_json({"folder": str(folder.path / "export" / form), **judged.to_json()})
    else:
        _tell(folder, judged)
    return 0


def export_chat(folder: "RunFolder", kind: str, flags: Flags) -> int:
    """Export a chat model; return the exit code.

    Raises:
        UsageError: The precision is not known, or does not fit.
    """
    from pretune.models.formats.forms import FORMS

    form = flags["form"] or FORMS[0]
    if kind == "lora" and flags["form"]:
        raise UsageError(
            f"--precision {form} with --to lora", expected="one of them: adapters are written as they were learned"
        )
    if form not in FORMS:
        raise UsageError(f"--precision {form}", expected="one of " + ", ".join(FORMS))
    require("gguf" if kind == "gguf" else "peft", extra=kind)
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


def _tell(folder: "RunFolder", judged: "JudgedExport") -> None:
    """Say what was written, and how far it is the model that was judged."""
    from pretune.report.exports import export_rows, tell_same

    row, place = export_rows([judged])[0], folder.path / "export" / judged.form
    typer.echo(f"wrote {place}: {row.size}")
    for split in ("test", "validation"):
        found = judged.find(split)
        if found is not None:
            typer.echo(f"same answers on {split}: {tell_same(found)}; probabilities differ by at most {found.largest:.1g}")
    typer.echo(f"verdict of this form: {row.verdict}")
    for line in judged.lost:
        typer.echo(f"  lost: {line}")
    typer.echo(f"texts per second: {row.pace}; one by one: {row.alone}; memory: {row.peak}")
    typer.echo(f'ask it: pretune predict {place} "a text"')
