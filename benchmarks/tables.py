"""pretune on other people's tables, beside what they would use instead, all from the same encoder: writes docs/tables.md.

``python benchmarks/tables.py`` measures what is not kept yet, the shortest first, and writes the page. ``--only SET …`` and
``--models NAME …`` measure some; ``--list`` prints the tables; ``--write`` only writes the page. SetFit is asked where
``SETFIT_SITE`` names a folder into which it was installed (``pip install --target FOLDER setfit==1.2.0``).

A row is one table, seed and model: accuracy and macro F1 on its test rows, and the processor seconds of the whole command.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from harness import RESULTS, SHARED, row
from table_cells import CHOOSING, OTHERS, Cell, all_cells, cut, write_csv
from tables_page import write_page

SEEDS = (0, 1, 2)
RIVALS = ("tfidf", "frozen", "trainer-1e-4x3", "setfit")
OURS = {"pretune": (), "pretune-1m": ("--budget", "1m"), "pretune-5m": ("--budget", "5m")}
FEW_ROWS = 1_500  # training rows up to which every seed is run
MAX_FOR_SETFIT = 700  # training rows up to which SetFit is asked: its pairs grow with their square
TIMEOUT = 3_600


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*CHOOSING, *OTHERS], default=[*CHOOSING, *OTHERS])
    parser.add_argument("--models", nargs="+", choices=[*RIVALS, *OURS], default=[*RIVALS, *OURS])
    parser.add_argument("--most", type=int, default=100_000, help="training rows of the largest table that is measured")
    parser.add_argument("--least", type=int, default=0, help="of the smallest")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    if not SHARED.exists():
        sys.exit("skipped: there is no ../shared/data")
    sized = sorted((len(cut(cell, 0)[0]), cell.title, cell) for cell in all_cells() if cell.name in chosen.only)
    for size, title, cell in sized:
        if chosen.list:
            print(f"{size:6} {title}")
        elif chosen.least <= size <= chosen.most and not chosen.write:
            measure_table(cell, size, chosen.models, chosen.seeds, again=chosen.again)
    if not chosen.list:
        write()


def write() -> None:
    """Write the page from what is kept."""
    rows = [json.loads(path.read_text()) for path in sorted((RESULTS / "tables").glob("*.json"))]
    scoring = RESULTS / "scoring.json"
    page = Path(__file__).parents[1] / "docs" / "tables.md"
    page.write_text(write_page(rows, json.loads(scoring.read_text()) if scoring.exists() else None))


def measure_table(cell: Cell, size: int, models: list[str], num_seeds: int, *, again: bool) -> None:
    """Measure every model on one table."""
    for seed in SEEDS[: num_seeds if size <= FEW_ROWS else 1]:
        for model in models:
            if model == "setfit" and (size > MAX_FOR_SETFIT or "SETFIT_SITE" not in os.environ):
                continue
            row(f"tables/{cell.title}.{model}.{seed}", partial(measure, cell, seed, model), again=again)


def measure(cell: Cell, seed: int, model: str) -> dict[str, Any]:
    """Return the figures of one model on one table."""
    from sklearn.metrics import accuracy_score, f1_score

    train, test = cut(cell, seed)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("train", train), ("test", test)):
            write_csv(rows, Path(folder) / f"{name}.csv")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said, more = ask_pretune(folder, seed, OURS[model]) if model in OURS else ask_rival(folder, seed, model)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wanted = [label for _, label in test]
    return {
        "set": cell.name,
        "table": cell.title,
        "model": model,
        "seed": seed,
        "num_train": len(train),
        "num_test": len(test),
        "num_classes": len({label for _, label in train}),
        "accuracy": round(float(accuracy_score(wanted, said)), 4),
        "macro_f1": round(float(f1_score(wanted, said, average="macro")), 4),
        "processor_seconds": round(sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime")), 1),
        **more,
    }


def ask_rival(folder: str, seed: int, model: str) -> tuple[list[str], dict[str, Any]]:
    """Return a rival's labels of the test rows."""
    rivals = Path(__file__).with_name("table_rivals.py")
    done = _run([sys.executable, str(rivals), model, folder, str(seed)], folder)
    return json.loads(done.splitlines()[-1])["labels"], {}


def ask_pretune(folder: str, seed: int, flags: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """Return the labels that the sealed test was answered with, and what the run decided."""
    run = f"{folder}/run"
    given = [f"{folder}/train.csv", "--test", f"{folder}/test.csv", "--keep-leaks", "--text", "text", "--label", "label"]
    command = [sys.executable, "-m", "pretune", "run", *given, "--seed", str(seed), *flags, "--run", run, "--json"]
    found = json.loads(_run(command, folder))
    record = json.loads((Path(run) / "run.json").read_text())
    source = record.get("chosen") or "finetuned"
    with (Path(run) / "predictions" / f"test.{source}.csv").open(newline="", encoding="utf-8") as file:
        import csv

        said = {line["id"]: line["predicted"] for line in csv.DictReader(file)}
    numbers = sorted(said, key=lambda name: int(name.rpartition(":")[2]))
    accuracies: dict[str, dict[str, float]] = {"test": {}, "validation": {}}
    for score in record["scores"]:
        if score["metric"] == "accuracy" and score["split"] in accuracies:
            accuracies[score["split"]][score["source"]] = score["value"]
    return [said[name] for name in numbers], {
        "chosen": source,
        "outcome": found["verdict"]["outcome"],
        "sources": accuracies["test"],
        "on_validation": accuracies["validation"],
        "max_length": json.loads((Path(run) / "model" / "pretune.json").read_text()).get("max_length"),
        "steps": len(record["history"]["steps"]) if record.get("history") else 0,
    }


def _run(command: list[str], folder: str) -> str:
    environment = {**os.environ, "PRETUNE_HOME": f"{folder}/home"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=TIMEOUT)
    if done.returncode not in ((0, 1, 3) if "pretune" in command else (0,)):
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
