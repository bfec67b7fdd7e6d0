"""The command that compares files with their digests. Heavy imports wait until it runs."""

from pathlib import Path

import typer

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import StorageError


@takes_flags
def verify(run: a.Place, flags: Flags) -> int:
    """Check that every file of a run, a model folder or a corpus is what pretune wrote.

    The digests of all files, the openings in the ledger included. Nothing is changed, no row is opened. Exit code 4 where
    something differs.
    """
    from pretune.tasks.places import require_there

    require_there(Path(run))
    from pretune.cli.show import show_json
    from pretune.tasks.verify import verify as verify_place
    from pretune.wording.counts import counted

    found = verify_place(Path(run))
    if flags["json"]:
        show_json(found.to_json())
    else:
        for line in found.differences:
            typer.echo(f"✗ {line}")
        for line in (*found.notes, *_tell_uncovered(found.no_digest)):
            typer.echo(f"  {line}")
        said = counted(len(found.differences), "difference") if found.differences else "everything as written"
        typer.echo(f"{found.place}: {counted(found.num_files, 'file')}, {said}")
    return StorageError.exit_code if found.differences else 0


def _tell_uncovered(names: tuple[str, ...], limit: int = 12) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return [f"no digest is stored for {', '.join(names[:limit])}{more}"]
