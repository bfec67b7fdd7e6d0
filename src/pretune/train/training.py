"""One training for every objective: updates, checkpoints, Ctrl-C, resuming, several processes, trial steps."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from torch import Tensor, nn

from pretune.records import Step
from pretune.train.checkpoint import Checkpoints, Saved, taking_over
from pretune.train.distributed import World
from pretune.train.interrupt import END, Interrupt
from pretune.train.loop import Update, train_steps
from pretune.train.optimizer import Optimizer
from pretune.train.schedule import Schedule

Look = TypeVar("Look")
Seen = TypeVar("Seen", covariant=True)


class Objective(Protocol[Seen]):
    """What a task brings to training: what updates learn from, how far off they are, and what is looked at between them."""

    @property
    def network(self) -> nn.Module:
        """What is trained, in place."""

    @property
    def optimizer(self) -> Optimizer:
        """What makes the updates; after a change of stage, another one."""

    @property
    def world(self) -> World:
        """The processes that train together."""

    @property
    def max_gradient_norm(self) -> float:
        """Clipping; 0 switches it off."""

    @property
    def num_steps(self) -> int:
        """Updates planned in all."""

    @property
    def num_made(self) -> int:
        """Updates made so far."""

    @property
    def num_saved_bytes(self) -> int:
        """What a checkpoint takes on the disk, about."""

    @property
    def is_done(self) -> bool:
        """Whether the last look was taken."""

    def updates(self) -> Iterator[Update]:
        """Yield the updates from here to the next look; none where that is due."""

    def loss(self, batch: Any, targets: Tensor) -> Tensor:
        """Return the loss of a part of an update, summed over its targets, nats."""

    def rate_factor(self, step: int) -> float:
        """Return the factor on the peak rates."""

    def took(self, step: Step, seconds: float) -> None:
        """Count an update that was made, and the time it took."""

    def look(self) -> Seen:
        """Measure where training stands, on rows that it does not learn from."""

    def saved(self) -> Saved:
        """Return what resuming needs; of several processes all are asked, and the first one's is kept."""

    def take_over(self, saved: Saved) -> None:
        """Go on from what ``saved`` returned, perhaps in another process and another year."""


class Training(Generic[Look]):
    """Trains what an objective asks for, and can be cut off and resumed at every step.

    Args:
        objective: What is learned.
        checkpoints: Where to save, and what to resume from; of several processes, the first has it alone.
        on_step: Called after every update with the step and the number of steps planned.
        waits: Whether the first Ctrl-C waits for the end of the step, to save it.
    """

    def __init__(
        self,
        objective: Objective[Look],
        *,
        checkpoints: Checkpoints | None = None,
        on_step: Callable[[Step, int], None] | None = None,
        waits: bool = True,
    ) -> None:
        self.objective, self._checkpoints, self._on_step = objective, checkpoints, on_step
        self._interrupt = Interrupt(is_on=waits, tells=objective.world.is_first)

    def resume(self) -> None:
        """Take over what the newest checkpoint holds, if there is one; the first process reads it for all.

        Raises:
            UsageError: It belongs to another training, and that was not allowed.
            StorageError: There is no room for the next ones, or it is not what this training saves.
        """
        found = self.objective.world.from_first(self._load)
        if found is None:
            return
        head, tensors = found
        saved = Saved(step=head["step"], tensors=tensors, state=head["state"], is_exact=head["is_exact"])
        with taking_over(saved):
            self.objective.take_over(saved)

    def rounds(self) -> Iterator[Look]:
        """Train from look to look until the objective is done, and yield what is seen."""
        with self._interrupt:
            while not self.objective.is_done:
                yield self._round()

    def _round(self) -> Look:
        objective, start = self.objective, time.perf_counter()
        for step in _steps(objective, objective.updates(), objective.rate_factor, objective.num_made):
            objective.took(step, time.perf_counter() - start)
            if self._on_step is not None:
                self._on_step(step, objective.num_steps)
            self._keep()
            start = time.perf_counter()  # telling and saving is not training
        return objective.look()

    def _keep(self) -> None:
        """Save where it is time to, or where Ctrl-C asks for it; of several processes, the first saves for all."""
        is_due = self._checkpoints is not None and self._checkpoints.is_due
        wanted = self.objective.world.most(END if self._interrupt.asked else int(is_due))
        if wanted:
            saved = self.objective.saved()
            if self._checkpoints is not None:
                self._checkpoints.save(saved)
        if wanted == END:
            raise KeyboardInterrupt

    def _load(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Read the newest checkpoint, in the first process."""
        if self._checkpoints is None:
            return None
        self._checkpoints.check_room(self.objective.num_saved_bytes)
        saved = self._checkpoints.load()
        if saved is None:
            return None
        return {"step": saved.step, "is_exact": saved.is_exact, "state": saved.state}, saved.tensors


def trial_steps(
    objective: Objective[Any], updates: Iterable[Update], schedule: Schedule, num_steps: int, *, first: int = 0
) -> Iterator[Step]:
    """Train for a few steps that nobody saves or looks at: for measuring, on weights that the caller puts back.

    Args:
        objective: What is trained, and how far off it is.
        updates: What to learn from.
        schedule: Factor on the peak rates, by step.
        num_steps: How many at most.
        first: Index of the first.
    """
    return islice(_steps(objective, updates, schedule, first), num_steps)


def _steps(objective: Objective[Any], updates: Iterable[Update], schedule: Schedule, first: int) -> Iterator[Step]:
    return train_steps(
        objective.network,
        updates,
        objective.optimizer,
        schedule,
        objective.loss,
        first_step=first,
        max_gradient_norm=objective.max_gradient_norm,
    )
