"""One side of `benchmarks/exports.py`: loads what answers, then answers all texts once for every line of standard input.

A line may name a file for the probabilities. `cold` times one command instead.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH, WARM = 32, 64


def main() -> None:
    """Answer."""
    kind, place, given = sys.argv[1:]
    if kind == "cold":
        print(json.dumps(cold(place)))
        return
    texts = json.loads(Path(given).read_text())
    ask = {"pipeline": pipeline, "model": model, "export": export}[kind](place)
    ask(texts[:WARM])
    print(json.dumps({"loaded": True}), flush=True)
    for line in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        found = ask(texts)
        wall, processor = time.perf_counter() - start, time.process_time() - used
        if line.strip():
            import numpy as np

            np.save(line.strip(), found)
        print(json.dumps({"wall": wall, "processor": processor, "peak_bytes": peak("self")}), flush=True)


def export(place: str) -> Callable[[list[str]], Any]:
    """Return what asks an export, and cleans texts as `predict` does."""
    from pretune.data.clean import clean_text
    from pretune.predict.exported import open_export

    scorer = open_export(Path(place))
    return lambda texts: scorer.shares([clean_text(text) for text in texts])


def model(place: str) -> Callable[[list[str]], Any]:
    """Return what asks the saved model, as `predict` does."""
    from pretune.data.clean import clean_text
    from pretune.tasks.classify.opened import load_scorer

    scorer, _ = load_scorer(Path(place))
    return lambda texts: scorer.shares([clean_text(text) for text in texts])


def pipeline(place: str) -> Callable[[list[str]], Any]:
    """Return what asks plain transformers."""
    import torch
    import transformers

    kind = {"model": place, "truncation": True, "top_k": None, "device": "cpu", "dtype": torch.bfloat16, "batch_size": BATCH}
    classify = transformers.pipeline("text-classification", **kind)
    return lambda texts: [item[0]["score"] for item in classify(sorted(texts, key=len))]


def cold(place: str) -> dict[str, float]:
    """Time one command from start to end; its memory is what Linux says of it as it ends."""
    code = (
        "import atexit, sys; from pathlib import Path; "
        "atexit.register(lambda: print(Path('/proc/self/status').read_text(), file=sys.stderr)); "
        f"sys.argv = ['pretune', 'predict', {place!r}, 'a gripping film']; from pretune.__main__ import main; main()"
    )
    start, before = time.perf_counter(), os.times()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": wall, "processor": processor, "peak_bytes": peak_in(done.stderr)}


def peak(process: str) -> int:
    """Return the most memory that a process ever had."""
    return peak_in(Path(f"/proc/{process}/status").read_text())


def peak_in(status: str) -> int:
    """Return the peak that a status of Linux tells, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


if __name__ == "__main__":
    main()
