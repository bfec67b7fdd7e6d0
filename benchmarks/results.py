"""Every figure of docs/results.md: measured row by row, kept as JSON, and written as one page.

``python benchmarks/results.py`` measures what is not kept yet and writes the page; ``--only NAME …`` measures some rows,
``--again`` measures them anew, ``--write`` only writes the page. Each run has a ledger of its own, so that seeds are no looks.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import overfitting
import recipes
from harness import RESULTS, SHARED, figures, pretune, row
from page import write_page

SEEDS = (0, 1, 2)


def command(*arguments: str) -> dict[str, Any]:
    """Measure one command."""
    found = figures(*pretune(*arguments))
    return {"command": " ".join(["pretune", *arguments]).replace(str(SHARED), "../shared/data"), **found}


def movie_seed(seed: int) -> dict[str, Any]:
    """The command as it is, all layers trained, one seed."""
    return command("run", "movie-reviews", "--freeze", "none", "--epochs", "3", "--seed", str(seed))


def imdb(length: int) -> dict[str, Any]:
    """The official halves."""
    given = [str(SHARED / "imdb_train.jsonl.gz"), "--test", str(SHARED / "imdb_test.jsonl.gz")]
    fast = ["--freeze", "none", "--epochs", "1", "--lr", "1e-4", "--dropout", "0"]
    return command("run", *given, "--max-length", str(length), *fast)


def start_up() -> dict[str, Any]:
    """Best and median of ten starts, in seconds, and whether torch was loaded."""
    loads = "import sys, pretune; sys.exit('torch' in sys.modules)"
    found: dict[str, Any] = {
        "torch loaded by import": bool(subprocess.run([sys.executable, "-c", loads], check=False).returncode)
    }
    for name, arguments in (
        ("python -c pass", ["-c", "pass"]),
        ("import pretune", ["-c", "import pretune"]),
        ("pretune --help", ["-m", "pretune", "--help"]),
    ):
        seconds = []
        for _ in range(10):
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        found[name] = {"best": round(min(seconds), 3), "median": round(statistics.median(seconds), 3)}
    return found


ROWS: dict[str, Callable[[], dict[str, Any]]] = {
    "start-up": start_up,
    "sms-spam": lambda: command("run", "sms-spam", "--freeze", "last-2", "--goal", "precision", "--keep", "recall=0.9"),
    "recipes": recipes.measure,
    "overfitting-movie-reviews": lambda: overfitting.measure("movie-reviews"),
    **{f"movie-reviews-seed-{seed}": (lambda seed=seed: movie_seed(seed)) for seed in SEEDS},
    "overfitting-imdb": lambda: overfitting.measure("imdb"),
    "imdb-128": lambda: imdb(128),
    "imdb-256": lambda: imdb(256),
}


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    for name in () if chosen.write else chosen.only:
        if "imdb" in name and not SHARED.exists():
            print(f"{name}: skipped, there is no ../shared/data")
            continue
        row(name, ROWS[name], again=chosen.again)
    kept = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json")) if path.stem in ROWS}
    page = Path(__file__).parents[1] / "docs" / "results.md"
    page.write_text(write_page(kept, list(ROWS)))
    print(f"wrote {page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page}")


if __name__ == "__main__":
    main()
