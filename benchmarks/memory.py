"""How much memory a whole run takes, and whether it grows with the rows: ``movie-reviews``, and tables of made texts.

``python benchmarks/memory.py`` measures what is not kept yet, ``--only ROW …`` some rows, ``--again`` anew; the table is in
docs/performance.md, which ``python benchmarks/speed.py --write`` writes. Memory is what Linux calls anonymous: what the process
would need in the absence of any file; pages of files that are mapped, such as the trunk's states, are not in it.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from harness import row
from pretune.models import find_checkpoint

ROWS = {"movie-reviews": None, "rows-100000": 100_000, "rows-1000000": 1_000_000}
NUM_WORDS, SHORTEST, LONGEST = 3_000, 6, 12  # different words in all; words a text
TOLD = {"pos": "wonderful", "neg": "terrible"}  # in four of five texts of the class; in the others, of the other class
BETWEEN = 0.2  # seconds between two looks


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    for name in asked.only:
        row(f"memory/{name}", lambda name=name: measure(ROWS[name]), again=asked.again)


def measure(num_rows: int | None) -> dict[str, Any]:
    """Run a command to its end: the one a newcomer gives, or a head above a frozen trunk on a table of so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if num_rows is None:
            return watch("run", "movie-reviews", folder=place)
        write_table(place / "table.csv", num_rows)
        return watch("run", str(place / "table.csv"), "--freeze", "all", "--epochs", "1", folder=place)


def watch(*arguments: str, folder: Path) -> dict[str, Any]:
    """Return the peak of a command, and the peak during each of its stages.

    Raises:
        RuntimeError: It ended otherwise than with a verdict.
    """
    command = [sys.executable, "-m", "pretune", *arguments, "--run", f"{folder}/run", "--set", "finetune.keep_trunk=false"]
    samples: list[tuple[float, int]] = []  # seconds since 1970, megabytes
    with (folder / "told").open("w") as told:
        environment = {**os.environ, "PRETUNE_HOME": f"{folder}/home"}
        process = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT, env=environment)
        while process.poll() is None:
            samples.append((time.time(), anonymous(process.pid)))
            time.sleep(BETWEEN)
    if process.returncode not in (0, 1, 3):
        raise RuntimeError(f"{' '.join(arguments)}: exit code {process.returncode}\n{(folder / 'told').read_text()[-2000:]}")
    events = [json.loads(line) for line in (folder / "run" / "trace.jsonl").read_text().splitlines()]
    read = json.loads((folder / "run" / "data" / "receipt.json").read_text())
    return {
        "command": " ".join(["pretune", *arguments]).replace(f"{folder}/", ""),
        "num_rows": read["num_rows"],
        "outcome": json.loads((folder / "run" / "run.json").read_text())["verdict"]["outcome"],
        "took": round(samples[-1][0] - samples[0][0], 1),
        "peak_mb": max(used for _, used in samples),
        "stages_mb": {
            stage["stage"]: peak for stage in events if stage["event"] == "stage" and (peak := peak_of(stage, samples))
        },
    }


def peak_of(stage: dict[str, Any], samples: list[tuple[float, int]]) -> int:
    """Return the megabytes of the look, of those during a stage, that saw most; 0 where it was over before the next look."""
    return max((used for at, used in samples if stage["time"] - stage["seconds"] <= at <= stage["time"]), default=0)


def anonymous(process: int) -> int:
    """Return megabytes (10⁶ bytes) of anonymous memory, 0 where the process is gone."""
    try:
        found = re.search(r"^Anonymous:\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 // 1_000_000 if found else 0


def write_table(path: Path, num_rows: int) -> None:
    """Write texts of words that the model's vocabulary holds, the frequent ones often, with one word that tells the class."""
    vocabulary = (Path(find_checkpoint("minilm").path) / "vocab.txt").read_text().split("\n")
    plain = [word for word in vocabulary if re.fullmatch("[a-z]{3,8}", word) and word not in TOLD.values()]
    words, generator = np.array(plain[:NUM_WORDS]), np.random.default_rng(0)
    shares = 1 / np.arange(10, 10 + len(words))
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        for start in range(0, num_rows, 10_000):
            num = min(10_000, num_rows - start)
            drawn = words[generator.choice(len(words), (num, LONGEST), p=shares / shares.sum())]
            lengths, signs = generator.integers(SHORTEST, LONGEST, num), generator.random(num) < 0.5
            honest = generator.random(num) < 0.8
            for text, length, sign, is_honest in zip(drawn.tolist(), lengths, signs, honest, strict=True):
                text[length:] = [TOLD["pos" if sign == is_honest else "neg"]]
                table.writerow([" ".join(text), "pos" if sign else "neg"])


if __name__ == "__main__":
    main()
