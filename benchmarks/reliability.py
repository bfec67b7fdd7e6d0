"""docs/reliability.md, from kept results: what was tried against reading, saving and the seal, and what came of it.

python benchmarks/reliability.py            # write the page
python benchmarks/reliability.py --cases    # first run the cases beside the checkout, where they are, and keep the count
"""

import argparse
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from harness import RESULTS, row
from wrapped import wrapped

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT.parent / "shared" / "cases" / "all"
PAGE = ROOT / "docs" / "reliability.md"
COMMANDS = ("check", "audit", "predict", "evaluate")
MAX_RATIO = 2.2
MAX_PLAIN_DIFFERENCE = 1e-3

HEAD = """# Reliability: reading, saving, the seal, under attack

Written by `benchmarks/reliability.py` from `benchmarks/results/`. Every row has the command that measures it; seeds are fixed.
**met** and **not met** compare with the target named in the row. What is not measured, or was measured on less than was wanted, says so.

| what was tried | target | found | |
| --- | --- | --- | --- |
"""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", action="store_true", help="run ../shared/cases/all first")
    if parser.parse_args().cases:
        row("cases", run_cases, again=True)
    rows = [*cases(), *tables(), *fuzz(), *readers_fuzz(), *flips(), *kills(), *growth(), *plain(), *big_files()]
    PAGE.write_text(wrapped(HEAD + "\n".join(rows) + "\n" + growth_table() + measured()), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def run_cases() -> dict[str, Any]:
    """Run every case beside the checkout; return how many are right, and the lines of those that are not."""
    done = subprocess.run([str(CASES)], cwd=ROOT, capture_output=True, text=True, check=False)
    right, total = map(int, re.search(r"(\d+) of (\d+) cases are right", done.stdout).groups())  # type: ignore[union-attr]
    return {"right": right, "total": total, "wrong": [line for line in done.stdout.splitlines() if line.startswith("WRONG")]}


def kept(name: str) -> dict[str, Any] | None:
    """Return a result, or ``None`` where it was not measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def line(what: str, target: str, found: str, met: bool | None) -> str:
    """Return one row of the table."""
    return f"| {what} | {target} | {found} | {'' if met is None else '**met**' if met else '**not met**'} |"


def cases() -> list[str]:
    """Inputs of users that once came out wrong."""
    found = kept("cases")
    if found is None:
        return []
    shown = f"{found['right']} of {found['total']} right"
    return [line("`../shared/cases/all`", "every case right", shown, found["right"] == found["total"])]


def tables() -> list[str]:
    """Random tables, written by others."""
    found = kept("reading/tables-written")
    if found is None:
        return []
    writers = len(found["outcomes"])
    shown = f"{found['num_lost_unsaid']} rows lost unsaid, {found['num_faults']} tracebacks in {found['num_reads']:,} reads"
    what = f"{found['num_tables']:,} random tables × {writers} writers × every option: `benchmarks/tables_written.py`"
    met = found["num_lost_unsaid"] == found["num_faults"] == 0 and found["num_tables"] >= 2_000
    return [line(what, "0 rows lost unsaid, 0 tracebacks", shown, met)]


def fuzz() -> list[str]:
    """Commands on spoiled inputs: the largest series that is kept of each."""
    rows = []
    for command in COMMANDS:
        series = [json.loads(path.read_text()) for path in RESULTS.glob(f"fuzz_commands*/{command}.json")]
        if series:
            found = max(series, key=lambda item: int(item["mutations"]))
            codes = ", ".join(f"{code}: {count:,}" for code, count in sorted(found["exit_codes"].items()))
            shown = f"{found['num_faults']} faults in {found['mutations']:,}; exit codes {codes}; slowest {found['slowest_seconds']} s"
            met = found["num_faults"] == 0 and found["mutations"] >= 2_000
            what = f"`pretune {command}` on mutated inputs, flags and runs: `benchmarks/fuzz_commands.py`"
            rows.append(
                line(what, "2,000 each: one object, a documented code, never 1, under 60 s, rows conserved", shown, met)
            )
    return rows


def readers_fuzz() -> list[str]:
    """Readers on spoiled files, in process."""
    found = kept("fuzz-readers")
    if found is None:
        return []
    shown = f"{found['num_findings']} findings in {found['num_mutations']:,}; slowest {found['slowest_seconds']} s"
    return [
        line(
            "files of 12 shapes, spoiled: `benchmarks/fuzz_readers.py`",
            "0 bare errors, rows conserved",
            shown,
            found["num_findings"] == 0,
        )
    ]


def flips() -> list[str]:
    """Flipped bits."""
    found = kept("bitflips")
    if found is None:
        return []
    among = ", `--model RUN` and a judging without its ledger among them" if "deleted" in found else ""
    others = f", {found['deleted']} deleted and {found['shortened']} shortened files" if "deleted" in found else ""
    shown = (
        f"{found['silently_wrong']} silently wrong, {found['tracebacks']} tracebacks after {found['flips']:,} flips{others}: "
        f"{found['named']:,} answers named the file, {found['harmless']:,} were the same to the byte, "
        f"{found['refused_unnamed']} were refused without its name"
    )
    met = found["silently_wrong"] == found["tracebacks"] == 0 and found["flips"] >= 1_000
    return [
        line(
            f"bit flips in finished and cut-off runs, then every command{among}: `benchmarks/bitflips.py`",
            "1,000: 0 silently wrong, 0 tracebacks",
            shown,
            met,
        )
    ]


def kills() -> list[str]:
    """Kills."""
    found = kept("kills")
    if found is None:
        return []
    commands = ", ".join(f"{name} {count}" for name, count in found["by_command"].items())
    shown = f"{found['wrong']} differences or left-overs after {found['kills']:,} kills ({commands}); `together`: two processes under `torchrun`"
    met = found["wrong"] == 0 and found["kills"] >= 500
    return [
        line(
            "kills over all commands that write: `benchmarks/kills.py`",
            "500: 0 differences, 0 left-overs",
            shown,
            met,
        )
    ]


def growth() -> list[str]:
    """Time of readers for twice the input."""
    found = shapes()
    if not found:
        return []
    worst = max(found, key=lambda item: item["largest_ratio"])
    shown = f"at most {worst['largest_ratio']} × ({worst['row'].partition('/')[2]}) over {len(found)} shapes up to 64 MB"
    return [
        line(
            "readers, twice the input: `benchmarks/readers.py`",
            f"≤ {MAX_RATIO} × the time",
            shown,
            worst["largest_ratio"] <= MAX_RATIO,
        )
    ]


def plain() -> list[str]:
    """Saved models in plain transformers: one as it is, one with a stored threshold."""
    return [_plain(found) for name in ("plain-pipeline", "plain-pipeline-threshold") if (found := kept(name)) is not None]


def _plain(found: dict[str, Any]) -> str:
    versions = next(
        value for value in found.values() if isinstance(value, dict) and all(re.match(r"\d+\.\d+", key) for key in value)
    )
    worst = max(item["largest_difference"] for item in versions.values())
    others = sum(item["other_answers"] for item in versions.values())
    decided = "no threshold" if found["threshold"] is None else f"a threshold of {found['threshold']:g} in the bias"
    shown = (
        f"{others} other answers, probabilities within {worst:.1e} ({found['texts']:,} texts, {found['cut']:,} of them cut, at "
        f"{found['max_length']} tokens; {decided})"
    )
    what = f"plain `pipeline(…, truncation=True)` in transformers {' and '.join(versions)}: `benchmarks/plain_pipeline.py`"
    return line(what, "same answers, probabilities within 1e-3", shown, others == 0 and worst <= MAX_PLAIN_DIFFERENCE)


def big_files() -> list[str]:
    """Predict on files of many rows."""
    rows = []
    for name in ("linear-20000", "network-20000", "linear-1000000", "network-1000000", "linear-10000000"):
        found = kept(f"predict-file/{name}")
        if found is not None:
            shown = f"{found['answers']:,} answers, {found['processor_seconds']} s of a processor, peak {found['peak_mb']:,} MB"
            met = found["answers"] == found["rows"] and found["peak_mb"] <= 1_500
            rows.append(
                line(
                    f"`pretune predict --file`, {found['rows']:,} rows ({name.partition('-')[0]}): `benchmarks/predict_file.py`",
                    "one answer a row, within 1.5 GB",
                    shown,
                    met,
                )
            )
    return rows


def shapes() -> list[dict[str, Any]]:
    """What was measured of each shape of input."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((RESULTS / "readers").glob("*.json"))]


def growth_table() -> str:
    """The readers, shape by shape."""
    rows = [
        f"| {item['row'].partition('/')[2]} | {' · '.join(map(str, item['ratios']))} | {item['sizes'][-1]['seconds']} s | {item['sizes'][-1]['peak_mb']:,} MB |"
        for item in shapes()
    ]
    head = "\n## Readers, 4 to 64 MB\n\n| shape | time for twice the input | 64 MB | peak |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(rows) + "\n" if rows else ""


def measured() -> str:
    """When and on what."""
    every = [item for name in ("cases", "reading/tables-written", "plain-pipeline") if (item := kept(name))]
    machine, versions = every[0]["machine"], ", ".join(f"{name} {value}" for name, value in every[0]["versions"].items())
    return f"\nMeasured on {machine['cores']} cores, other work beside; {versions}.\n"


if __name__ == "__main__":
    main()
