"""The command that shares a model on the hub. Heavy imports wait until it runs."""

import sys
from typing import Any

import typer

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def push(run: a.Run, repo: a.Repo, flags: Flags) -> int:
    """Send a judged model and its card to a repository on the Hugging Face hub.

    Shows every file and asks before it sends; --dry-run only shows. The repository is private unless --public is given.
    Training data, predictions, report and fingerprints stay here unless --include names them; the sealed test always does.
    """
    from pretune.production.push.prepare import prepare
    from pretune.production.push.send import check_reach, check_repository, endpoint, send

    check_repository(repo)
    include = tuple(name.strip() for value in flags["include"] or () for name in value.split(","))
    ready = prepare(
        run, repo, include=include, licence=flags["licence"], languages=flags["language"], even_unjudged=flags["unjudged"]
    )
    shared = ready.shared
    answer: dict[str, Any] = {
        "schema": 1,
        "run": ready.record.run,
        "repo": repo,
        "endpoint": endpoint(),
        "files": [{"name": item.name, "bytes": item.size} for item in shared.items],
        "left_out": list(shared.left_out),
        "sent": False,
    }
    if not flags["json"]:
        _show(ready, repo, is_public=flags["public"])
    if not flags["dry_run"]:
        check_reach()
        if flags["yes"] or _confirm(flags):
            message = f"{ready.record.run}, by pretune"
            answer |= send(shared.items, repo, is_public=flags["public"], message=message, is_quiet=flags["json"])
            answer["sent"] = True
    return _tell(answer, flags)


def _tell(answer: dict[str, Any], flags: Flags) -> int:
    from pretune.cli.show import show_json

    if flags["json"]:
        show_json(answer)
    elif answer["sent"]:
        typer.echo(f"sent: {answer['url']}, commit {answer['commit'][:12]}")
    else:
        typer.echo("nothing was sent")
    return 0


def _show(ready: Any, repo: str, *, is_public: bool) -> None:
    from pretune.production.push.send import endpoint
    from pretune.report.words import OUTCOMES
    from pretune.storage import say_bytes
    from pretune.wording.counts import counted

    record, shared = ready.record, ready.shared
    outcome = OUTCOMES[record.verdict.outcome] if record.verdict is not None else "not judged"
    typer.echo(f"{record.run} ({outcome}) → {endpoint()}/{repo}, {'public' if is_public else 'private'}\n")
    width = max(len(item.name) for item in shared.items)
    for item in shared.items:
        typer.echo(f"  {item.name:<{width}}  {say_bytes(item.size):>9}")
    typer.echo(f"\n{counted(len(shared.items), 'file')}, {say_bytes(shared.size)}")
    for name, words in shared.left_out.items():
        typer.echo(f"stays here: {name} ({words})")


def _confirm(flags: Flags) -> bool:
    """Ask whether to send; where nobody can answer, that is an error.

    Raises:
        UsageError: There is no terminal.
    """
    if flags["json"] or not sys.stdin.isatty():
        raise UsageError("pretune push has nobody to ask", expected="--yes, where no one answers at a terminal")
    return typer.confirm("Send?", default=False)
