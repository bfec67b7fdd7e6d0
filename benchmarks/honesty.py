"""The verdict as a measuring instrument: every row of docs/honesty.md, measured and kept as JSON, and written as one page.

``make honesty`` measures everything anew; ``--only NAME …`` some rows, ``--write`` only writes the page. ``small`` versions
of the same rows are in the tests.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import confounds
import coverage
import error_rates
import many_classes
import paired
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
    "looks": units.measure_looks,
    "pooled": units.measure_pooled,
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


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--keep", action="store_true", help="leave rows that are kept already")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    skipped = {}
    for name in () if chosen.write else chosen.only:
        if name in NEEDS_SHARED and not SHARED.exists():
            skipped[name] = "there is no ../shared/data"
            continue
        try:
            row(f"{FOLDER}/{name}", ROWS[name], again=not chosen.keep)
        except ImportError as error:
            skipped[name] = str(error)
    for name, why in skipped.items():
        print(f"{name}: skipped, {why}")
    kept = {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / FOLDER).glob("*.json"))}
    page = Path(__file__).parents[1] / "docs" / "honesty.md"
    page.write_text(write_page(kept, list(ROWS)))
    print(f"wrote {page}")


if __name__ == "__main__":
    main()
