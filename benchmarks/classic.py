"""The classic size in one command: a million texts of 50 words, then 10,000 labelled texts, then a verdict.

    python benchmarks/classic.py --work FOLDER                   # a budget for pre-training: 12 minutes
    python benchmarks/classic.py --work FOLDER --whole           # the whole text once, by a model of 128 × 2

The rows go to ``benchmarks/results/classic.json`` and ``classic-whole.json``, with every stage and its shapes. A command that
was cut off goes on.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from corpus import Peak
from harness import SHARED, row
from pieces import CORPORA, write_pieces

NUM_TEXTS, NUM_LABELLED = 1_000_000, 10_000
LABELLED = "mr_rt_polarity"
TUNE = ["--size", "tiny", "--freeze", "none", "--epochs", "3", "--lr", "3e-4", "--set", "judge.encoder_linear=false"]
# A model that reads the million texts once well within the two hours on two cores.
WHOLE = ["--set", "pretrain.architecture=hidden_size=128,num_hidden_layers=2,num_attention_heads=2", "--tokens", "75.7M"]


def main() -> None:
    """Measure, unless it is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/classic"))
    parser.add_argument("--budget", default="12m")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    missing = [name for name in (*CORPORA, LABELLED) if not (SHARED / f"{name}.jsonl.gz").is_file()]
    if missing:
        sys.exit(f"skipped: {SHARED} has no {missing[0]}.jsonl.gz")
    how = WHOLE if asked.whole else ["--pretrain-budget", asked.budget]
    row("classic-whole" if asked.whole else "classic", lambda: measure(asked.work, how), again=asked.again)


def measure(work: Path, how: list[str]) -> dict[str, Any]:
    """Give the command, and return its time, memory, stages and figures."""
    work.mkdir(parents=True, exist_ok=True)
    counts, labelled = gather(work / "texts.jsonl"), label(work / "labelled.jsonl")
    arguments = ["run", str(labelled), "--pretrain", str(work / "texts.jsonl"), *how, *TUNE]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pretune", *arguments, "--run", str(work / "run")],
        env={**os.environ, "PRETUNE_HOME": str(work / "home")}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    peak = Peak(process.pid)
    code = process.wait()
    seconds = time.perf_counter() - start
    if code not in (0, 1, 3):
        raise SystemExit(f"the command ended with code {code}")
    record = json.loads((work / "run" / "run.json").read_text())
    made = json.loads((work / "run-lm" / "run.json").read_text())
    return {
        "command": f"pretune run labelled.jsonl --pretrain texts.jsonl {' '.join([*how, *TUNE])}",
        "pieces": counts,
        "command_seconds": round(seconds, 1),
        "peak_anonymous_mb": round(peak.stop() / 1e6),
        "tokens_read": made["pretraining"]["num_tokens"],
        "milestones": made["pretraining"]["milestones"],
        "corpus": {name: made["corpus"][name] for name in ("num_documents", "num_kept", "num_words", "dropped")},
        "stages": list(stages(work / "run" / "trace.jsonl")),
        "scores": [item for item in record["scores"] if item["metric"] in ("accuracy", "loss") and item["split"] == "test"],
        "verdict": record["verdict"]["outcome"],
        "device": record["device"],
    }


def gather(path: Path) -> dict[str, int]:
    """Write the texts as JSON lines; return how many came from where."""
    lines = path.with_suffix(".txt")
    counts = write_pieces(lines, NUM_TEXTS)
    with lines.open(encoding="utf-8") as file, path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps({"text": line.rstrip("\n")}) + "\n" for line in file)
    lines.unlink()
    return counts


def label(path: Path) -> Path:
    """Write 10,000 labelled sentences, drawn with a fixed seed."""
    with gzip.open(SHARED / f"{LABELLED}.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = random.Random(0).sample(file.readlines(), NUM_LABELLED)
    path.write_text("".join(rows), encoding="utf-8")
    return path


def stages(trace: Path) -> Any:
    """Yield what went into each stage, what came out, and its seconds."""
    place = str(trace.parent.parent)
    for line in trace.read_text(encoding="utf-8").splitlines():
        event = json.loads(line.replace(place, "WORK"))
        if event["event"] == "stage":
            yield {name: event.get(name) for name in ("stage", "shape_in", "shape_out", "seconds")}


if __name__ == "__main__":
    main()
