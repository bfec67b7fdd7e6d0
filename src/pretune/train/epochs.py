"""Rows as an objective: epochs over shuffled batches, stage by stage; the best weights restored in the live model."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from itertools import chain, count
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pretune.configs import FinetuneConfig
from pretune.models import Network
from pretune.records import History, Step, Validation
from pretune.records.observation import observe
from pretune.train.average import Average
from pretune.train.checkpoint import Saved, named_parts
from pretune.train.device import seed_step
from pretune.train.loop import Update
from pretune.train.optimizer import make_optimizer
from pretune.train.plans import Figures, Plan
from pretune.train.schedule import Schedule, make_schedule
from pretune.train.sharding import Shards, whole
from pretune.train.stopping import best_epoch, should_stop
from pretune.train.training import trial_steps
from pretune.train.weights import copied, names_trained, take_weights, weights_of


class Rows(Protocol):
    """The training rows of a task: what an epoch reads, and how far off the network is on them."""

    @property
    def num_hits(self) -> Tensor:
        """Targets guessed right since it was last set to 0, a whole number on the device; ``loss`` counts them."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def begin(self, boundary: int) -> None:
        """Get ready for a stage that trains from this layer on."""

    def order(self, generator: np.random.Generator) -> list[npt.NDArray[np.int64]]:
        """Return the row numbers of an epoch, update by update."""

    def update(self, rows: npt.NDArray[np.int64], shards: Shards | None) -> Update:
        """Return what an update learns from; of several processes, what this one does."""

    def loss(self, batch: Any, targets: Tensor) -> Tensor:
        """Return the loss of a part of an update, summed over its targets, nats."""


class EpochObjective:
    """What fine-tuning learns, an epoch from look to look; train it stage by stage, then read ``history``.

    With stages, each begins with the best weights so far, an optimizer of its own, and a schedule over its own steps. Epochs
    are numbered through, and the best is chosen over all.

    Args:
        network: Trained in place, and holding the best epoch's weights at the end.
        rows: The training rows.
        config: How.
        plan: How long, where, from which seed.
        validate: Scores the network as it stands.

    Attributes:
        stages: What is trained when.
        best_logits: Those that ``validate`` gave at the best epoch.
        num_steps: Updates of all stages, if none ends early.
        num_trained: Weights that any stage trains.
    """

    def __init__(
        self, network: Network, rows: Rows, config: FinetuneConfig, plan: Plan, validate: Callable[[], Figures]
    ) -> None:
        self.network, self.rows, self.config, self.plan, self.validate = network, rows, config, plan, validate
        self.world, self.max_gradient_norm = plan.world, config.max_gradient_norm
        self.best_logits: Tensor | None = None
        self._best: dict[str, Tensor] = {}  # weights of the best epoch so far
        self._position = 0  # updates of this epoch that are made
        self._seconds = 0.0  # that this epoch has taken
        self._steps: list[Step] = []
        self._validations: list[Validation] = []
        self.stages = plan.stages(len(network.layers))
        self._trained = names_trained(network, self.stages)
        self.num_trained = sum(weight.numel() for name, weight in network.named_parameters() if name in self._trained)
        self._steps_an_epoch = -(-len(rows) // config.rows_per_update)
        self.num_steps = sum(stage.max_epochs for stage in self.stages) * self._steps_an_epoch
        self._shards: Shards | None = None
        self._begin(0)

    @property
    def num_made(self) -> int:
        """Updates made so far."""
        return len(self._steps)

    @property
    def num_saved_bytes(self) -> int:
        """What a checkpoint takes: every trained weight, its best, two moments and its average in fp32, and its name."""
        copies = 4 if self.config.ema is None else 5
        return 8 * len(self._trained) + 4 * copies * self.num_trained

    @property
    def is_done(self) -> bool:
        """Whether the stage that has begun is at its end, or has brought nothing better for a while."""
        first = self._stage_began["epochs"]
        return len(self._validations) >= first + self.stages[self._stage].max_epochs or self._is_stuck

    @property
    def _is_stuck(self) -> bool:
        config, first = self.config, self._stage_began["epochs"]
        return should_stop(self._validations, patience=config.patience, min_change=config.min_change, since=first)

    def each_stage(self) -> Iterator[int]:
        """Begin one of ``stages`` after the other and yield its place; train each before the next."""
        yield self._stage
        for number in range(self._stage + 1, len(self.stages)):
            self._take_best()
            self._begin(number)
            yield number
        self._take_best()
        self.network.eval()

    def trial(self, schedule: Schedule, num_steps: int) -> Generator[Step, None, None]:
        """Train for a few steps under another schedule, epoch after epoch: for measuring, on weights that are put back."""
        try:
            for step in trial_steps(self, chain.from_iterable(map(self._updates, count(1))), schedule, num_steps):
                self._steps.append(step)
                yield step
        finally:
            if self._shards is not None:
                self._shards.dissolve()

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

    @property
    def _stopped_because(self) -> str:
        if not self.is_done:
            return ""
        stage = self.stages[self._stage]
        done = "the one epoch asked for is done" if stage.max_epochs == 1 else f"all {stage.max_epochs} epochs done"
        place = f"stage {self._stage + 1} of {len(self.stages)}: " if len(self.stages) > 1 else ""
        stuck = f"no better {self._validations[-1].metric} for {self.config.patience} epochs" if self._is_stuck else ""
        return place + (stuck or done)

    def _begin(self, number: int) -> None:
        """Set a stage up: what is trained, at which rates, from which inputs."""
        stage, config = self.stages[number], self.config
        self._stage, self._stage_began = number, {"epochs": len(self._validations), "steps": len(self._steps)}
        if self._shards is not None:
            self._shards.dissolve()
        world = self.plan.world
        boundary = self.network.freeze(stage.freeze, dense=config.ema is not None)  # an average follows every row
        self._shards = Shards(self.network, boundary, world, config.shard) if config.shard and world.size > 1 else None
        self.optimizer = make_optimizer(
            self.network, config, freeze=stage.freeze, rate=stage.rate, world=world, shards=self._shards
        )
        self._average = Average(self.optimizer.weights, config.ema)
        num_steps = stage.max_epochs * self._steps_an_epoch
        self._schedule = make_schedule(num_steps=num_steps, warmup_share=config.warmup_share, decay=config.decay)
        self.rows.begin(boundary)

    def updates(self) -> Iterator[Update]:
        """Yield what is left of the epoch."""
        return self._updates(len(self._validations) + 1)

    def took(self, step: Step, seconds: float) -> None:
        """Count an update of this epoch."""
        self._average.update()
        self._steps.append(step)
        self._position, self._seconds = self._position + 1, self._seconds + seconds

    def look(self) -> Validation:
        """Score the validation rows at the end of an epoch; the best weights so far are kept."""
        self.optimizer.settle()
        with self._average.in_place(), whole(self._shards):
            return self._validate_epoch(len(self._validations) + 1)

    def _take_best(self) -> None:
        """Put the best weights so far into the network, whole; of sharded ones, the first process has them."""
        best = self._best
        if self._shards is not None:
            best = self.plan.world.from_first(lambda: ({}, best))[1]
            self._shards.dissolve()
        self.network.load_state_dict(best, strict=False)

    def _validate_epoch(self, epoch: int) -> Validation:
        figures, done = self.validate(), self._steps[len(self._steps) - self._position :]
        num_hits = self.plan.world.total(int(self.rows.num_hits))
        num_targets = sum(step.num_targets for step in done)
        validation = Validation(
            epoch=epoch,
            step=done[-1].index,
            training_loss=sum(step.loss * step.num_targets for step in done) / num_targets,
            training_accuracy=num_hits / num_targets,
            loss=figures.loss,
            accuracy=figures.accuracy,
            metric=figures.metric,
            metric_value=figures.metric_value,
            learning_rate=done[-1].learning_rate,
            seconds=round(self._seconds, 3),
        )
        own = [*self._validations[self._stage_began["epochs"] :], validation]  # losses of other stages are on another scale
        stage = self.stages[self._stage].freeze if len(self.stages) > 1 else ""
        self._validations.append(replace(validation, observation=observe(own), stage=stage))
        if best_epoch(self._validations, min_change=self.config.min_change) == epoch:
            now = self._trained_now()
            self._best = copied(now, into=self._best) if self._shards is None else now
            self.best_logits = figures.logits
        self._position, self._seconds = 0, 0.0
        self.rows.num_hits.zero_()
        return self._validations[-1]

    def _trained_now(self) -> dict[str, Tensor]:
        """Return what is trained, not copied; of sharded weights the first process has a copy, in main memory."""
        if self._shards is None:
            return weights_of(self.network, self._trained)
        with whole(self._shards):
            found = weights_of(self.network, self._trained if self.plan.world.is_first else ())
            return {name: value.to("cpu", copy=True) for name, value in found.items()}

    def saved(self) -> Saved:
        """Return what resuming needs; parts of weights are put together by all processes."""
        num_hits = int(self.plan.world.total(int(self.rows.num_hits)))
        tensors = named_parts(
            weights=self._trained_now(), best=self._best, optimizer=self.optimizer.state(), average=self._average.state()
        )
        if self.best_logits is not None:
            tensors["best_logits"] = self.best_logits
        state = {
            "stage": self._stage,
            "stage_began": self._stage_began,
            "position": self._position,
            "seconds": self._seconds,
            "num_hits": num_hits,
            "steps": [step.to_json() for step in self._steps],
            "validations": [validation.to_json() for validation in self._validations],
        }
        return Saved(step=len(self._steps), tensors=tensors, state=state)

    def take_over(self, saved: Saved) -> None:
        """Go on from a checkpoint; from its weights alone where it is of another training."""
        if not saved.is_exact:
            with whole(self._shards):
                take_weights(self.network, saved.part("weights"))
            self._begin(0)  # the average starts from these weights
            return
        with whole(self._shards):
            self.network.load_state_dict(saved.part("weights"), strict=False)
        self._best, self.best_logits = saved.part("best"), saved.tensors.get("best_logits")
        self._steps = [Step.from_json(item) for item in saved.state["steps"]]
        self._validations = [Validation.from_json(item) for item in saved.state["validations"]]
        stage, began = int(saved.state["stage"]), saved.state["stage_began"]
        if not 0 <= stage < len(self.stages):
            raise ValueError(f"stage {stage} of {len(self.stages)}")
        if stage:
            self._begin(stage)
        self._stage_began = {name: int(began[name]) for name in ("epochs", "steps")}
        self.optimizer.load(saved.part("optimizer"))
        self._average.load(saved.part("average"))
        self._position, self._seconds = int(saved.state["position"]), float(saved.state["seconds"])
        if not 0 <= self._position <= len(self._steps):
            raise ValueError(f"position {self._position} after {len(self._steps)} steps")
        self.rows.num_hits.fill_(saved.state["num_hits"] if self.plan.world.is_first else 0)

    def rate_factor(self, step: int) -> float:
        """Return the factor on the peak rates, by the step of the stage."""
        return self._schedule(step - self._stage_began["steps"])

    def _updates(self, epoch: int) -> Iterator[Update]:
        for rows in self.rows.order(np.random.default_rng([self.plan.seed % 2**32, epoch]))[self._position :]:
            self.network.masks.begin_step(self.plan.seed, len(self._steps), self.plan.world.rank)
            seed_step(self.plan.seed, len(self._steps), self.plan.world.rank)
            yield self.rows.update(rows, self._shards)

    def loss(self, batch: Any, targets: Tensor) -> Tensor:
        """Return the loss of a part of an update, summed over its targets, nats."""
        return self.rows.loss(batch, targets)
