"""Write docs/flags.md from the table of flags: ``python tools/flags_page.py``."""

from pathlib import Path

from pretune.wording.flag import Flag
from pretune.wording.flags import FLAGS

PAGE = Path(__file__).parents[1] / "docs" / "flags.md"
HEAD = """# Flags

Written by `tools/flags_page.py` from `src/pretune/wording/flags.py`. A flag means the same in every command that takes it;
[commands](commands.md) says more about each. A setting can also stand in a `--config` file, or behind `--set`.
"""


def page() -> str:
    """Return the page: a table for each heading of help."""
    headings = dict.fromkeys(flag.about for flag in FLAGS)
    tables = [_table(about or "Of single commands", [flag for flag in FLAGS if flag.about == about]) for about in headings]
    return "\n".join([HEAD, *tables])


def _table(heading: str, flags: list[Flag]) -> str:
    rows = [f"## {heading}", "", "| flag | meaning | commands | setting |", "|---|---|---|---|", *map(_row, flags), ""]
    return "\n".join(rows)


def _row(flag: Flag) -> str:
    typed = f"{flag.typed} {flag.metavar}" if flag.metavar else flag.typed
    commands = "all" if len(flag.commands.split()) > 15 else ", ".join(flag.commands.split())
    settings = " or ".join(f"`{name}`" for name in dict.fromkeys((flag.place, flag.corpus)) if name)
    cells = (f"`{typed}`", flag.text, commands, settings)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
