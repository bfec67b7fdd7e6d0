"""Random tables by many writers, read back in every way: is a row ever lost without a word?

.venv/bin/python -m pip install --target /tmp/writers polars duckdb     # where they are wanted
PYTHONPATH=/tmp/writers .venv/bin/python benchmarks/tables_written.py --tables 2000
"""

import argparse
import csv
import json
from collections import Counter
from importlib.util import find_spec
from typing import Any

from harness import RESULTS, row
from written_tables import WRITERS, random_table, read_back

NAME, AS_TOLD, AS_WRITTEN = "reading/tables-written", "as the lines tell", "as it was written"
OPTIONS: dict[str, dict[str, str]] = {
    AS_TOLD: {},
    "--quoting minimal": {"quoting": "minimal"},
    "--quoting none": {"quoting": "none"},
    "--escape \\": {"escape": "\\"},
    "--quoting none --escape \\": {"quoting": "none", "escape": "\\"},
}
NEEDED = {"polars": "polars", "duckdb": "duckdb", "pandas": "pandas", "arrow": "pyarrow"}


def measure(num_tables: int, before: dict[str, Any]) -> dict[str, Any]:
    """Return how many tables came back how, by writer and option, and the seeds of those that should not.

    Args:
        num_tables: In all.
        before: What an earlier call returned of the first of them; it is gone on with.
    """
    missing = {writer: f"{package} is not installed" for writer, package in NEEDED.items() if find_spec(package) is None}
    outcomes = {name: {way: Counter(c) for way, c in ways.items()} for name, ways in before.get("outcomes", {}).items()}
    seeds: dict[str, list[int]] = dict(before.get("seeds", {}))
    for seed in range(before.get("num_tables", 0), num_tables):
        table = random_table(seed)
        for name, write in WRITERS.items():
            if name in missing:
                continue
            try:
                written = write(table)
            except csv.Error:  # one empty cell in a row cannot be written without quotes
                outcomes.setdefault(name, {}).setdefault("cannot be written", Counter())["tables"] += 1
                continue
            for option, chosen in (OPTIONS | {AS_WRITTEN: written.options}).items():
                found = read_back(written, chosen)
                outcomes.setdefault(name, {}).setdefault(option, Counter())[found] += 1
                if found.startswith("fault") or (found == "lost" and option in (AS_TOLD, AS_WRITTEN)):
                    seeds.setdefault(f"{name}, {option}: {found}", []).append(seed)
    reads = (count for ways in outcomes.values() for way, count in ways.items() if way != "cannot be written")
    return {
        "num_tables": num_tables,
        "num_reads": sum(sum(count.values()) for count in reads),
        "num_lost_unsaid": sum(len(found) for what, found in seeds.items() if what.endswith("lost")),
        "num_faults": sum(len(found) for what, found in seeds.items() if "fault" in what),
        "skipped": missing,
        "outcomes": {name: {way: dict(count) for way, count in ways.items()} for name, ways in outcomes.items()},
        "seeds": seeds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=2_000, help="in all; those of an earlier call are kept")
    arguments = parser.parse_args()
    path = RESULTS / f"{NAME}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    row(NAME, lambda: measure(arguments.tables, known), again=True)
