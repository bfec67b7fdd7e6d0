"""Random tables by many writers, read back in every way: is a row ever lost without a word?

.venv/bin/python -m pip install --target /tmp/writers polars duckdb     # where they are wanted
PYTHONPATH=/tmp/writers .venv/bin/python benchmarks/tables_written.py --tables 2000
"""

import argparse
from collections import Counter
from importlib.util import find_spec
from typing import Any

from harness import row
from written_tables import WRITERS, random_table, read_back

OPTIONS: dict[str, dict[str, str]] = {
    "as the lines tell": {},
    "--quoting minimal": {"quoting": "minimal"},
    "--quoting none": {"quoting": "none"},
    "--escape \\": {"escape": "\\"},
    "--quoting none --escape \\": {"quoting": "none", "escape": "\\"},
}
NEEDED = {"polars": "polars", "duckdb": "duckdb", "pandas": "pandas", "arrow": "pyarrow"}


def measure(num_tables: int) -> dict[str, Any]:
    """Return how many tables came back how, by writer and option, and the seeds of those that should not."""
    missing = {writer: f"{package} is not installed" for writer, package in NEEDED.items() if find_spec(package) is None}
    outcomes: dict[str, dict[str, Counter[str]]] = {}
    seeds: dict[str, list[int]] = {}
    for seed in range(num_tables):
        table = random_table(seed)
        for name, write in WRITERS.items():
            if name in missing:
                continue
            written = write(table)
            ways = OPTIONS | {"as it was written": written.options}
            for option, chosen in ways.items():
                found = read_back(written, chosen)
                outcomes.setdefault(name, {}).setdefault(option, Counter())[found] += 1
                if found.startswith("fault") or (found == "lost" and option in ("as the lines tell", "as it was written")):
                    seeds.setdefault(f"{name}, {option}: {found}", []).append(seed)
        if seed % 200 == 199:
            print(f"{seed + 1} tables", flush=True)
    return {
        "num_tables": num_tables,
        "num_reads": sum(sum(count.values()) for ways in outcomes.values() for count in ways.values()),
        "num_lost_unsaid": sum(len(found) for what, found in seeds.items() if what.endswith("lost")),
        "num_faults": sum(len(found) for what, found in seeds.items() if "fault" in what),
        "skipped": missing,
        "outcomes": {name: {way: dict(count) for way, count in ways.items()} for name, ways in outcomes.items()},
        "seeds": {what: found[:20] for what, found in seeds.items()},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=2_000)
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    row("reading/tables-written", lambda: measure(arguments.tables), again=arguments.again)
