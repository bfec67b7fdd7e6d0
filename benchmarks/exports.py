"""Exported forms beside torch and beside the pipeline of transformers: same answers, texts per second, cold start, memory.

    python benchmarks/exports.py --run FOLDER

FOLDER is a judged run; one of `movie-reviews` is made there if it has none. Every side answers in a process of its own,
and waits while the others work; rounds alternate. Writes `results/production-exports.json` and the page.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import production_page
from exports_page import describe
from harness import row

FORMS = ("onnx", "onnx-int8", "openvino", "openvino-int8", "torch")
EXACT = ("onnx",)  # of these, 10,000 texts are compared with torch; of all, those of validation and test
NUM_SAME, COLD = 10_000, 7
RIVAL, TORCH = "pipeline, bf16, 32 sorted by length", "pretune predict, torch fp32"
THREADS = list[int]()  # of each side, where it was asked for
WORKER = str(Path(__file__).with_name("exports_worker.py"))


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--only", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--texts", type=int, default=2_000, help="of the race")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of every side; where others work beside, 1, and processor seconds tell")
    asked = parser.parse_args()
    THREADS.extend([asked.threads] if asked.threads else [])
    row("production-exports", lambda: measure(asked), again=asked.again)
    production_page.write()


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Return everything that the page shows."""
    run, forms = asked.run, asked.only
    if not (run / "run.json").is_file():
        command("run", "movie-reviews", "--run", str(run), "--quiet", codes=(0, 1, 3))
    for form in forms:
        if not (run / "export" / form / "judged.json").is_file():
            command("export", str(run), "--to", form, "--accept-loss", "--quiet")
    texts = texts_of(run)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "texts.json"
        given.write_text(json.dumps(texts[:NUM_SAME]))
        paces_of = texts[: asked.texts]
        same = compare(run, given, [form for form in forms if form in EXACT], Path(folder))
        given.write_text(json.dumps(paces_of))
        paces = race(run, given, forms, asked.rounds)
    cold = {form: start_cold(run / "export" / form) for form in forms if form in ("onnx", "onnx-int8")}
    found = {
        "same": same,
        "paces": paces,
        "cold": cold,
        "rival": RIVAL,
        "torch": TORCH,
        "rounds": asked.rounds,
        "threads": asked.threads,
    }
    return describe(run, forms, found)


def command(*words: str, codes: tuple[int, ...] = (0,)) -> None:
    """Run the command line, with as many threads as the machine has."""
    done = subprocess.run([sys.executable, "-m", "pretune", *words], env=free(), check=False)
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}")


def free() -> dict[str, str]:
    """Return an environment in which every side takes as many threads as `--threads` says, or as it likes."""
    told = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    kept = {name: value for name, value in os.environ.items() if name not in told}
    return kept | (dict.fromkeys(told, str(THREADS[0])) if THREADS else {})


def texts_of(run: Path) -> list[str]:
    """Return the texts of the run's data, training first; labels are not read."""
    names = ("train.jsonl", "validation.jsonl", "test.sealed.jsonl")
    lines = [line for name in names for line in (run / "data" / name).read_text(encoding="utf-8").splitlines()]
    rows = (json.loads(line) for line in lines)
    return [item["text"] for item in rows if item.get("text")]


class Side:
    """One side of the race, in a process of its own."""

    def __init__(self, kind: str, place: Path, given: Path) -> None:
        words = [sys.executable, WORKER, kind, str(place), str(given)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=free())
        self._read()  # loaded, and warmed up

    def round(self, into: Path | None = None) -> dict[str, float]:
        """Answer all texts once; return seconds of the wall and of processors, and the peak of memory so far."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        self._process.stdin.write(f"{into or ''}\n")
        self._process.stdin.flush()
        return self._read()

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _read(self) -> dict[str, float]:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a side has ended without an answer")
        found: dict[str, float] = json.loads(line)
        return found


def compare(run: Path, given: Path, forms: list[str], folder: Path) -> dict[str, Any]:
    """Compare each form with torch in fp32 on the same texts."""
    import numpy as np

    shares = {}
    for name, place in (("model", run / "model"), *((form, run / "export" / form) for form in forms)):
        side = Side("model" if name == "model" else "export", place, given)
        side.round(folder / f"{name}.npy")
        side.end()
        shares[name] = np.load(folder / f"{name}.npy")
    ours = shares.pop("model")
    return {
        form: {
            "texts": len(ours),
            "same": int((theirs.argmax(axis=1) == ours.argmax(axis=1)).sum()),
            "largest": float(abs(theirs - ours).max()),
        }
        for form, theirs in shares.items()
    }


def race(run: Path, given: Path, forms: list[str], times: int) -> dict[str, Any]:
    """Let every side answer the same texts in turn."""
    sides = {RIVAL: Side("pipeline", run / "model", given), TORCH: Side("model", run / "model", given)}
    sides |= {form: Side("export", run / "export" / form, given) for form in forms}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(times):
        for name, side in sides.items():
            rounds[name].append(side.round())
    for side in sides.values():
        side.end()
    return {
        name: {
            "texts": len(json.loads(given.read_text())),
            "wall": round(statistics.median(item["wall"] for item in found), 3),
            "processor": round(statistics.median(item["processor"] for item in found), 3),
            "walls": [round(item["wall"], 3) for item in found],
            "peak_mb": round(found[-1]["peak_bytes"] / 1e6),
        }
        for name, found in rounds.items()
    }


def start_cold(place: Path) -> dict[str, float]:
    """Time `pretune predict EXPORT TEXT` from start to end, in new processes; the first one fills the cache of the disk."""
    found = []
    for _ in range(COLD + 1):
        words = [sys.executable, WORKER, "cold", str(place), ""]
        found.append(json.loads(subprocess.run(words, env=free(), capture_output=True, check=True, text=True).stdout))
    found = found[1:]
    return {
        "wall": round(statistics.median(item["wall"] for item in found), 3),
        "best": round(min(item["wall"] for item in found), 3),
        "processor": round(statistics.median(item["processor"] for item in found), 3),
        "peak_mb": round(max(item["peak_bytes"] for item in found) / 1e6),
    }


if __name__ == "__main__":
    main()
