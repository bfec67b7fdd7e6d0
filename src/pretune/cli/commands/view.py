"""The command that shows a run on a page. Heavy imports wait until it runs."""

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def view(run: a.Run, flags: Flags) -> int:
    """Show a run on a page of this machine: its stages, how its losses and guesses changed, a text of your own.

    A finished run can be replayed; one that another process works on is shown as it happens. `pretune run --live` opens the
    same page for the run that it makes.
    """
    from pretune.tasks.places import require_begun

    folder = require_begun(run)
    if flags["json"]:
        raise UsageError("--json with a page", expected="one of them", fix="`pretune report RUN`, or read RUN/trace.jsonl")
    from pretune.cli.viewing import view as show

    return show(folder.path, flags["port"])
