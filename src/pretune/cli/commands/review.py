"""The command that lets a person compare replies. Heavy imports wait until it runs."""

import typer

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags


@takes_flags
def review(run: a.Run, flags: Flags) -> int:
    """Compare a chat model's replies with those of its best rival, blindly.

    Two replies to one question are shown at a time, in a drawn order. 1 or 2: this one is better; t: a tie; s: skip; h: one of
    them could do harm; q: stop here, and go on later with the same command. The answers stay in the run and go into its
    verdict and report; no row is opened for it.
    """
    from pretune.tasks.places import require_run

    folder, record = require_run(run, chats=True)
    from pretune.cli.reviewing import answer, show
    from pretune.cli.show import show_json
    from pretune.tasks.converse.review import open_review, read_review, tell

    found = open_review(folder, name=flags["name"], pairs=flags["pairs"], seed=flags["seed"])
    answered = 0 if flags["json"] else found.go_on(show, answer)
    result = read_review(folder)
    if flags["json"]:
        value = {} if result is None else result.to_json()
        show_json({**value, "file": str(found.path), "pairs": len(found.plan.ids), "left": len(found.left)})
        return 0
    again = open_review(folder, name=flags["name"])
    for line in () if result is None else tell(result):
        typer.echo(line)
    left = f", {len(again.left)} left: the same command goes on" if again.left else ""
    typer.echo(f"{again.path}: {len(again.picks)} of {len(again.plan.ids)} pairs{left}")
    if answered and record.chat is not None:
        from pretune.tasks.converse.again import weigh_review

        record = weigh_review(folder)
        typer.echo("" if record.verdict is None else f"The verdict with it: {record.verdict.summary}")
    return 0
