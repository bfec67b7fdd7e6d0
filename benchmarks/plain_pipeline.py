"""Does plain transformers answer as ``pretune predict`` does? 10,000 texts of 1 to 600 words through both.

    python benchmarks/plain_pipeline.py RUN/model ../shared/data/imdb_unsup_corpus.jsonl.gz --transformers-4 FOLDER

FOLDER holds transformers 4.57 with its tokenizers and huggingface_hub, as `pip install --target FOLDER` puts them there.
Each version runs in a process of its own, which loads nothing of pretune.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from harness import describe_machine
from pretune.hashing import digest_of
from pretune.predict import answers_of
from pretune.records import Example
from pretune.tasks.classify.load import load_model

ASK = """
import json, sys, transformers
from transformers import pipeline
texts = json.load(open(sys.argv[2], encoding="utf-8"))
classify = pipeline("text-classification", model=sys.argv[1], truncation=True, device="cpu")
found = [[{"label": item["label"], "score": item["score"]} for item in row] for row in classify(texts, top_k=None)]
json.dump({"version": transformers.__version__, "found": found}, open(sys.argv[3], "w"))
"""
RESULTS = Path(__file__).parent / "results" / "plain-pipeline.json"


def main() -> None:
    """Compare, print, and write the result."""
    asked = _parse()
    texts = make_texts(asked.corpus, asked.number, seed=asked.seed)
    start = time.process_time()
    model = load_model(asked.model)
    answers = answers_of(model.scorer, [Example(id=str(index), text=text) for index, text in enumerate(texts)])
    ours = np.array(answers.probabilities)
    result: dict[str, Any] = describe_machine() | {
        "texts": len(texts), "words": [1, 600], "seed": asked.seed, "data": digest_of(texts)[:16],
        "cut": int(sum(len(ids) > model.card_.max_length for ids in model.tokenizer_(texts)["input_ids"])),
        "classes": len(model.card_.classes), "threshold": model.card_.threshold, "temperature": model.card_.folded_temperature,
        "max_length": model.card_.max_length, "base_model": model.card_.base_model, "precision": "fp32",
        "pretune_seconds_of_processor": round(time.process_time() - start, 1), "transformers": {},
    }  # fmt: skip
    for folder in dict.fromkeys(("", asked.transformers_4)):
        result["transformers"] |= _compare(str(asked.model), texts, folder, ours, answers.predicted, model.card_.classes)
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def make_texts(corpus: Path, number: int, *, seed: int) -> list[str]:
    """Return texts whose numbers of words are drawn evenly from 1 to 600, cut from a corpus where they fall."""
    draw, words = random.Random(seed), []
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            words += json.loads(line)["text"].split()
            if len(words) > 2_000_000:
                break
    starts = [(draw.randrange(len(words) - 600), draw.randint(1, 600)) for _ in range(number)]
    return [" ".join(words[start : start + length]) for start, length in starts]


def _compare(model: str, texts: list[str], folder: str, ours: Any, said: tuple[str, ...], classes: tuple[str, ...]) -> Any:
    with tempfile.TemporaryDirectory() as place:
        given, taken = Path(place) / "texts.json", Path(place) / "found.json"
        given.write_text(json.dumps(texts), encoding="utf-8")
        environment = os.environ | {"PYTHONPATH": folder, "PYTHONWARNINGS": "ignore"}
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", ASK, model, str(given), str(taken)], check=True, env=environment)
        came = json.loads(taken.read_text())
    shares = np.array([[{item["label"]: item["score"] for item in row}[name] for name in classes] for row in came["found"]])
    others = [index for index, row in enumerate(came["found"]) if max(row, key=lambda x: x["score"])["label"] != said[index]]
    return {
        came["version"]: {
            "other_answers": len(others), "largest_difference": float(abs(shares - ours).max()),
            "margins_of_other_answers": [float(abs(ours[index, 0] - ours[index, 1])) for index in others[:20]],
            "seconds": round(time.perf_counter() - start, 1),
        }
    }  # fmt: skip


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--transformers-4", default="", help="folder with transformers 4.57, for PYTHONPATH")
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
