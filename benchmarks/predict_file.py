"""How fast ``predict --file`` is, and whether its memory grows with the rows: made texts, a tiny network and a linear model.

``python benchmarks/predict_file.py`` measures what is not kept yet, ``--only ROW …`` some rows, ``--again`` anew. A row is one
command from its start to its end, loading included; peak memory is what Linux counts as resident in the process.
"""

import argparse
import csv
import hashlib
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))
from tiny import BAD_WORDS, GOOD_WORDS, NEUTRAL_WORDS, make_rows, save_checkpoint

# Row → who answers, how many rows, and how many words a text has.
ROWS = {
    "network-20000": ("network", 20_000, (5, 60)),
    "network-1000000": ("network", 1_000_000, (3, 8)),
    "linear-20000": ("linear", 20_000, (5, 60)),
    "linear-1000000": ("linear", 1_000_000, (3, 8)),
    "linear-10000000": ("linear", 10_000_000, (3, 5)),
}
# The script that asks as `predict` did before, where a checkout of that commit is named: all at once, to standard output.
BEFORE = "before-{}"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--before", help="a checkout of an earlier commit, measured on the rows of --only as well")
    asked = parser.parse_args()
    for name in asked.only:
        if asked.before:
            measured = f"predict-file/{BEFORE.format(name)}"
            row(measured, lambda name=name: measure(*ROWS[name], source=Path(asked.before) / "src"), again=asked.again)
        row(f"predict-file/{name}", lambda name=name: measure(*ROWS[name]), again=asked.again)


def measure(who: str, num_rows: int, words: tuple[int, int], source: Path | None = None) -> dict[str, Any]:
    """Run one command; return rows a second and the peak of its memory."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = make_linear(place) if who == "linear" else make_network(place)
        digest = write_table(place / "table.csv", num_rows, words)
        command = [sys.executable, "-m", "pretune", "predict", model, "--file", str(place / "table.csv"), "--text", "text"]
        command += ["--json"] if source else ["--output", str(place / "answers.csv"), "--json", "--quiet"]
        environment = {**os.environ, "PRETUNE_HOME": str(place / "home")}
        environment |= {"PYTHONPATH": str(source)} if source else {}
        start = time.perf_counter()
        with (place / "told").open("w") as told:
            process = subprocess.Popen(command, stdout=told, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        answers = place / ("told" if source else "answers.csv")
        with answers.open("rb") as file:
            num_answers = sum(1 for _ in file) - (0 if source else 1)
        return {
            "rows": num_rows, "answers": num_answers, "seconds": round(seconds, 1),
            "rows_per_second": round(num_rows / seconds),
            "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1), "peak_mb": round(usage.ru_maxrss / 1024),
            "data": digest, "load": os.getloadavg()[0],
        }  # fmt: skip


def write_table(path: Path, num_rows: int, words: tuple[int, int]) -> str:
    """Write distinct generated texts; return the digest of the first thousand."""
    draw, vocabulary = random.Random(0), [*NEUTRAL_WORDS, *GOOD_WORDS, *BAD_WORDS]
    head = hashlib.sha256()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        for number in range(num_rows):
            text = " ".join(draw.choices(vocabulary, k=draw.randint(*words)))
            if number < 1000:
                head.update(text.encode())
            writer.writerow([number, text])
    return head.hexdigest()[:16]


def make_linear(place: Path) -> str:
    """Fit a linear model on generated rows."""
    from pretune.evaluate.baselines import fit_linear
    from pretune.records import Example

    rows = [Example(id=str(number), text=text, label=label) for number, (text, label) in enumerate(make_rows(400))]
    fit_linear(rows).save(place / "linear")
    return str(place / "linear")


def make_network(place: Path) -> str:
    """Fit a tiny network on generated rows."""
    import pretune

    save_checkpoint("bert", place / "tiny")
    config = pretune.FinetuneConfig(threads=1, batch_size=16, learning_rate=3e-3)
    model = pretune.TextClassifier(str(place / "tiny"), epochs=1, config=config)
    texts, labels = zip(*itertools.islice(make_rows(400), 400), strict=True)
    return str(model.fit(list(texts), list(labels)).save(place / "model"))


if __name__ == "__main__":
    main()
