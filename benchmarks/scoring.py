"""Scoring a table of 20,000 short texts, whole commands, beside sentence-transformers under a logistic regression.

``SENTENCE_TRANSFORMERS_SITE=FOLDER python benchmarks/scoring.py RUN`` lets `pretune predict` answer by the run and by each of
its exports, and the rival by the same encoder in bf16 and in fp32 (``encode``, as it comes: batches of 32, sorted by length).
Sides take turns; seconds are those of processors. FOLDER has the package (``pip install --no-deps --target FOLDER
sentence-transformers==6.2.0``). ``--side KIND TABLE OUT MODEL`` is one rival, in a process of its own. Page: docs/tables.md.
"""

import argparse
import csv
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from harness import SHARED, row
from tables import write

NUM_TEXTS, ROUNDS = 20_000, 3
SETS = ("mr_rt_polarity", "hate_tweets", "sms_spam")  # one sentence or two each
RIVALS = ("bf16", "fp32")
NAME = "sentence-transformers in {} + LR"


def main() -> None:
    """Measure, or be one side."""
    if sys.argv[1:2] == ["--side"]:
        be_rival(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    row("scoring", partial(measure, asked.run, asked.rounds), again=asked.again)
    write()


def measure(run: Path, rounds: int) -> dict[str, Any]:
    """Return the seconds of every side, the median of so many rounds."""
    texts = read_texts()
    models = [run, *sorted(place for place in (run / "export").glob("*") if place.is_dir())]
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "table.csv", Path(folder) / "answers.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["text"], *([text] for text in texts)])
        for _ in range(rounds):
            for model in models:
                command = ["-m", "pretune", "predict", str(model), "--file", str(table), "--text", "text", "--output", str(out)]
                side = "pretune predict RUN" + ("" if model == run else f"/export/{model.name}")
                found.setdefault(side, []).append(clock([*command, "--quiet"], out))
            for kind in RIVALS:
                command = [__file__, "--side", kind, str(table), str(out), encoder()]
                found.setdefault(NAME.format(kind), []).append(clock(command, out))
    medians = {
        side: {name: round(statistics.median(item[name] for item in items), 1) for name in items[0]}
        for side, items in found.items()
    }
    return {"texts": len(texts), "rounds": rounds, "sides": medians}


def read_texts() -> list[str]:
    """Return short texts that differ."""
    texts: dict[str, None] = {}
    for name in SETS:
        with gzip.open(SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            texts |= dict.fromkeys(" ".join(json.loads(line)["text"].split()) for line in file)
    return [text for text in texts if text][:NUM_TEXTS]


def clock(words: list[str], out: Path) -> dict[str, float]:
    """Run one command in a new process; return its seconds of processors and of the wall."""
    out.unlink(missing_ok=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    with out.open(encoding="utf-8", newline="") as file:
        answered = sum(1 for _ in csv.reader(file)) - 1
    if answered != NUM_TEXTS:
        raise RuntimeError(f"{answered} of {NUM_TEXTS} texts have an answer: {words}")
    used = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    return {"processor": used, "wall": wall}


def encoder() -> str:
    """Return the folder of the encoder that both sides start from."""
    from pretune.models import find_checkpoint

    return str(find_checkpoint("minilm").path)


def be_rival(kind: str, table: str, out: str, model: str) -> None:
    """Answer as a script would that has a fitted regression: its weights here are any, since only time is told."""
    sys.path.append(os.environ["SENTENCE_TRANSFORMERS_SITE"])
    import numpy as np
    import pandas
    import torch
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    texts = pandas.read_csv(table, keep_default_na=False)["text"].tolist()
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    encoder = SentenceTransformer(model, device="cpu", model_kwargs={"dtype": dtype})
    encoder.max_seq_length = 128
    vectors = encoder.encode(texts, show_progress_bar=False, convert_to_tensor=True).float().numpy()
    generator = np.random.default_rng(0)
    known = LogisticRegression().fit(generator.normal(size=(20, vectors.shape[1])), np.arange(20) % 2)
    shares = known.predict_proba(vectors)
    pandas.DataFrame({"text": texts, "predicted": shares.argmax(1), "p": shares[:, 1]}).to_csv(out, index=False)


if __name__ == "__main__":
    main()
