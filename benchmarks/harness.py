"""What every benchmark shares: one JSON file a row, written when the row is done, so that a run can be gone on with."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PACKAGES = ("torch", "transformers", "scikit-learn", "numpy")


def row(name: str, measure: Callable[[], dict[str, Any]], *, again: bool = False) -> None:
    """Measure a row and keep it, unless it is kept already."""
    path = RESULTS / f"{name}.json"
    if path.exists() and not again:
        print(f"{name}: kept from {json.loads(path.read_text())['measured']}", flush=True)
        return
    start, used = time.perf_counter(), time.process_time()
    found = measure()
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    times = {"seconds": round(seconds, 1), "processor_seconds": round(processor, 1)}
    about = {"measured": time.strftime("%Y-%m-%d"), **times, **describe_machine()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"row": name, **about, **found}, indent=1) + "\n")
    print(f"{name}: {json.dumps(found)[:400]}", flush=True)


def describe_machine() -> dict[str, Any]:
    """Return versions, processor, whether bf16 has instructions, and the commit."""
    import torch

    from pretune.train import has_fast_bf16

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "bf16": has_fast_bf16()},
        "commit": commit.stdout.strip(),
    }


def pretune(*arguments: str, home: str | None = None) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Run the command line in a folder and with a ledger of its own.

    Returns:
        What ``--json`` printed, ``run.json``, and the seconds of the whole command.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PRETUNE_HOME": home or f"{folder}/home"}
        command = [sys.executable, "-m", "pretune", *arguments, "--run", f"{folder}/run", "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        seconds = time.perf_counter() - start
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr[-2000:]}")
        record = json.loads((Path(folder) / "run" / "run.json").read_text())
        return json.loads(done.stdout), record, seconds


def figures(found: dict[str, Any], record: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return what the tables show of one run."""
    scores = [*found["scores"], *found["baselines"]]
    kept = {
        f"{s['source']} {s['metric']}" + (f"[{s['label']}]" if s["label"] else ""): [s["value"], s["low"], s["high"]]
        for s in scores
        if s["split"] == "test"
    }
    validations = record["history"]["validations"]
    best = next(v for v in validations if v["epoch"] == record["history"]["best_epoch"])
    return {
        "outcome": found["verdict"]["outcome"],
        "summary": found["verdict"]["summary"],
        "test": kept,
        "num_test": next(s["num_examples"] for s in scores if s["split"] == "test" and s["metric"] == "accuracy"),
        "best_epoch": best["epoch"],
        "epochs": [[v["epoch"], v["training_loss"], v["training_accuracy"], v["loss"], v["accuracy"]] for v in validations],
        "tokens": record["token_counts"],
        "shared": record["receipt"]["shared"],
        "command_seconds": round(seconds, 1),
        "device": record["device"],
    }
