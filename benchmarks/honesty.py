"""The verdict as a measuring instrument: every row of docs/honesty.md, measured and kept as JSON, and written as one page.

``make honesty`` measures everything again but the rows that train models for most of an hour; ``--only NAME …`` measures some
rows, ``--write`` only writes the page. Smaller versions of the same rows are in the tests.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded: the processes share the cores, one thread each

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import asked_gates
import asked_rows
import at_precision
import confounds
import coverage
import error_rates
import growing
import many_classes
import paired
import people
import planted_texts
import sweep
import thorough
import units
from harness import RESULTS, SHARED, row
from honesty_page import write_page

FOLDER = "honesty"
KEPT = Path(tempfile.gettempdir()) / "pretune-honesty"  # answers of trained models, so that a measurement goes on
ROWS: dict[str, Callable[[], dict[str, Any]]] = {
    "wrong-ship": error_rates.measure_wrong_ship,
    "right-ship": error_rates.measure_right_ship,
    "wrong-refusal": error_rates.measure_wrong_refusal,
    "right-refusal": error_rates.measure_right_refusal,
    "rows-needed": error_rates.measure_rows_needed,
    "paired": paired.measure,
    "coverage": coverage.measure,
    "many-classes": many_classes.measure,
    "groups": units.measure_groups,
    "copies": units.measure_copies,
    "slices": units.measure_slices,
    "looks": growing.measure_looks,
    "pooled": growing.measure_pooled,
    "rows-of-limits": asked_rows.measure,
    "gates": asked_gates.measure,
    "at-precision": at_precision.measure,
    "people": people.measure,
    "confounds": confounds.measure,
    "near-duplicates": planted_texts.measure_near,
    "labels-sms-spam": lambda: planted_texts.measure_labels("sms-spam"),
    "labels-movie-reviews": lambda: planted_texts.measure_labels("movie-reviews"),
    "thorough-sms-spam": lambda: thorough.measure_thorough("sms-spam", folder=KEPT),
    "thorough-movie-reviews": lambda: thorough.measure_thorough("movie-reviews", folder=KEPT),
    "detectors-clean": sweep.measure_clean,
    "detectors-data": lambda: sweep.measure_planted(planters=sweep.FAULTS),
    "detectors-training": lambda: sweep.measure_planted(planters=sweep.OF_TRAINING),
}
NEEDS_SHARED = {"confounds", "near-duplicates", "detectors-clean", "detectors-data", "detectors-training"}


TRAINED = ("thorough-sms-spam", "thorough-movie-reviews")  # each trains three models: only where they are asked for by name


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=[name for name in ROWS if name not in TRAINED])
    parser.add_argument("--keep", action="store_true", help="leave rows that are kept already")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--processes", type=int, default=2, help="rows that are measured at a time (2)")
    chosen = parser.parse_args()
    skipped = {} if chosen.write else measure_rows(chosen.only, again=not chosen.keep, processes=chosen.processes)
    for name, why in skipped.items():
        print(f"{name}: skipped, {why}")
    page = Path(__file__).parents[1] / "docs" / "honesty.md"
    page.write_text(write_page(kept_rows(), list(ROWS)))
    print(f"wrote {page}")


def measure_rows(names: Sequence[str], *, again: bool, processes: int) -> dict[str, str]:
    """Measure rows, those that took longest the last time first, and return why some were not."""
    lasted = {name: kept.get("seconds", 0.0) for name, kept in kept_rows().items()}
    absent = {name: "there is no ../shared/data" for name in names if name in NEEDS_SHARED and not SHARED.exists()}
    order = sorted((name for name in names if name not in absent), key=lambda name: -lasted.get(name, 1e9))
    with ProcessPoolExecutor(max_workers=processes) as pool:
        found = dict(zip(order, pool.map(_measure, order, [again] * len(order)), strict=True))
    return absent | {name: why for name, why in found.items() if why}


def _measure(name: str, again: bool) -> str:
    try:
        row(f"{FOLDER}/{name}", ROWS[name], again=again)
    except ImportError as error:
        return str(error)
    return ""


def kept_rows() -> dict[str, dict[str, Any]]:
    """Return the rows that were measured, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / FOLDER).glob("*.json"))}


if __name__ == "__main__":
    main()
