"""The command that writes a dossier. Heavy imports wait until it runs."""

from pathlib import Path

import typer

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags


@takes_flags
def dossier(run: a.Run, flags: Flags) -> int:
    """Write the technical documentation of a run, for whoever signs for it.

    Intended use, data, splits, looks, figures by slice, findings, limits, versions, digests, under headings that follow the EU
    AI Act's Annex IV. What pretune cannot know is left as questions; answers in the TOML file beside it are kept.
    """
    from pretune.tasks.places import require_run

    folder, record = require_run(run, chats=True)
    from pretune.cli.show import show_json
    from pretune.production.dossier import make_dossier
    from pretune.wording.counts import counted

    made = make_dossier(folder, record, output=Path(flags["output"]) if flags["output"] else None)
    if flags["json"]:
        named = {"dossier": str(made.file), "answers": str(made.answers)}
        show_json({"schema": 1, "run": record.run, **named, "answered": made.num_answered, "open": made.num_open})
    else:
        typer.echo(f"wrote {made.file}: {counted(made.num_open, 'question')} open, {made.num_answered} answered")
        typer.echo(
            f"answer them in {made.answers}, and run the command again" if made.num_open else "every question is answered"
        )
    return 0
