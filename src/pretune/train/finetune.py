"""Fine-tuning for classification: epochs over shuffled, length-grouped batches; the best weights restored in the live model."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pretune.configs import FinetuneConfig
from pretune.models import Batch, Inputs, Network
from pretune.observation import observe
from pretune.records import History, Step, Validation
from pretune.tokens import MAX_TRAINING_TOKENS, plan_batches, split_batch
from pretune.train.device import Device, seed_step
from pretune.train.loop import Update, train_steps
from pretune.train.optimizer import make_optimizer
from pretune.train.schedule import make_schedule
from pretune.train.stopping import best_epoch, should_stop

# Epochs when the user names none: early stopping ends most runs sooner.
DEFAULT_MAX_EPOCHS = 10
# Below this share of an equal share the rarest class gets class weights by itself.
RARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """What training may see: inputs, targets and ids of the training rows."""

    inputs: Inputs
    targets: npt.NDArray[np.int64]  # (num_texts,), index of the class
    ids: Sequence[str]
    num_classes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What ``validate`` returns after each epoch."""

    loss: float  # nats
    accuracy: float
    metric: str
    metric_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one fine-tuning is besides its config.

    Args:
        epochs: How long; ``None`` means at most ``DEFAULT_MAX_EPOCHS``.
        freeze: As given to ``network.freeze``.
        device: Where.
        seed: Of the order of rows in each epoch, and of the dropout masks in each step.
    """

    epochs: int | None
    freeze: str
    device: Device
    seed: int

    @property
    def max_epochs(self) -> int:
        """The most epochs that will be trained."""
        return DEFAULT_MAX_EPOCHS if self.epochs is None else self.epochs


class Finetuning:
    """One fine-tuning, epoch by epoch: iterate over it, then read ``history``.

    Args:
        network: Its boundary already frozen; trained in place, and holding the best epoch's weights at the end.
        training: The training rows.
        config: How.
        plan: How long, where, from which seed.
        validate: Scores the network as it stands.
        on_step: Called after every update with the step and the number of steps planned.
    """

    def __init__(
        self,
        network: Network,
        training: TrainingSet,
        config: FinetuneConfig,
        plan: Plan,
        validate: Callable[[], Figures],
        on_step: Callable[[Step, int], None] | None = None,
    ) -> None:
        self.network, self.training, self.config, self.plan = network, training, config, plan
        self.validate, self.on_step = validate, on_step
        self._optimizer = make_optimizer(network, config, freeze=plan.freeze)
        self._steps: list[Step] = []
        self._validations: list[Validation] = []
        self._weights = class_weights(training.targets, training.num_classes, config.class_weights)
        self.num_steps = plan.max_epochs * -(-len(training.targets) // config.batch_size)
        self._schedule = make_schedule(num_steps=self.num_steps, warmup_share=config.warmup_share, decay=config.decay)
        self._stopped_because, self._num_hits = "", torch.zeros((), dtype=torch.int64)

    def __iter__(self) -> Iterator[Validation]:
        config, best = self.config, _trained_weights(self.network)
        for epoch in range(1, self.plan.max_epochs + 1):
            validation = self._train_epoch(epoch)
            if best_epoch(self._validations, min_change=config.min_change) == epoch:
                best = _trained_weights(self.network)
            yield validation
            if should_stop(self._validations, patience=config.patience, min_change=config.min_change):
                self._stopped_because = f"no better {validation.metric} for {config.patience} epochs"
                break
        done = "the one epoch asked for is done" if self.plan.max_epochs == 1 else f"all {self.plan.max_epochs} epochs done"
        self._stopped_because = self._stopped_because or done
        self.network.load_state_dict(best, strict=False)
        self.network.eval()

    @property
    def history(self) -> History:
        """How it went so far."""
        best = best_epoch(self._validations, min_change=self.config.min_change)
        return History(
            steps=tuple(self._steps),
            validations=tuple(self._validations),
            monitor=self._validations[0].metric if self._validations else self.config.monitor,
            best_epoch=best,
            best_step=next((validation.step for validation in self._validations if validation.epoch == best), None),
            stopped_because=self._stopped_because,
        )

    def _train_epoch(self, epoch: int) -> Validation:
        start, first = time.perf_counter(), len(self._steps)
        self._num_hits.zero_()
        steps = train_steps(
            self.network, self._updates(epoch), self._optimizer, self._schedule, self._loss,
            first_step=first, max_gradient_norm=self.config.max_gradient_norm,
        )  # fmt: skip
        for step in steps:
            self._steps.append(step)
            if self.on_step is not None:
                self.on_step(step, self.num_steps)
        self._optimizer.settle()
        seconds, done, figures = time.perf_counter() - start, self._steps[first:], self.validate()
        num_targets = sum(step.num_targets for step in done)
        validation = Validation(
            epoch=epoch,
            step=done[-1].index,
            training_loss=sum(step.loss * step.num_targets for step in done) / num_targets,
            training_accuracy=int(self._num_hits) / num_targets,
            loss=figures.loss,
            accuracy=figures.accuracy,
            metric=figures.metric,
            metric_value=figures.metric_value,
            learning_rate=done[-1].learning_rate,
            seconds=round(seconds, 3),
        )
        self._validations.append(replace(validation, observation=observe([*self._validations, validation])))
        return self._validations[-1]

    def _updates(self, epoch: int) -> Iterator[Update]:
        inputs, kind = self.training.inputs, self.plan.device.kind
        generator = np.random.default_rng([self.plan.seed % 2**32, epoch])
        lengths = inputs.lengths
        for rows in plan_batches(lengths, self.config.batch_size, generator=generator):
            self.network.masks.begin_step(self.plan.seed, len(self._steps))
            seed_step(self.plan.seed, len(self._steps))
            targets = torch.from_numpy(self.training.targets)
            parts = split_batch(rows, lengths, max_tokens=MAX_TRAINING_TOKENS)
            yield Update(
                parts=tuple((inputs.batch(part, kind), targets[part].to(kind)) for part in parts),
                rows=tuple(self.training.ids[row] for row in rows),
                weight=float(len(rows) if self._weights is None else self._weights[targets[rows]].sum()),
            )

    def _loss(self, batch: Batch, targets: Tensor) -> Tensor:
        with self.plan.device.autocast():
            logits = self.network(batch)
        self._num_hits += (logits.detach().argmax(dim=1) == targets).sum().cpu()
        weights = None if self._weights is None else self._weights.to(logits.device)
        smoothing = self.config.label_smoothing
        return cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing, reduction="sum")


def class_weights(targets: npt.NDArray[np.int64], num_classes: int, wanted: bool | None) -> Tensor | None:
    """Return num_texts / (num_classes × count) a class, shape (num_classes,), or ``None`` where classes count alike.

    Args:
        targets: Index of the class, shape (num_texts,).
        num_classes: Classes in all.
        wanted: ``None`` decides by ``RARE``.

    Source:
        King and Zeng (2001), Logistic regression in rare events data; scikit-learn's ``balanced``.
    """
    counts = np.bincount(targets, minlength=num_classes)
    if wanted is None:
        wanted = bool(counts.min() < RARE * len(targets) / num_classes)
    if not wanted:
        return None
    return torch.tensor(len(targets) / (num_classes * np.maximum(counts, 1)), dtype=torch.float32)


def _trained_weights(network: Network) -> dict[str, Tensor]:
    trained = {name for name, weight in network.named_parameters() if weight.requires_grad}
    return {name: value.detach().clone() for name, value in network.state_dict().items() if name in trained}
