"""Fine-tuning for classification: epochs over shuffled, length-grouped batches; the best weights restored in the live model."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
from pretune.train.checkpoint import Checkpoints, Saved
from pretune.train.device import Device, seed_step
from pretune.train.interrupt import Interrupt
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
    logits: Tensor | None = None  # (validation texts, classes); those of the best epoch are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one fine-tuning is besides its config.

    Args:
        epochs: How long; ``None`` means at most ``DEFAULT_MAX_EPOCHS``.
        freeze: As given to ``network.freeze``.
        device: Where.
        seed: Of the order of rows in each epoch, and of the dropout masks in each step.
        checkpoints: Folder to save in from time to time, and to go on from.
    """

    epochs: int | None
    freeze: str
    device: Device
    seed: int
    checkpoints: Path | None = None

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
        checkpoints: Where to save, and what to go on with.
    """

    def __init__(
        self,
        network: Network,
        training: TrainingSet,
        config: FinetuneConfig,
        plan: Plan,
        validate: Callable[[], Figures],
        on_step: Callable[[Step, int], None] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.network, self.training, self.config, self.plan = network, training, config, plan
        self.validate, self.on_step, self._checkpoints = validate, on_step, checkpoints
        self.best_logits: Tensor | None = None
        self._best: dict[str, Tensor] = {}  # weights of the best epoch so far
        self._position = 0  # updates of this epoch that are made
        self._seconds = 0.0  # that this epoch has taken
        self._interrupt = Interrupt(is_on=checkpoints is not None)
        self._optimizer = make_optimizer(network, config, freeze=plan.freeze)
        self._steps: list[Step] = []
        self._validations: list[Validation] = []
        self._weights = class_weights(training.targets, training.num_classes, config.class_weights)
        self.num_steps = plan.max_epochs * -(-len(training.targets) // config.rows_per_update)
        self._schedule = make_schedule(num_steps=self.num_steps, warmup_share=config.warmup_share, decay=config.decay)
        self._stopped_because, self._num_hits = "", torch.zeros((), dtype=torch.int64)

    def __iter__(self) -> Iterator[Validation]:
        self._go_on()
        with self._interrupt:
            for epoch in range(len(self._validations) + 1, self.plan.max_epochs + 1):
                yield self._train_epoch(epoch)
                if should_stop(self._validations, patience=self.config.patience, min_change=self.config.min_change):
                    metric = self._validations[-1].metric
                    self._stopped_because = f"no better {metric} for {self.config.patience} epochs"
                    break
        done = "the one epoch asked for is done" if self.plan.max_epochs == 1 else f"all {self.plan.max_epochs} epochs done"
        self._stopped_because = self._stopped_because or done
        self.network.load_state_dict(self._best, strict=False)
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
        start = time.perf_counter() - self._seconds
        steps = train_steps(
            self.network, self._updates(epoch), self._optimizer, self._schedule, self._loss,
            first_step=len(self._steps), max_gradient_norm=self.config.max_gradient_norm,
        )  # fmt: skip
        for step in steps:
            self._steps.append(step)
            self._position, self._seconds = self._position + 1, time.perf_counter() - start
            if self.on_step is not None:
                self.on_step(step, self.num_steps)
            self._keep()
        self._optimizer.settle()
        return self._validate_epoch(epoch)

    def _validate_epoch(self, epoch: int) -> Validation:
        figures, done = self.validate(), self._steps[len(self._steps) - self._position :]
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
            seconds=round(self._seconds, 3),
        )
        self._validations.append(replace(validation, observation=observe([*self._validations, validation])))
        if best_epoch(self._validations, min_change=self.config.min_change) == epoch:
            self._best, self.best_logits = _trained_weights(self.network), figures.logits
        self._position, self._seconds = 0, 0.0
        self._num_hits.zero_()
        return self._validations[-1]

    def _keep(self) -> None:
        """Save where it is time to, or where Ctrl-C asks for it."""
        if self._checkpoints is None or not (self._checkpoints.is_due or self._interrupt.asked):
            return
        tensors = {f"weights.{name}": value for name, value in _trained_weights(self.network).items()}
        tensors |= {f"best.{name}": value for name, value in self._best.items()}
        tensors |= {f"optimizer.{name}": value for name, value in self._optimizer.state().items()}
        if self.best_logits is not None:
            tensors["best_logits"] = self.best_logits
        state = {
            "position": self._position,
            "seconds": self._seconds,
            "num_hits": int(self._num_hits),
            "steps": [step.to_json() for step in self._steps],
            "validations": [validation.to_json() for validation in self._validations],
        }
        self._checkpoints.save(Saved(step=len(self._steps), tensors=tensors, state=state))
        if self._interrupt.asked:
            raise KeyboardInterrupt

    def _go_on(self) -> None:
        """Take over what the newest checkpoint holds, if there is one."""
        if self._checkpoints is None:
            return
        self._checkpoints.check_room(sum(8 + 4 * 4 * weight.numel() for weight in self._optimizer.weights))
        saved = self._checkpoints.load()
        if saved is None:
            return
        parts: dict[str, dict[str, Tensor]] = {"weights": {}, "best": {}, "optimizer": {}}
        for name, value in saved.tensors.items():
            kind, _, rest = name.partition(".")
            if kind in parts:
                parts[kind][rest] = value
        self.network.load_state_dict(parts["weights"], strict=False)
        self._optimizer.load(parts["optimizer"])
        self._best, self.best_logits = parts["best"], saved.tensors.get("best_logits")
        self._steps = [Step.from_json(item) for item in saved.state["steps"]]
        self._validations = [Validation.from_json(item) for item in saved.state["validations"]]
        self._position, self._seconds = saved.state["position"], saved.state["seconds"]
        self._num_hits.fill_(saved.state["num_hits"])

    def _updates(self, epoch: int) -> Iterator[Update]:
        inputs, kind = self.training.inputs, self.plan.device.kind
        generator = np.random.default_rng([self.plan.seed % 2**32, epoch])
        lengths = inputs.lengths
        for rows in plan_batches(lengths, self.config.rows_per_update, generator=generator)[self._position :]:
            self.network.masks.begin_step(self.plan.seed, len(self._steps))
            seed_step(self.plan.seed, len(self._steps))
            targets = torch.from_numpy(self.training.targets)
            parts = split_batch(rows, lengths, max_tokens=MAX_TRAINING_TOKENS, max_rows=self.config.batch_size)
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
