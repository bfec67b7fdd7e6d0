"""What the live page costs a training: the same training with and without a viewer, in turn; seconds of the updates alone.

    python benchmarks/live_page.py [--pairs 4]

``movie-reviews``, the last layer, one epoch; the viewer is a process that reads the events. docs/decisions/0059 has it.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import row

TRAIN = [
    "finetune", "movie-reviews", "--freeze", "last-1", "--epochs", "1", "--set", "judge.encoder_linear=false", "--threads", "1",
]  # fmt: skip
VIEW = "import sys, urllib.request\nfor line in urllib.request.urlopen(sys.argv[1] + 'events'): pass"


def main() -> None:
    """Measure, anew each time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4)
    asked = parser.parse_args()
    row("live-page", lambda: measure(asked.pairs), again=True)


def measure(pairs: int) -> dict[str, Any]:
    """Return processor seconds of the command and seconds of its updates, with the page and without, and their ratio."""
    found: dict[str, list[dict[str, float]]] = {"plain": [], "live": []}
    for number in range(pairs):
        for kind in ("plain", "live") if number % 2 else ("live", "plain"):
            found[kind].append(train(kind))
    middle = {kind: {name: statistics.median(item[name] for item in runs) for name in runs[0]} for kind, runs in found.items()}
    ratios = {name: round(middle["live"][name] / middle["plain"][name], 4) for name in middle["plain"]}
    return {"pairs": pairs, "median": middle, "ratio": ratios, "runs": found}


def train(kind: str) -> dict[str, float]:
    """Train once; the page has a viewer from its first second on."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pretune", *TRAIN, "--run", f"{folder}/run", "--quiet"]
        environment = {**os.environ, "PRETUNE_HOME": f"{folder}/home"}
        command += ["--live", "--live-port", "0"] if kind == "live" else []
        before = os.times()
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
        ) as process:
            viewer = None
            if kind == "live" and process.stderr is not None:
                url = re.search(r"http://[0-9.:]+/", process.stderr.readline())
                viewer = subprocess.Popen([sys.executable, "-c", VIEW, url[0] if url else ""])
            said = process.communicate()[1]
        if process.returncode:
            sys.exit(said)
        after = os.times()
        if viewer is not None:
            viewer.wait()
        record = json.loads((Path(folder) / "run" / "run.json").read_text())
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {"processor": round(spent, 2), "updates": sum(item["seconds"] for item in record["history"]["validations"])}


if __name__ == "__main__":
    main()
