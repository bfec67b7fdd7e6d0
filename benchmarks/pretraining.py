"""Does pre-training pay? From scratch, continued on films and on medicine, and a causal model on a domain: docs/pretraining.md.

    python benchmarks/pretraining.py                   # what is not kept yet; stops and goes on row by row
    python benchmarks/pretraining.py --only scratch    # one row
    python benchmarks/pretraining.py --write           # only the page

Every row is made by commands that a user would give, in the folder ``--work``; a command that was cut off goes on. The corpora
lie in ../shared/data; without them there is nothing to measure.
"""

import argparse
import gzip
import json
import os
import random
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness import RESULTS, SHARED, row
from pretraining_page import write_page

FILMS, WIKIPEDIA = SHARED / "imdb_unsup_corpus.jsonl.gz", SHARED / "wikipedia_en.jsonl.gz"
IMDB_TEST = str(SHARED / "imdb_test.jsonl.gz")
SAMPLED, NUM_SAMPLED = "imdb_test_sample.jsonl", 4_000  # of IMDb's test, drawn once: nine models of the proof score them
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
        "pretrain": ["--model", "minilm", "--budget", "15m", "--keep-out", "movie-reviews", "--keep-out", IMDB_TEST,
                     "--general", str(WIKIPEDIA), *WATCH],
        "data": ["movie-reviews"],
        "tune": [*TUNE, "--seeds", "3", "--epochs", "1", "--general-task", str(SHARED / "ag_news_test.jsonl.gz")],
    },
    "imdb": {
        "model": "films",
        "data": [str(SHARED / "imdb_train.jsonl.gz"), "--test", SAMPLED],
        "tune": [*TUNE, "--epochs", "1", "--max-length", "128"],
        "note": f"RUN is the language model of the row above; {SAMPLED} are {NUM_SAMPLED:,} rows of IMDb's test, drawn once.",
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
        row(f"pretraining/{name}", lambda name=name: measure(name, asked.work), again=asked.again)
    kept = {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / "pretraining").glob("*.json"))}
    speed = {path.stem: json.loads(path.read_text()) for path in sorted((RESULTS / "pretrain-speed").glob("*.json"))}
    classic = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("classic*.json"))]
    text = write_page(kept, speed, classic)
    (Path(__file__).parents[1] / "docs" / "pretraining.md").write_text(text)
    print(text)


def measure(name: str, place: Path) -> dict[str, Any]:
    """Make the language model, fine-tune it where there is a task, and return what their records say."""
    settings, maker = ROWS[name], ROWS[name].get("model", name)  # the row whose language model is taken
    source, how, work = ROWS[maker]["corpus"], ROWS[maker]["pretrain"], place / name
    for folder in (work, place / maker):
        folder.mkdir(parents=True, exist_ok=True)
    corpus, model = source if isinstance(source, Path) else gather(source, work), place / maker / "lm"
    made = give("pretrain", str(corpus), *how, run=model)
    found: dict[str, Any] = {"note": settings["note"]} if "note" in settings else {}
    if maker == name:
        found |= {"pretraining": made, "command": shown("pretrain", corpus.name, *how)}
    if "data" in settings:
        data = [str(sample(work / word)) if word == SAMPLED else word for word in settings["data"]]
        tuned = give("run", *data, "--model", str(model), *settings["tune"], run=work / "task")
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
        "milestones": history.get("milestones"),
        "num_head_steps": history.get("num_head_steps", 0), "scores": record["scores"], "proof": record["proof"],
        "verdict": (record["verdict"] or {}).get("outcome"), "comparisons": record["comparisons"],
        "findings": [item for item in record["findings"] if item["check"].startswith(("adaptation", "leakage.corpus"))],
        "device": record["device"],
    }  # fmt: skip


def gather(name: str, work: Path) -> Path:
    """Write the medical corpus: questions and answers of MedQuAD, and with ``medicine`` the training abstracts of Ohsumed."""
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


def sample(path: Path) -> Path:
    """Write ``NUM_SAMPLED`` rows of IMDb's test, drawn with a fixed seed."""
    if not path.is_file():
        with gzip.open(IMDB_TEST, "rt", encoding="utf-8") as file:
            path.write_text("".join(random.Random(0).sample(file.readlines(), NUM_SAMPLED)), encoding="utf-8")
    return path


def shown(*words: str) -> str:
    """Return a command as a reader would give it, without places of this machine."""
    return shlex.join(["pretune", *(word.replace(str(SHARED), "../shared/data") for word in words)])


if __name__ == "__main__":
    main()
