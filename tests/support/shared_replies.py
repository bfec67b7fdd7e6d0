"""Fine-tunings on conversations under many settings, by one process or by several: what ``test_together`` compares."""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from chat_models import make_pairs
from safetensors.torch import save_file

from pretune.configs import ChatConfig, ConverseRunConfig, ReplyConfig
from pretune.data.conversations import load_conversations
from pretune.run.trace import Trace
from pretune.tasks.converse.fit import encode_splits, fit_chat, talks_of, with_mix
from pretune.tasks.converse.start import open_chat
from pretune.tokens.chat_date import now
from pretune.train import ALONE, Plan, join
from pretune.train.replies import ReplyValidator
from tasks import CPU

# Adam makes steps of the rate's size out of gradients that are nearly nothing but rounding; this rate keeps those small.
RATE = ReplyConfig(learning_rate=2e-4, weight_decay=0.1, batch_size=10, max_length=64)
# name: config, freeze
CASES = {
    "all layers": (RATE, "none"),
    "one conversation an update": (replace(RATE, batch_size=1), "none"),
    "last layer": (replace(RATE, batch_size=7), "last-1"),
    "in stages": (replace(RATE, batch_size=7), "last-1:1,none:1"),
    "two batches an update, averaged": (replace(RATE, batch_size=3, accumulate=2, ema=0.9), "none"),
    "adapters": (replace(RATE, lora=2), "none"),
    "mixed": (replace(RATE, max_gradient_norm=0.1), "none"),
    "sharded": (replace(RATE, shard=True), "none"),
    "sharded, one conversation an update": (replace(RATE, batch_size=1, shard=True), "none"),
    "sharded, last layer": (replace(RATE, batch_size=7, shard=True), "last-1"),
    "sharded, in stages": (replace(RATE, batch_size=7, shard=True), "last-1:1,none:1"),
    "sharded, adapters": (replace(RATE, lora=2, shard=True), "none"),
    "sharded, mixed, averaged": (replace(RATE, batch_size=3, accumulate=2, ema=0.9, shard=True), "none"),
}


def train(folder, name, world=ALONE):
    """Return per-step losses, gradient norms, figures of validation and all weights as tensors."""
    config, freeze = CASES[name]
    (start, template, _), trace = open_chat(str(folder), CPU, Trace(), moment=now()), Trace()
    data, network = load_conversations(make_pairs(40)), start.network
    encoded = encode_splits(data.train, data.validation, template, start.tokenizer, max_length=64, trace=trace)
    if "mixed" in name:
        chat = ChatConfig(mix=0.3, mix_corpus=str(folder.parent / "texts.txt"))
        encoded = with_mix(encoded, ConverseRunConfig(finetune=config, chat=chat), template, start.tokenizer, trace)
    plan = Plan(epochs=None if ":" in freeze else 2, freeze=freeze, device=CPU, seed=4, world=world)
    before = ReplyValidator(network, talks_of(encoded.validation), CPU, world=world)()
    history = fit_chat(network, encoded, config=config, plan=plan, trace=trace).history
    return {
        "first loss": torch.tensor([before.loss, before.accuracy], dtype=torch.float64),
        "loss": torch.tensor([step.loss for step in history.steps], dtype=torch.float64),
        "norm": torch.tensor([step.gradient_norm for step in history.steps]),
        "targets": torch.tensor([step.num_targets for step in history.steps]),
        "accuracy": torch.tensor([item.training_accuracy for item in history.validations]),
        "validation": torch.tensor([item.loss for item in history.validations], dtype=torch.float64),
        **{f"weights.{key}": value.detach().clone() for key, value in network.state_dict().items()},
    }


if __name__ == "__main__":
    model, target = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    company = join("cpu")
    for number, name in enumerate(CASES):
        save_file(train(model, name, company.world), target / f"{number}.{company.world.rank}.safetensors")
    if company.world.is_first:
        company.end()
