"""A small task for a tiny checkpoint, and the fine-tunings of it."""

import numpy as np
import torch
from networks import encode_texts, open_network
from torch.nn.functional import cross_entropy

from pretune.configs import FinetuneConfig
from pretune.predict import predict_logits
from pretune.train import ClassObjective, Device, Figures, Plan, Training, TrainingSet, seed_everything
from tiny import make_rows

CPU = Device(kind="cpu", precision="fp32", threads=1, why="tests")
CLASSES = ("bad", "good")
QUICK = FinetuneConfig(learning_rate=3e-3, batch_size=16, dropout=0.0)


class Finetuning:
    """An objective and its training as one: iterate over it, then read what the objective has."""

    def __init__(self, network, training, config, plan, validate, on_step=None, checkpoints=None):
        self.objective = ClassObjective(network, training, config, plan, validate)
        self.training = Training(self.objective, checkpoints=checkpoints, on_step=on_step, waits=checkpoints is not None)

    def __iter__(self):
        for _ in self.each_stage():
            yield from self.epochs()

    def each_stage(self):
        self.training.resume()
        return self.objective.each_stage()

    def epochs(self):
        return self.training.rounds()

    def __getattr__(self, name):
        return getattr(self.objective, name)


class Task:
    """Rows of two classes for one tiny checkpoint, and the fine-tunings of it."""

    def __init__(self, folder, num_rows=32):
        self.folder, rows = folder, make_rows(num_rows, seed=3)
        self.texts, self.targets = [text for text, _ in rows], np.array([CLASSES.index(label) for _, label in rows])
        self.ids = [f"row {number}" for number in range(num_rows)]

    def open(self, config=QUICK, freeze="none", seed=0):
        """Return a network, frozen, and its encoded texts."""
        seed_everything(seed)
        network, tokenizer = open_network(self.folder, CLASSES, head=config.head, dropout=config.dropout)
        network.boundary = network.freeze(freeze)
        return network, encode_texts(tokenizer, self.texts)

    def finetuning(self, network, inputs, config=QUICK, *, epochs=1, freeze="none", seed=0, device=CPU, **options):
        """Return a fine-tuning that validates on what it trains on."""
        training = TrainingSet(inputs=inputs, targets=self.targets, ids=self.ids, num_classes=2)
        plan = Plan(epochs=epochs, freeze=freeze, device=device, seed=seed)
        options.setdefault("validate", lambda: self.figures(network, inputs))
        return Finetuning(network, training, config, plan, **options)

    def figures(self, network, inputs):
        logits, truth = predict_logits(network, inputs), torch.from_numpy(self.targets)
        accuracy = float((logits.argmax(dim=1) == truth).float().mean())
        return Figures(loss=float(cross_entropy(logits, truth)), accuracy=accuracy, metric="accuracy", metric_value=accuracy)
