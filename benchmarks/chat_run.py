"""From a table of questions to a verdict: the command, its time and memory, every source's figures, and what each replied.

    python benchmarks/chat_run.py                                        # medquad by subject, ten minutes, 250 questions
    python benchmarks/chat_run.py --budget 40m --name chat/run-long      # a row of its own
    python benchmarks/chat_run.py --run runs/medquad-smollm2 --peak 7.7  # a run that was made by hand, and its peak in GB
    python benchmarks/chat_run.py --page                                 # docs/conversation-run.md from the kept rows alone

Forgetting is measured on the replies of general instructions. Questions are chosen by the run itself: spread evenly from the
model's worst reply to its best.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

from harness import RESULTS, SHARED, row
from wrapped import wrapped

NAMES = ("chat/run", "chat/run-long")
PAGE = Path(__file__).parents[1] / "docs" / "conversation-run.md"
SHOWN = {"chrf": "chrF", "loss": "loss", "subject": "names the subject", "ended": "ended", "loops": "loops"}
HEAD = """# A chatbot's run, whole

Written by `benchmarks/chat_run.py` from `benchmarks/results/chat/run*.json`. Questions and references are MedQuAD's (Ben Abacha
and Demner-Fushman 2019, CC BY 4.0), cut to their first letters. What is asked, and why, is in [conversation](conversation.md).
"""


def main() -> None:
    """Measure a row, unless it is kept, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", default="10m")
    parser.add_argument("--name", default=NAMES[0])
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--peak", type=float, default=0.0)
    parser.add_argument("--page", action="store_true")
    asked = parser.parse_args()
    if not asked.page:
        made = None if asked.run is None else json.loads((asked.run / "run.json").read_text())
        row(asked.name, lambda: measure(asked.budget) if made is None else known(made, asked.peak), again=asked.again)
    PAGE.write_text(wrapped("\n".join([HEAD, *map(_drawn, filter(None, map(_kept, NAMES)))])), encoding="utf-8")
    print(PAGE)


def measure(budget: str) -> dict[str, Any]:
    """Run the command in a folder and with a ledger of its own; return what the page shows."""
    asked = ["--group", "focus", "--budget", budget, "--general", str(SHARED / "instruct_t0_sample.jsonl.gz")]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pretune", "run", str(SHARED / "medquad.jsonl.gz"), *asked, "--run", f"{folder}/run"]
        start = time.perf_counter()
        environment = {**os.environ, "PRETUNE_HOME": f"{folder}/home"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        seconds = time.perf_counter() - start
        if done.returncode not in (0, 1, 3):
            sys.exit(done.stderr[-3_000:])
        record = json.loads((Path(folder) / "run" / "run.json").read_text())
    return {
        "budget": budget,
        "load": round(os.getloadavg()[0], 2),
        "command_seconds": round(seconds),
        "peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        **figures(record),
    }


def known(record: dict[str, Any], gigabytes: float) -> dict[str, Any]:
    """Return the same of a run that is there; its seconds are those that it noted."""
    return {
        "budget": record["configs"]["budget"],
        "load": round(os.getloadavg()[0], 2),
        "command_seconds": round(sum(record["seconds"].values())),
        "peak_bytes": gigabytes * 1e9,
        **figures(record),
    }


def figures(record: dict[str, Any]) -> dict[str, Any]:
    """Return figures, comparisons, verdict and samples of a record."""
    return {
        "seconds_by_stage": record["seconds"],
        "steps": len(record["history"]["steps"]),
        "outcome": record["verdict"]["outcome"],
        "reasons": [item["text"] for item in record["verdict"]["reasons"]],
        "scores": [[s["source"], s["metric"], s["value"], s["low"], s["high"], s["split"]] for s in record["scores"]],
        "comparisons": [[c["a"], c["b"], c["metric"], c["difference"], c["low"], c["high"]] for c in record["comparisons"]],
        "findings": [[f["check"], f["severity"], f["summary"]] for f in record["findings"] if f["severity"] != "ok"],
        "samples": record["chat"]["samples"],
        "notes": record["chat"]["notes"],
    }


def _kept(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _drawn(found: dict[str, Any]) -> str:
    minutes, gigabytes = found["command_seconds"] / 60, found["peak_bytes"] / 1e9
    sources = list(dict.fromkeys(score[0] for score in found["scores"] if score[5] == "test"))
    values = {(s[0], s[1]): s[2:5] for s in found["scores"] if s[5] == "test"}
    metrics = [metric for metric in SHOWN if any((source, metric) in values for source in sources)]
    lines = [
        f"## `pretune run medquad --group focus --budget {found['budget']}`",
        "",
        f"{minutes:.1f} minutes to the verdict, {gigabytes:.1f} GB at most, {found['steps']} updates "
        f"({found['measured']}, {found['machine']['cores']} cores, load {found['load']:g}, {found['commit']}). "
        f"Verdict: **{found['outcome'].replace('_', ' ')}**.",
        "",
        *(f"- {reason}" for reason in found["reasons"]),
        "",
        "| source | " + " | ".join(SHOWN[metric] for metric in metrics) + " |",
        "|---" * (1 + len(metrics)) + "|",
        *(f"| {source} | " + " | ".join(_value(values.get((source, m))) for m in metrics) + " |" for source in sources),
        "",
        "| the model against | difference | by |",
        "|---|---|---|",
        *(
            f"| {b} | {_value((difference, low, high))} | {metric} |"
            for _, b, metric, difference, low, high in found["comparisons"]
        ),
        "",
        *_asked(found["samples"]),
    ]
    return "\n".join(lines) + "\n"


def _asked(samples: list[dict[str, Any]]) -> list[str]:
    lines = ["### What ten questions were answered", ""]
    for sample in samples:
        lines += [f"**{_cut(sample['question'])}**", "", f"- reference: {_cut(sample['reference'])}"]
        lines += [f"- {source}: {_cut(text)}" for source, text in sample["texts"].items()] + [""]
    return lines


def _value(item: Any) -> str:
    if item is None:
        return "–"
    value, low, high = item
    return f"{value:.3g}" + ("" if low is None else f" ({low:.3g} to {high:.3g})")


def _cut(text: str) -> str:
    return textwrap.shorten(text.replace("|", "/").replace("<", "‹"), 160, placeholder=" …") or "(nothing)"


if __name__ == "__main__":
    main()
