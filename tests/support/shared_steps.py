"""Fine-tunings of one small task under many settings, by one process or by several: what ``test_distributed`` compares."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from pretune.models import prepare_inputs
from pretune.tasks.classify.validate import Validator
from pretune.train import ALONE, Plan, TrainingSet, join
from tasks import CPU, QUICK, Finetuning, Task

# Adam makes steps of the rate's size out of gradients that are nearly nothing but rounding; this rate keeps those small.
RATE = replace(QUICK, learning_rate=2e-4, weight_decay=0.1)
# name: config, freeze, rows
CASES = {
    "unequal lengths, last batch of two": (replace(RATE, batch_size=10), "none", 32),
    "class weights and smoothing": (replace(RATE, batch_size=6, label_smoothing=0.1, class_weights=True), "none", 21),
    "one row an update": (replace(RATE, batch_size=1), "none", 5),
    "pooled head": (replace(RATE, batch_size=9, head="mlp"), "none", 20),
    "last layer": (replace(RATE, batch_size=7), "last-1", 16),
    "head alone": (replace(RATE, batch_size=7), "all", 16),
    "balanced, averaged": (replace(RATE, batch_size=3, accumulate=2, sampling="balanced", ema=0.9), "none", 20),
    "in stages": (replace(RATE, batch_size=7), "all:1,last-1:1,none:1", 16),
    "many parts": (replace(RATE, batch_size=32, max_gradient_norm=0.1), "none", 32),
    "sharded": (replace(RATE, batch_size=10, shard=True), "none", 32),
    "sharded, one row an update": (replace(RATE, batch_size=1, shard=True), "none", 5),
    "sharded, two batches an update": (replace(RATE, batch_size=3, accumulate=2, shard=True, layer_decay=0.8), "none", 20),
    "sharded, last layer": (replace(RATE, batch_size=7, shard=True), "last-1", 16),
    "sharded, in stages": (replace(RATE, batch_size=7, shard=True), "all:1,last-1:1,none:1", 16),
    "sharded, balanced, averaged": (
        replace(RATE, batch_size=3, accumulate=2, sampling="balanced", ema=0.9, shard=True),
        "none",
        20,
    ),
    "sharded, pooled head": (replace(RATE, batch_size=9, head="mlp", shard=True), "none", 20),
}
# By several processes alone, which draw masks of their own: the two must do the same.
DROPOUT = {
    "dropout": (replace(RATE, batch_size=5, accumulate=2, dropout=0.3), "none", 32),
    "dropout, sharded": (replace(RATE, batch_size=5, accumulate=2, dropout=0.3, shard=True), "none", 32),
}
# By four processes: two and two hold the parts.
GRID = {"sharded by two, twice": (replace(RATE, batch_size=10, shard=2), "none", 32)}


def train(folder, name, world=ALONE):
    """Return per-step losses, gradient norms, hits, validation logits and trained weights as tensors."""
    config, freeze, num_rows = {**CASES, **DROPOUT, **GRID}[name]
    task = Task(folder, num_rows)
    if config.class_weights:
        task.targets = (np.arange(num_rows) % 5 == 0).astype(np.int64)
    network, encoded = task.open(config, freeze if ":" not in freeze else "all")
    network.set_dropout(config.dropout or 0.0)  # the pooled head leaves the trunk's own
    plan = Plan(epochs=None if ":" in freeze else 2, freeze=freeze, device=CPU, seed=4, world=world)

    def compute(boundary):
        inputs = prepare_inputs(network, encoded, boundary, part=(world.rank, world.size))
        if boundary:
            world.gather(inputs.pooled if inputs.pooled is not None else inputs.hidden)
        return inputs

    def prepare(boundary):
        validator.inputs = compute(boundary)
        return validator.inputs

    inputs = compute(network.boundary)
    validator = Validator(network, inputs, task.targets, plan, monitor=("loss", None))
    first = validator().logits
    training = TrainingSet(inputs=inputs, targets=task.targets, ids=task.ids, num_classes=2, prepare=prepare)
    held = []

    def count_layers(*_):
        held.append(sum(any(weight.numel() for weight in layer.parameters()) for layer in network.layers))

    run = Finetuning(network, training, config, plan, validator, count_layers)
    validations = list(run)
    return {
        "held": torch.tensor(min(held)),  # layers that are whole, in the step that holds least
        "first logits": first,
        "loss": torch.tensor([step.loss for step in run.history.steps], dtype=torch.float64),
        "norm": torch.tensor([step.gradient_norm for step in run.history.steps]),
        "training accuracy": torch.tensor([item.training_accuracy for item in validations]),
        "last logits": run.best_logits,
        **{f"weights.{key}": value.detach().clone() for key, value in network.state_dict().items()},
    }


if __name__ == "__main__":
    checkpoint, target = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    company = join("cpu")
    for number, name in enumerate(GRID if company.world.size == 4 else [*CASES, *DROPOUT]):
        save_file(train(checkpoint, name, company.world), target / f"{number}.{company.world.rank}.safetensors")
    if company.world.is_first:
        company.end()
