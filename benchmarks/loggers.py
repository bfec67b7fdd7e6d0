"""What each logger costs a training: ``python benchmarks/loggers.py``. Needs the packages of requirements/production.txt.

Two things are measured, each in processes of their own that take turns: a fine-tuning of ``minilm`` with and without each
logger (processor seconds of the whole command, on the wall as well), and 5,000 steps told to a logger at 500 a second, which
is faster than any of these models trains (processor seconds, the part of the training thread, the wait at the end).
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import harness
import production_page

LOGGERS = ("tensorboard", "mlflow", "trackio", "wandb")
NONE = "none"
STEPS, PER_SECOND = 5_000, 500
DATA, EPOCHS = "sms-spam", "1"


def main() -> None:
    """Measure, and renew the page; with ``--told NAME`` be the process that is measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--told", choices=(NONE, *LOGGERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    if asked.told:
        print(json.dumps(tell(asked.told)))
        return
    harness.row("production-loggers", lambda: measure(asked.repeats), again=asked.again)
    production_page.write()


def measure(repeats: int) -> dict[str, Any]:
    """Return both tables."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (NONE, *LOGGERS)}
    for _ in range(repeats):
        for name, done in runs.items():
            done.append(train(name))
    told = {name: child("--told", name) for name in (NONE, *LOGGERS)}
    return {"runs": runs, "told": told, **page(runs, told)}


def train(name: str) -> dict[str, float]:
    """Fine-tune once, and return processor and wall seconds of the command and of its training."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"PRETUNE_HOME": f"{folder}/home", "TRACKIO_DIR": f"{folder}/trackio"}
        command = [sys.executable, "-m", "pretune", "finetune", DATA, "--epochs", EPOCHS, "--run", f"{folder}/run", "--json"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [*command, *([] if name == NONE else ["--log", name])],
            env={**os.environ, **own},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        record = json.loads(Path(f"{folder}/run/run.json").read_text())
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"processor": round(used, 2), "wall": round(wall, 2), "steps": len(record["history"]["steps"])}


def child(*words: str) -> dict[str, float]:
    """Run this script in a folder of its own and return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        own = {**os.environ, "TRACKIO_DIR": f"{folder}/trackio"}
        command = [sys.executable, str(Path(__file__).resolve()), *words]
        done = subprocess.run(command, cwd=folder, env=own, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return dict(json.loads(done.stdout))


def tell(name: str) -> dict[str, float]:
    """Tell a logger of many steps at an even pace."""
    from pretune.production.log import open_logs
    from pretune.production.log.points import Ending
    from pretune.run import RunFolder

    logs = open_logs([] if name == NONE else [name], RunFolder(Path("runs/first")), {"seed": 1}, is_resumed=False)
    Path("runs/first").mkdir(parents=True)
    used, start, busy = time.process_time(), time.perf_counter(), 0.0
    for step in range(STEPS):
        at = time.perf_counter()
        logs({"event": "step", "index": step, "loss": 1 / (step + 1), "learning_rate": 0.1, "gradient_norm": 2.0})
        busy += time.perf_counter() - at
        time.sleep(max(0.0, start + step / PER_SECOND - time.perf_counter()))
    told = time.perf_counter()
    logs._close(Ending(status="judged", figures={"test/accuracy": 0.9}))
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "thread_us": round(1e6 * busy / STEPS, 1),
        "processor": round(time.process_time() - used + helpers.ru_utime + helpers.ru_stime, 2),
        "end": round(time.perf_counter() - told, 2),
    }


def page(runs: dict[str, list[dict[str, float]]], told: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return what docs/production.md shows."""
    least = {name: {kind: min(item[kind] for item in done) for kind in ("processor", "wall")} for name, done in runs.items()}
    bare, steps = least[NONE], int(runs[NONE][0]["steps"])
    spread = max(item["processor"] for item in runs[NONE]) - bare["processor"]
    rows = [[name, *_beside(least[name], bare)] for name in runs]
    each = [[name, *_of_step(told[name], told[NONE])] for name in LOGGERS]
    middle = statistics.median(least[name]["processor"] / bare["processor"] - 1 for name in LOGGERS)
    return {
        "title": "Loggers",
        "order": 5,
        "script": "benchmarks/loggers.py",
        "text": [
            f"`pretune finetune {DATA} --epochs {EPOCHS}` ({steps} steps of `minilm`) with and without each logger, taking "
            f"turns; the least of {len(runs[NONE])}. Without any, the processor seconds differ by {spread:.1f} between runs. "
            f"The median of the four is {middle:+.0%}, most of it for importing the package and making a store.",
            f"{STEPS:,} steps told at {PER_SECOND} a second: what the training thread pays per step, what all threads and "
            "helper processes pay per step, and what a run waits for at its end.",
        ],
        "tables": [
            {"caption": "Whole commands", "head": ["logger", "processor", "", "wall"], "rows": rows},
            {"caption": "Steps told", "head": ["logger", "training thread", "processor, all", "wait at the end"], "rows": each},
        ],
    }


def _beside(found: dict[str, float], bare: dict[str, float]) -> list[str]:
    more = "" if found is bare else f"{found['processor'] - bare['processor']:+.1f} s"
    return [f"{found['processor']:.1f} s", more, f"{found['wall']:.1f} s"]


def _of_step(found: dict[str, float], bare: dict[str, float]) -> list[str]:
    more = 1000 * (found["processor"] - bare["processor"]) / STEPS
    return [f"{found['thread_us']:.0f} µs", f"{more:.2f} ms", f"{found['end']:.1f} s"]


if __name__ == "__main__":
    main()
