"""Does pre-training pay? From scratch, continued on films and on medicine, and a causal model on a domain: docs/pretraining.md.

    python benchmarks/pretraining.py                   # what is not kept yet; stops and goes on row by row
    python benchmarks/pretraining.py --only scratch    # one row
    python benchmarks/pretraining.py --write           # only the page

Every row is made by commands that a user would give, in the folder ``--work``; a command that was cut off goes on. The corpora
lie in ../shared/data; without them there is nothing to measure.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness import RESULTS, SHARED, row
from pretraining_page import write_page

FILMS, WIKIPEDIA = SHARED / "imdb_unsup_corpus.jsonl.gz", SHARED / "wikipedia_en.jsonl.gz"
WATCH = ["--watch", "this movie was really [MASK] ."]
TUNE = ["--freeze", "none", "--set", "judge.encoder_linear=false", "--prove-pretraining"]
# By row: how the language model is made, and the task that it is fine-tuned for, if there is one.
ROWS: dict[str, dict[str, Any]] = {
    "scratch": {
        "corpus": FILMS,
        "pretrain": ["--size", "tiny", "--budget", "24m", "--keep-out", "movie-reviews", *WATCH],
        "data": ["movie-reviews"],
        "tune": [*TUNE, "--seeds", "3", "--epochs", "3", "--lr", "3e-4"],
    },
    "films": {
        "corpus": FILMS,
        "pretrain": ["--model", "minilm", "--budget", "15m", "--keep-out", "movie-reviews", "--general", str(WIKIPEDIA),
                     *WATCH],
        "data": ["movie-reviews"],
        "tune": [*TUNE, "--seeds", "3", "--epochs", "1", "--general-task", str(SHARED / "ag_news_test.jsonl.gz")],
    },
    "medicine": {
        "corpus": "medicine.jsonl",
        "pretrain": ["--model", "minilm", "--budget", "10m", "--keep-out", str(SHARED / "ohsumed_test.jsonl.gz"),
                     "--general", str(WIKIPEDIA)],
        "data": [str(SHARED / "ohsumed_train.jsonl.gz"), "--test", str(SHARED / "ohsumed_test.jsonl.gz")],
        "tune": [*TUNE, "--epochs", "3", "--general-task", "movie-reviews"],
    },
    "smollm2": {
        "corpus": "medquad.jsonl",
        "pretrain": ["--model", "smollm2", "--budget", "4m", "--general", str(WIKIPEDIA), "--batch-tokens", "1024",
                     "--set", "pretrain.validation_tokens=8192", "--set", "pretrain.num_milestones=2"],
    },
}  # fmt: skip


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--work", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if not SHARED.exists() and not asked.write:
        sys.exit("skipped: ../shared/data is not here")
    for name in () if asked.write else asked.only:
        row(f"pretraining/{name}", lambda name=name: measure(ROWS[name], asked.work / name), again=asked.again)
    kept = {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / "pretraining").glob("*.json"))}
    speed = {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / "pretrain-speed").glob("*.json"))}
    classic = RESULTS / "classic.json"
    text = write_page(kept, speed, json.loads(classic.read_text()) if classic.is_file() else None)
    (Path(__file__).parents[1] / "docs" / "pretraining.md").write_text(text)
    print(text)


def measure(settings: dict[str, Any], work: Path) -> dict[str, Any]:
    """Make the language model, fine-tune it where there is a task, and return what their records say."""
    work.mkdir(parents=True, exist_ok=True)
    corpus = settings["corpus"] if isinstance(settings["corpus"], Path) else gather(settings["corpus"], work)
    made = give("pretrain", str(corpus), *settings["pretrain"], run=work / "lm")
    found = {"pretraining": made, "command": shown("pretrain", corpus.name, *settings["pretrain"])}
    if "data" in settings:
        tuned = give("run", *settings["data"], "--model", str(work / "lm"), *settings["tune"], run=work / "task")
        found |= {"task": tuned, "task_command": shown("run", *settings["data"], "--model", "RUN", *settings["tune"])}
    return found


def give(*arguments: str, run: Path) -> dict[str, Any]:
    """Give a command unless its run is done, and return the record's figures."""
    record = json.loads((run / "run.json").read_text()) if (run / "run.json").is_file() else {}
    start = time.perf_counter()
    if record.get("status") not in ("pretrained", "judged"):
        environment = {**os.environ, "PRETUNE_HOME": str(run.parent / "home")}
        command = [sys.executable, "-m", "pretune", *arguments, "--run", str(run)]
        done = subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"{command}: exit code {done.returncode}")
        record = json.loads((run / "run.json").read_text())
    history = record["pretraining"] or {}
    return {
        "seconds": record["seconds"] or {"command": round(time.perf_counter() - start, 1)},
        "corpus": {name: (record["corpus"] or {}).get(name) for name in ("num_documents", "num_kept", "num_words", "dropped")},
        "weights": history.get("num_weights"), "tokens": history.get("num_tokens"), "objective": history.get("objective"),
        "milestones": history.get("milestones"), "scores": record["scores"], "proof": record["proof"],
        "verdict": (record["verdict"] or {}).get("outcome"), "comparisons": record["comparisons"],
        "findings": [item for item in record["findings"] if item["check"].startswith(("adaptation", "leakage.corpus"))],
        "device": record["device"],
    }  # fmt: skip


def gather(name: str, work: Path) -> Path:
    """Write the medical corpus: questions and answers of MedQuAD, and with ``medicine`` the training abstracts of Ohsumed."""
    import gzip

    path = work / name
    if path.is_file():
        return path
    sources = ["medquad.jsonl.gz", *(["ohsumed_train.jsonl.gz"] if name.startswith("medicine") else [])]
    with path.open("w", encoding="utf-8") as file:
        for source in sources:
            with gzip.open(SHARED / source, "rt", encoding="utf-8") as lines:
                for line in lines:
                    value = json.loads(line)
                    text = value["text"] if "text" in value else f"{value['prompt']}\n{value['response']}"
                    file.write(json.dumps({"text": text}) + "\n")
    return path


def shown(*words: str) -> str:
    """Return a command as a reader would give it, without places of this machine."""
    return shlex.join(["pretune", *(word.replace(str(SHARED), "../shared/data") for word in words)])


if __name__ == "__main__":
    main()
