"""How fast pretune is beside transformers' ``Trainer`` and ``pipeline``: the same rows, model, epochs, batch and rate, in turn.

``python benchmarks/speed.py`` measures what is not kept yet, run by run, and writes docs/performance.md: it can be stopped and
gone on with. ``--quick`` times so many steady steps of every side and multiplies; ``--only WORK …`` measures some works;
``--write`` only writes the page. Of the last two layers ``--quick`` trains two epochs with pretune and counts the second one
for all that follow. Each side runs in a process of its own (benchmarks/contest.py), one after the other.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gpu import best_product
from harness import RESULTS, SHARED, row
from pretune import load_data, load_pretrained_model
from pretune.data.clean import clean_examples
from pretune.data.read.path import read_table
from pretune.models import find_checkpoint
from pretune.train import choose_device
from speed_page import write_page

SIDES = ("pretune", "rival-best", "rival-plain")
SEEDS = (0, 1, 2)
QUICK_STEPS, STEADY_STEPS = 40, 70  # a pair; three pairs have 210 steady ones
QUICK_EPOCHS = (
    2  # of the last layers, that pretune trains: the first has the frozen trunk before it, the second is like the rest
)
VALIDATED = 400  # validation texts that are scored where steps are timed; their seconds are multiplied as well
SCORED_TEXTS, QUICK_TEXTS = 10_000, 2_000
WORKS: dict[str, dict[str, Any]] = {
    "frozen": {"freeze": "all", "epochs": 20, "rate": 1e-3},
    "last-2": {"freeze": "last-2", "epochs": 5, "rate": 1e-4},
    "all": {"freeze": "none", "epochs": 3, "rate": 5e-5},
    "accuracy": {"freeze": "none", "epochs": 2, "rate": 1e-4, "dropout": 0.0},  # pretune alone, to the accuracy of "all"
    "scoring": {},
}
MATRIX_SIDES = (1024, 1536)  # of the matrices whose product is the peak
DATA = {"movie-reviews": 128, "imdb-2500": 256}


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(WORKS), default=list(WORKS))
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--seeds", nargs="+", type=int, choices=SEEDS, default=list(SEEDS))
    parser.add_argument("--precision", choices=["auto", "fp32"], default="auto")
    parser.add_argument("--again", action="store_true")
    for name in ("quick", "steady", "write"):
        parser.add_argument(f"--{name}", action="store_true")
    asked = parser.parse_args()
    for job in () if asked.write else jobs(asked):
        row(job.pop("name"), lambda job=job: {"about": job["about"], **contest(job)}, again=asked.again)
    kept, memory = (
        [json.loads(path.read_text()) for path in sorted((RESULTS / of).glob("*.json"))] for of in ("speed", "memory")
    )
    page = Path(__file__).parents[1] / "docs" / "performance.md"
    profile = RESULTS / "profile" / "step.json"
    text = write_page(kept, json.loads(profile.read_text()) if profile.exists() else None, memory)
    print(text)
    if not asked.quick:
        page.write_text(text)


def jobs(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield every side of every pair, the sides in turn."""
    kind = "quick." if asked.quick else "steady." if asked.steady else ""
    kind += "fp32." if asked.precision == "fp32" else ""
    for data in asked.data:
        if data.startswith("imdb") and (asked.quick or not SHARED.exists()):
            continue
        for work in asked.only:
            if asked.quick and work == "accuracy":
                continue
            for seed in asked.seeds:
                for side in SIDES if asked.precision == "auto" else ("pretune", "rival-plain"):
                    if side in asked.sides and not (work == "accuracy" and side != "pretune"):
                        about = {"data": data, "work": work, "side": side, "seed": seed, "kind": kind.strip(".")}
                        run = {"name": f"speed/{kind}{data}.{work}.{side}.{seed}", "about": about, "precision": asked.precision}
                        yield {**run, "steps": steps(asked, data, work, side)}


def steps(asked: argparse.Namespace, data: str, work: str, side: str) -> int | None:
    """Return how many steps are timed; ``None`` is a whole run."""
    if work in ("scoring", "accuracy") or (side == "pretune" and work != "all"):
        return None
    if asked.quick:
        return QUICK_STEPS
    return STEADY_STEPS if asked.steady or data == "imdb-2500" else None


def contest(job: dict[str, Any]) -> dict[str, Any]:
    """Run one side in a process of its own."""
    about = job["about"]
    texts = rows_of(about["data"])
    settings: dict[str, Any] = {
        "work": about["work"], "seed": about["seed"], "steps": job["steps"], "batch_size": 32, "dropout": None,
        "max_length": DATA[about["data"]], "model": str(find_checkpoint("minilm").path), "precision": job["precision"],
        **texts, **WORKS[about["work"]],
    }  # fmt: skip
    if about["kind"].startswith("quick") and (about["work"], about["side"]) == ("last-2", "pretune"):
        settings["timed_epochs"] = QUICK_EPOCHS
    if job["steps"] is not None:
        held = settings["validation"]
        settings["validation"] = {name: values[:VALIDATED] for name, values in held.items()}
        settings["validations_times"] = len(held["texts"]) / len(settings["validation"]["texts"])
    with tempfile.TemporaryDirectory() as folder:
        if about["work"] == "scoring":
            num_texts = QUICK_TEXTS if about["kind"].startswith(("quick", "steady")) else SCORED_TEXTS
            parts = [*texts["train"]["texts"], *texts["validation"]["texts"]]
            settings["train"] = {"texts": (parts * 2)[:num_texts], "labels": []}
            settings["model"] = str(save_classifier(Path(folder) / "model"))
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(settings))
        command = [sys.executable, str(Path(__file__).with_name("contest.py")), about["side"], str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        done_work = work_done(settings, about["side"])  # while the model is there
    if done.returncode:
        raise RuntimeError(f"{about}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "seconds": round(found["seconds"], 2), "peak": peak(), "work_done": done_work}


@cache
def rows_of(data: str) -> dict[str, Any]:
    """Return texts and labels of training and validation, the same for every side and seed."""
    if data == "movie-reviews":
        found = load_data(data)
        parts = {"train": found.train, "validation": found.validation}
    else:
        rows, _ = clean_examples(read_table(SHARED / "imdb_train.jsonl.gz").examples)
        chosen = np.random.default_rng(0).permutation(len(rows))[:3_000]
        parts = {"train": tuple(rows[i] for i in chosen[:2_500]), "validation": tuple(rows[i] for i in chosen[2_500:])}
    return {name: {"texts": [r.text for r in part], "labels": [str(r.label) for r in part]} for name, part in parts.items()}


def save_classifier(folder: Path) -> Path:
    """Write a model that labels texts: ``minilm`` with a head trained on a few rows."""
    texts = ["a fine film", "a poor film"] * 8
    model = load_pretrained_model("minilm", freeze="all", epochs=1)
    return model.fit(texts, ["good", "poor"] * 8, validation_data=(texts, ["good", "poor"] * 8)).save(folder)


def peak() -> dict[str, float]:
    """Return the best matrix product of this machine, in TFLOP/s, by precision."""
    devices = (choose_device("cpu", precision=precision) for precision in ("bf16", "fp32"))
    return {device.precision: round(best_product(device, MATRIX_SIDES), 3) for device in devices}


def work_done(settings: dict[str, Any], side: str) -> dict[str, float]:
    """Return tokens of an epoch, and the floating-point operations a token that the side makes when it trains all layers.

    Of the last layer pretune computes keys and values for every token, and all else for the one token that the head reads.

    Source:
        6 × weights outside the embeddings and 12 × width × mean length for the attention products, a token.
    """
    from transformers import AutoConfig, AutoTokenizer

    tokenizer, config = AutoTokenizer.from_pretrained(settings["model"]), AutoConfig.from_pretrained(settings["model"])
    held = tokenizer(settings["train"]["texts"], truncation=True, max_length=settings["max_length"])["input_ids"]
    lengths = np.array([len(ids) for ids in held])
    width, layers = config.hidden_size, config.num_hidden_layers
    weights = layers * (4 * width * width + 2 * width * config.intermediate_size)
    if side == "pretune":
        weights, layers = weights // layers * (layers - 1) + 2 * width * width, layers - 1
    attended = float((lengths.astype(float) ** 2).sum() / lengths.sum())
    return {"tokens": int(lengths.sum()), "flop_a_token": 6 * weights + 12 * layers * width * attended}


if __name__ == "__main__":
    main()
