"""What a process holds, and how long a step takes, where two train an encoder of 110 M weights: whole layers, or parts of them.

    python benchmarks/sharding.py

The model has random weights and the texts are random ids, as in ``benchmarks/gpu.py``; processes meet over gloo.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification

from corpus import Peak
from gpu import Work, base_config, make_update
from harness import row
from pretune.configs import FinetuneConfig
from pretune.models import ClassNetwork
from pretune.train import ALONE, choose_device, join, release_memory, train_steps
from pretune.train.optimizer import make_optimizer
from pretune.train.sharding import Shards

NUM_PROCESSES = 2
WORK = Work(length=128, num_texts=32, num_steps=4, num_warm=2)


def main() -> None:
    """Start the processes of both ways, one way after the other, and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--as", dest="way", choices=["whole", "parts"], help="be one of the processes")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.way:
        be_one(asked.way == "parts", asked.out)
    else:
        row("sharding", lambda: {way: run(way) for way in ("whole", "parts")}, again=asked.again)


def run(way: str) -> dict[str, Any]:
    """Return the figures of the process that holds most."""
    with tempfile.TemporaryDirectory() as folder:
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(NUM_PROCESSES)]
        subprocess.run([*launch, __file__, "--as", way, "--out", folder], check=True)
        found = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    return max(found, key=lambda item: int(item["peak_anonymous_mb"]))


def be_one(in_parts: bool, folder: Path) -> None:
    """Train random texts for a few steps; write what this process held while it did."""
    company, device, config = join("cpu"), choose_device("cpu"), base_config()
    world = company.world if company else ALONE
    torch.manual_seed(0)
    network = ClassNetwork(AutoModelForSequenceClassification.from_config(config))
    network.freeze("none")
    num_weights = sum(weight.numel() for weight in network.parameters())
    shards = Shards(network, 0, world) if in_parts else None
    optimizer = make_optimizer(network, FinetuneConfig(shard=in_parts), freeze="none", world=world, shards=shards)

    def loss_of(batch: Any, targets: torch.Tensor) -> torch.Tensor:
        with device.autocast():
            logits = network(batch)
        return cross_entropy(logits, targets, reduction="sum")

    release_memory()  # of the model that was whole at first
    peak, updates = Peak(os.getpid()), [make_update(config, device, WORK)] * (WORK.num_warm + WORK.num_steps)
    moments, losses = [time.perf_counter()], []
    for step in train_steps(network, updates, optimizer, lambda _: 1.0, loss_of):
        moments.append(time.perf_counter())
        losses.append(step.loss)
    seconds = [after - before for before, after in pairwise(moments)][WORK.num_warm :]
    found = {
        "weights": num_weights,
        "peak_anonymous_mb": round(peak.stop() / 1e6),
        "step_seconds": round(median(seconds), 2),
        "last_loss": losses[-1],
    }
    (folder / f"{world.rank}.json").write_text(json.dumps(found))
    if company is not None and world.is_first:
        company.end()


if __name__ == "__main__":
    main()
