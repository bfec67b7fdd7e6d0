"""What an update costs where two processes share it: seconds a step and memory a process, with whole weights and with parts.

    python benchmarks/processes.py

Models have random weights and texts are random ids, as in ``benchmarks/gpu.py``; processes meet over gloo, and each has the
texts of ``Work``. Both ways are measured in turn, several times over.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, BertConfig, LlamaConfig

from corpus import Peak
from harness import row
from pretune.configs import FinetuneConfig
from pretune.models import Batch, ClassNetwork, LanguageNetwork, Windows
from pretune.train import ALONE, Update, World, choose_device, join, release_memory, train_steps
from pretune.train.optimizer import make_language_optimizer, make_optimizer
from pretune.train.sharding import Shards

NUM_PROCESSES, ROUNDS = 2, 3


@dataclass(frozen=True)
class Work:
    """A model, and what each process learns from in a step.

    Args:
        config: Of the model; one of Llama learns next words, one of BERT two classes.
        num_texts: Texts of a process.
        length: Their tokens.
        num_steps: Steps that are timed, after two that are not.
    """

    config: Any
    num_texts: int
    length: int
    num_steps: int


WORKS = {
    "BERT, 110 M": Work(BertConfig(num_labels=2), 16, 64, 4),
    "BERT, 23 M": Work(
        BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536), 16, 32, 20
    ),
    "Llama, 14 M": Work(
        LlamaConfig(
            vocab_size=8192, hidden_size=384, intermediate_size=1024, num_hidden_layers=6, num_attention_heads=6,
            num_key_value_heads=6, tie_word_embeddings=True,
        ),
        8, 128, 12,
    ),
}  # fmt: skip
WAYS = ("whole", "parts")


def main() -> None:
    """Start the processes of every way, one after the other, and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--as", dest="role", help="be one of the processes: MODEL/WAY")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.role:
        be_one(*asked.role.split("/"), asked.out)
    else:
        row("processes", measure, again=asked.again)


def measure() -> dict[str, Any]:
    """Return the figures of every model and way: the median of the rounds."""
    found: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for name in WORKS:
            for way in WAYS:
                found.setdefault(f"{name}, {way}", []).append(run(name, way))
    return {
        role: {**rounds[-1], **{key: median(item[key] for item in rounds) for key in ("step_seconds", "peak_anonymous_mb")}}
        for role, rounds in found.items()
    }


def run(name: str, way: str) -> dict[str, Any]:
    """Return the figures of the process that holds most."""
    with tempfile.TemporaryDirectory() as folder:
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(NUM_PROCESSES)]
        subprocess.run([*launch, __file__, "--as", f"{name}/{way}", "--out", folder], check=True)
        found = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    return max(found, key=lambda item: int(item["peak_anonymous_mb"]))


def be_one(name: str, way: str, folder: Path) -> None:
    """Train on random texts for a few steps; write what this process held while it did."""
    company, work = join("cpu"), WORKS[name]
    world = company.world if company else ALONE
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(world.rank)
    ids = torch.randint(5, work.config.vocab_size, (work.num_texts, work.length), generator=draw)
    learn = learn_words if isinstance(work.config, LlamaConfig) else learn_classes
    network, optimizer, loss_of, part = learn(work.config, ids, world, way == "parts")
    release_memory()  # of the model that was whole at first
    update = Update(parts=(part,), rows=("random texts",), weight=float(len(part[1]) * NUM_PROCESSES))
    peak, moments, losses = Peak(os.getpid()), [time.perf_counter()], []
    for step in train_steps(network, [update] * (2 + work.num_steps), optimizer, lambda _: 1.0, loss_of):
        moments.append(time.perf_counter())
        losses.append(step.loss)
    found = {
        "weights": sum(weight.numel() for weight in optimizer.weights),
        "peak_anonymous_mb": round(peak.stop() / 1e6),
        "step_seconds": round(median([after - before for before, after in pairwise(moments)][2:]), 3),
        "last_loss": losses[-1],
    }
    (folder / f"{world.rank}.json").write_text(json.dumps(found))
    if company is not None and world.is_first:
        company.end()


def learn_classes(config: Any, ids: torch.Tensor, world: World, in_parts: bool) -> Any:
    """Return a classifier, its optimizer, its loss, and random texts of random classes."""
    network, device = ClassNetwork(AutoModelForSequenceClassification.from_config(config)), choose_device("cpu")
    network.freeze("none")
    shards = Shards(network, 0, world) if in_parts else None
    optimizer = make_optimizer(network, FinetuneConfig(shard=in_parts), freeze="none", world=world, shards=shards)

    def loss_of(batch: Any, targets: torch.Tensor) -> torch.Tensor:
        with device.autocast():
            logits = network(batch)
        return cross_entropy(logits, targets, reduction="sum")

    return network, optimizer, loss_of, (Batch(ids=ids, mask=torch.ones_like(ids)), ids[:, 0] % 2)


def learn_words(config: Any, ids: torch.Tensor, world: World, in_parts: bool) -> Any:
    """Return a language model, its optimizer, its loss, and random windows with the next words."""
    network, device = LanguageNetwork(AutoModelForCausalLM.from_config(config)), choose_device("cpu")
    shards = Shards(network, 0, world) if in_parts else None
    optimizer = make_language_optimizer(network, rate=1e-3, decay=0.1, with_muon=True, world=world, shards=shards)

    def loss_of(windows: Any, labels: torch.Tensor) -> torch.Tensor:
        with device.autocast():
            return network.loss(windows, labels)[0]

    return network, optimizer, loss_of, (Windows(ids=ids, targets=torch.arange(ids.numel() - 1)), ids.flatten()[1:])


if __name__ == "__main__":
    main()
