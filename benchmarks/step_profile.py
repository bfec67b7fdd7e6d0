"""Where the time of a training step goes: ``movie-reviews``, all layers, 32 texts a step, grouped by kind of operator.

``python benchmarks/step_profile.py`` measures steps with and without the profiler; docs/performance.md has the table.
"""

import contextlib
import time
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from harness import row
from pretune import load_data
from pretune.configs import FinetuneConfig
from pretune.models import Inputs, build_network, find_checkpoint, load_tokenizer
from pretune.tokens import encode
from pretune.train import ClassObjective, Figures, Plan, Training, TrainingSet, choose_device, seed_everything

NUM_STEPS, WARM = 60, 15
KINDS = {  # a word in an operator's name → what it is; the first that fits
    "mm": "matrix products", "linear": "matrix products", "attention": "attention",
    "softmax": "attention", "norm": "layer norms and the gradient's norm", "adam": "optimizer", "gelu": "activation",
    "copy": "copies and casts", "_to": "copies and casts", "embedding": "embeddings", "index": "embeddings",
    "coalesce": "embeddings", "unique": "embeddings", "bitwise": "masks drawn",
    "add": "sums, products, masks applied", "mul": "sums, products, masks applied",
    "sum": "sums, products, masks applied", "sub": "sums, products, masks applied",
}  # fmt: skip


def main() -> None:
    """Measure, anew each time."""
    row("profile/step", measure, again=True)


def measure() -> dict[str, Any]:
    """Return milliseconds a step, and how many each kind of operator takes under the profiler, which slows small ones."""
    plain = steps(None)
    seen = profile(activities=[ProfilerActivity.CPU])
    profiled = steps(seen)
    kinds: dict[str, float] = {}
    for event in seen.key_averages():
        name = event.key.removeprefix("aten::").lower()
        kind = next((kind for word, kind in KINDS.items() if word in name), "the rest of torch")
        kinds[kind] = kinds.get(kind, 0.0) + event.self_cpu_time_total / 1e3 / (NUM_STEPS - WARM)
    kinds["outside of torch: masks drawn by numpy, batches, Python"] = max(0.0, profiled["ms"] - sum(kinds.values()))
    ordered = sorted(kinds.items(), key=lambda item: -item[1])
    return {
        "step_ms": round(plain["ms"], 1),
        "profiled_ms": round(profiled["ms"], 1),
        "tokens": round(plain["tokens"], 1),
        "kinds_ms": {kind: round(value, 1) for kind, value in ordered},
    }


def steps(seen: Any) -> dict[str, float]:
    """Train for some steps and return their mean milliseconds."""
    seed_everything(0)
    data, checkpoint, device = load_data("movie-reviews"), find_checkpoint("minilm"), choose_device()
    network = build_network(checkpoint, data.classes, head="native")
    network.freeze("none")
    encoded = encode([row.text for row in data.train], load_tokenizer(checkpoint), max_length=128)
    targets = torch.tensor([data.classes.index(str(row.label)) for row in data.train]).numpy()
    training = TrainingSet(inputs=Inputs(encoded), targets=targets, ids=[row.id for row in data.train], num_classes=2)
    plan = Plan(epochs=1, freeze="none", device=device, seed=0)
    moments: list[float] = []

    class Enough(Exception):  # noqa: N818 - the end of a measurement, no error
        pass

    def tell(_step: Any, _planned: int) -> None:
        moments.append(time.perf_counter())
        if len(moments) == WARM and seen is not None:
            seen.start()
        if len(moments) == NUM_STEPS:
            if seen is not None:
                seen.stop()
            raise Enough

    nothing = Figures(loss=0, accuracy=0, metric="loss", metric_value=0)
    run = Training(ClassObjective(network, training, FinetuneConfig(), plan, lambda: nothing), on_step=tell, waits=False)
    with contextlib.suppress(Enough):
        next(run.rounds())
    return {"ms": (moments[-1] - moments[WARM - 1]) / (NUM_STEPS - WARM) * 1e3, "tokens": float(encoded.lengths.mean() * 32)}


if __name__ == "__main__":
    main()
