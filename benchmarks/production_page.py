"""docs/production.md, from ``benchmarks/results/production-*.json`` alone: ``python benchmarks/production_page.py`` writes it.

A result adds itself to the page by these keys, beside what ``harness.row`` keeps (machine, versions, commit, date):

    "title":   "Exports"                       heading of its section; sections stand by ``order``, then title
    "order":   1
    "script":  "benchmarks/exports.py"
    "targets": [{"what": "...", "must": "≥ 2.5 ×", "reached": "2.9 ×", "holds": true}]    one table over all sections
    "text":    ["a paragraph", ...]            what was measured, and how
    "tables":  [{"caption": "...", "head": ["form", ...], "rows": [["onnx", ...], ...]}]
    "notes":   ["what falls short, and why", ...]                                          below the tables

Cells are text, as the page shows it. Call ``write()`` at the end of a benchmark to renew the page.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wrapped import wrapped

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "production.md"
HEAD = """# Production: what is reached

Written by `benchmarks/production_page.py` from `benchmarks/results/production-*.json`. Each figure names the script that measures it; a
rival is measured in the same run. Seconds on the wall were taken while other work ran beside; where it says so, they are processor seconds.

| what | must reach | reached | |
|---|---|---|---|
"""


def main() -> None:
    """Write the page."""
    write()


def write() -> None:
    """Write the page from all results that are there."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("production-*.json"))]
    PAGE.write_text(draw(found), encoding="utf-8")
    print(f"wrote {PAGE}")


def draw(found: list[dict[str, Any]]) -> str:
    """Return the page."""
    ordered = sorted(found, key=lambda item: (item.get("order", 99), item["title"]))
    targets = [_target(target) for item in ordered for target in item.get("targets", ())]
    sections = ["\n".join(_section(item)) for item in ordered]
    return wrapped(HEAD + "\n".join(targets) + "\n\n" + "\n".join(sections))


def _target(target: dict[str, Any]) -> str:
    holds = {True: "yes", False: "**no**", None: "not measured"}[target.get("holds")]
    return _row([target["what"], target["must"], target["reached"], holds])


def _section(item: dict[str, Any]) -> Iterator[str]:
    machine, versions = item.get("machine", {}), item.get("versions", {})
    yield f"## {item['title']}\n"
    for paragraph in item.get("text", ()):
        yield f"{paragraph}\n"
    for table in item.get("tables", ()):
        if table.get("caption"):
            yield f"{table['caption']}\n"
        yield _row(table["head"])
        yield "|" + "---|" * len(table["head"])
        yield from map(_row, table["rows"])
        yield ""
    yield from (f"- {note}" for note in item.get("notes", ()))
    if item.get("notes"):
        yield ""
    bf16 = "" if machine.get("bf16") is None else f", {'with' if machine['bf16'] else 'without'} fast bf16 products"
    told = ", ".join(f"{name} {value}" for name, value in versions.items())
    yield f"`{item['script']}`, {item.get('measured', '')}, {machine.get('cores', '?')} cores{bf16}; {told}.\n"


def _row(cells: list[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    main()
