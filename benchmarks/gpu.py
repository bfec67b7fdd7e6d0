"""How busy is a GPU while pretune trains an encoder? Tokens a second, and the share of the card's best matrix product.

    python benchmarks/gpu.py                 # an encoder of about 110 M weights, with and without torch.compile
    python benchmarks/gpu.py --length 512

The model has random weights and the texts are random ids: what is measured is the engine's own step (`train_steps`, AdamW,
clipping, bf16 autocast, fused attention), not a result. Without a GPU it says so and measures nothing.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, BertConfig

from harness import row
from pretune.configs import FinetuneConfig
from pretune.models import Batch, ClassNetwork
from pretune.tokens import MAX_TOKENS_A_PART
from pretune.train import Device, Update, choose_device, train_steps
from pretune.train.optimizer import make_optimizer

# Sides of the square products tried; the best of them is what the card can do.
SIDES = (2048, 4096, 8192)
REPEATS = 20


@dataclass(frozen=True)
class Work:
    """One way to train.

    Args:
        length: Tokens a text; none is padded.
        num_texts: Texts an update.
        num_steps: Steps that are timed.
        num_warm: Steps before that, in which kernels are chosen and compiled.
        compiled: Whether layers go through ``torch.compile``.
    """

    length: int = 128
    num_texts: int = 512
    num_steps: int = 30
    num_warm: int = 10
    compiled: bool = False


def base_config() -> BertConfig:
    """Return an encoder of 12 layers × 768, 110 M weights with its embeddings."""
    return BertConfig(num_labels=2)


def count_operations(network: ClassNetwork, work: Work) -> float:
    """Return the floating-point operations of one step's matrix products, forward and backward.

    Six for each weight of the layers and token, and attention's two products. The head reads one token a text, so of the
    last layer only keys and values are computed for every token; embeddings are looked up.
    """
    num_texts, num_below = work.num_texts, len(network.layers) - 1
    below, last = (
        sum(weight.numel() for layer in layers for weight in layer.parameters() if weight.ndim > 1)
        for layers in (network.layers[:-1], network.layers[-1:])
    )
    head = sum(weight.numel() for weight in network.head_parameters() if weight.ndim > 1)
    width, tokens = int(network.trunk.config.hidden_size), num_texts * work.length
    every_token = 6 * (below + 2 * width * width) + 12 * num_below * work.length * width
    one_token = 6 * (last - 2 * width * width + head) + 12 * work.length * width
    return float(tokens * every_token + num_texts * one_token)


def measure(config: Any, device: Device, work: Work) -> dict[str, Any]:
    """Train on random texts and return tokens a second, TFLOP/s, and what the loop itself said."""
    torch.manual_seed(0)
    network = ClassNetwork(AutoModelForSequenceClassification.from_config(config)).to(device.kind)
    network.freeze("none")
    if work.compiled:
        network.compile_layers()
    optimizer = make_optimizer(network, FinetuneConfig(), freeze="none")

    def loss_of(batch: Batch, targets: torch.Tensor) -> torch.Tensor:
        with device.autocast():
            logits = network(batch)
        return cross_entropy(logits, targets, reduction="sum")

    update = make_update(config, device, work)
    seconds, losses = [], []
    steps = train_steps(network, [update] * (work.num_warm + work.num_steps), optimizer, lambda _: 1.0, loss_of)
    start = time.perf_counter()
    for step in steps:  # reading the loss has waited for the card
        seconds.append((now := time.perf_counter()) - start)
        losses.append(step.loss)
        start = now
    timed = sorted(seconds[work.num_warm :])
    middle = timed[len(timed) // 2]
    tokens = work.num_texts * work.length
    return {
        **asdict(work),
        "weights": sum(weight.numel() for weight in network.parameters()),
        "tokens_a_second": round(tokens / middle),
        "slowest_step_over_median": round(timed[-1] / middle, 2),
        "tflops": count_operations(network, work) / middle / 1e12,
        "last_loss": losses[-1],
    }


def make_update(config: Any, device: Device, work: Work) -> Update:
    """Return random texts of one length, in the parts that fine-tuning would make of them."""
    shape = (work.num_texts, work.length)
    ids, mask = torch.randint(5, config.vocab_size, shape).to(device.kind), torch.ones(shape, dtype=torch.int64).to(device.kind)
    targets = torch.randint(0, 2, (work.num_texts,)).to(device.kind)
    rows = max(1, MAX_TOKENS_A_PART[device.kind] // work.length)
    parts = [
        (Batch(ids=ids[at : at + rows], mask=mask[at : at + rows]), targets[at : at + rows]) for at in range(0, len(ids), rows)
    ]
    return Update(parts=tuple(parts), rows=("random texts",), weight=float(work.num_texts))


def best_product(device: Device, sides: tuple[int, ...] = SIDES) -> float:
    """Return the most TFLOP/s of a square matrix product in the device's precision."""
    dtype, best = (torch.bfloat16 if device.precision == "bf16" else torch.float32), 0.0
    for side in sides:
        left, right = (torch.randn(side, side, device=device.kind, dtype=dtype) for _ in range(2))
        for _ in range(3):
            wait(device)
            start = time.perf_counter()
            for _ in range(REPEATS):
                torch.mm(left, right)
            wait(device)
            best = max(best, 2 * side**3 * REPEATS / (time.perf_counter() - start) / 1e12)
    return best


def wait(device: Device) -> None:
    """Wait until the card has done what it was given."""
    if device.kind == "cuda":
        torch.cuda.synchronize()


def main() -> int:
    """Measure with and without ``torch.compile``, or say that there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--length", type=int, default=128, help="tokens a text")
    parser.add_argument("--again", action="store_true", help="measure again what is kept already")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU that PyTorch sees: nothing was measured, and nothing is claimed about GPUs")
        return 0
    device = choose_device("cuda")

    def found() -> dict[str, Any]:
        ways = [measure(base_config(), device, Work(length=arguments.length, compiled=compiled)) for compiled in (False, True)]
        peak = best_product(device)
        shares = [{**way, "share_of_best_product": round(way["tflops"] / peak, 3)} for way in ways]
        return {"gpu": torch.cuda.get_device_name(), "precision": device.precision, "best_product_tflops": peak, "ways": shares}

    row(f"gpu-{arguments.length}", found, again=arguments.again)
    return 0


if __name__ == "__main__":
    sys.exit(main())
