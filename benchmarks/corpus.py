"""A million texts of 50 words: read, clean, deduplicate, tokenize, pack; time by stage, peak memory, and what the index finds.

    python benchmarks/corpus.py                  # 500,000 and 1,000,000 texts, and planted pairs
    python benchmarks/corpus.py --sizes 20000    # small

Rows go to ``benchmarks/results/corpus/``. Skipped, with the reason, where the shared data are not beside the checkout.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import planted_corpus
from harness import SHARED, row
from pieces import CORPORA, write_pieces

SIZES = (500_000, 1_000_000)
LIMITS = {"seconds": 240, "peak_anonymous_mb": 1_500, "ratio": 2.2}


def main() -> int:
    """Measure; return 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--prepare", nargs=3, metavar=("PIECES", "FOLDER", "WORKERS"), help="the process that is measured")
    arguments = parser.parse_args()
    if arguments.prepare:
        print(json.dumps(prepare(Path(arguments.prepare[0]), Path(arguments.prepare[1]), int(arguments.prepare[2]) or None)))
        return 0
    missing = [name for name in CORPORA if not (SHARED / f"{name}.jsonl.gz").is_file()]
    if missing:
        print(f"skipped: {SHARED} has no {missing[0]}.jsonl.gz")
        return 0
    for size in arguments.sizes:
        row(f"corpus/{size}", lambda size=size: measure(size, arguments.workers), again=arguments.again)  # type: ignore[misc]
    row("corpus/planted", planted_corpus.measure, again=arguments.again)
    return int(not all(within_limits(arguments.sizes)))


def measure(size: int, workers: int | None) -> dict[str, Any]:
    """Prepare a corpus of so many pieces in a process of its own, and watch its memory."""
    with tempfile.TemporaryDirectory() as folder:
        pieces = Path(folder) / "pieces.txt"
        counts = write_pieces(pieces, size)
        command = [sys.executable, __file__, "--prepare", str(pieces), f"{folder}/data", str(workers or 0)]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peak = Peak(process.pid)
        output, _ = process.communicate()
        seconds = time.perf_counter() - start
        if process.returncode:
            raise SystemExit(f"preparing failed with code {process.returncode}")
        return {
            "num_texts": size,
            "input_bytes": pieces.stat().st_size,
            "pieces": counts,
            "command_seconds": round(seconds, 1),
            "peak_anonymous_mb": round(peak.stop() / 1e6),
            **json.loads(output),
        }


def prepare(pieces: Path, folder: Path, workers: int | None) -> dict[str, Any]:
    """Prepare, tokenize and pack; return the seconds of each stage and what became of the texts."""
    from pretune.configs import CorpusConfig
    from pretune.data.corpus import prepare_corpus
    from pretune.run.trace import Trace
    from pretune.tokens import train_tokenizer, write_store

    seconds: dict[str, float] = {}

    def listen(event: dict[str, Any]) -> None:
        if event["event"] == "stage":
            seconds[event["stage"]] = seconds.get(event["stage"], 0.0) + event["seconds"]

    trace = Trace(listeners=(listen,))
    corpus = prepare_corpus(pieces, CorpusConfig(document="line", workers=workers), folder, trace=trace)
    prepared = sum(seconds.values())
    start = time.perf_counter()
    tokenizer = train_tokenizer(corpus.texts("train"), trace=trace)
    learned = time.perf_counter() - start
    store = write_store(corpus.texts("train"), tokenizer, folder / "tokens.train", num_texts=corpus.num_texts("train"))
    total = prepared + time.perf_counter() - start
    receipt = corpus.receipt
    return {
        "stages": {**seconds, "prepared": prepared, "tokenizer": learned, "packed": total - prepared - learned, "all": total},
        "num_kept": receipt.num_kept,
        "dropped": receipt.dropped,
        "changed": receipt.changed,
        "near_duplicates": receipt.near_duplicates,
        "num_words": receipt.num_words,
        "num_tokens": store.num_tokens,
        "disk_bytes": {item.name: item.stat().st_size for item in sorted((folder / "corpus").iterdir())},
        "digest": receipt.digest,
    }


class Peak:
    """The most anonymous memory that a process and those it started held together, looked at 20 times a second."""

    def __init__(self, process: int) -> None:
        self._process, self._peak, self._ended = process, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self._peak = max(self._peak, sum(map(anonymous_bytes, tree_of(self._process))))


def tree_of(process: int) -> list[int]:
    """Return a process and all that it started, directly or not."""
    found = [process]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found.extend(map(int, children.read_text().split()))
            except OSError:  # it has ended
                continue
    return found


def anonymous_bytes(process: int) -> int:
    """Return RssAnon of a process; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1_024 for line in lines if line.startswith("RssAnon")), 0)


def within_limits(sizes: list[int]) -> list[bool]:
    """Print each size's figures beside the limits, and the growth from size to size."""
    results = Path(__file__).parent / "results/corpus"
    rows = [json.loads((results / f"{size}.json").read_text()) for size in sizes]
    held = []
    for found in rows:
        stages, peak = found["stages"], found["peak_anonymous_mb"]
        print(
            f"{found['num_texts']:>9,} texts: {stages['all']:.1f} s ({stages['prepared']:.1f} s to prepare), peak {peak:,} MB"
        )
        held += [stages["all"] <= LIMITS["seconds"], peak <= LIMITS["peak_anonymous_mb"]]
    for small, large in pairwise(rows):
        growth = large["num_texts"] / small["num_texts"] / 2
        ratio = large["stages"]["all"] / small["stages"]["all"] / growth
        print(f"twice the texts take {ratio:.2f} × the time (limit {LIMITS['ratio']})")
        held.append(ratio <= LIMITS["ratio"])
    return held


if __name__ == "__main__":
    sys.exit(main())
