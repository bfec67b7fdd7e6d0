"""The training loop: a generator that trains and tells. Saving, logging, validating and stopping belong to the caller."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from pretune.errors import DivergedError
from pretune.models import Batch, Windows
from pretune.records import Step
from pretune.train.engine import Engine
from pretune.train.optimizer import Optimizer
from pretune.train.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one optimizer update learns from, in parts small enough to be computed at once.

    Args:
        parts: Inputs and targets, (batch,) or (targets,); their losses are summed.
        rows: Ids of all rows.
        weight: What the summed loss is divided by: the number of rows or targets, or the sum of their class weights.
        num_targets: What the loss counts, where that is not the rows.
    """

    parts: tuple[tuple[Batch | Windows, Tensor], ...]
    rows: tuple[str, ...]
    weight: float
    num_targets: int | None = None


def train_steps(
    network: nn.Module,
    updates: Iterable[Update],
    optimizer: Optimizer,
    schedule: Schedule,
    loss_of: Callable[[Any, Tensor], Tensor],
    *,
    first_step: int = 0,
    max_gradient_norm: float = 1.0,
) -> Iterator[Step]:
    """Train on every update, yielding one ``Step`` for each.

    Args:
        network: What is trained; put into training mode.
        updates: What to learn from.
        optimizer: As ``make_optimizer`` returns it.
        schedule: Factor on the peak rates, by step.
        loss_of: (batch, targets) → summed loss in nats, a scalar.
        first_step: Index of the first step.
        max_gradient_norm: Clipping; 0 switches it off.

    Raises:
        DivergedError: Loss or gradient norm is not finite; the update was not made.
    """
    network.train()
    engine = Engine(network, loss_of, optimizer)
    for index, update in enumerate(updates, start=first_step):
        optimizer.prepare(batch.ids for batch, _ in update.parts)
        value = engine.learn(update.parts, update.weight)
        norm = optimizer.clip(max_gradient_norm)
        if not math.isfinite(value + norm):  # before the update: the last good weights survive
            optimizer.zero_grad()
            raise DivergedError(step=index, rows=update.rows, loss=value, norm=norm)
        rate = optimizer.step(schedule(index))
        optimizer.zero_grad()
        counted = len(update.rows) if update.num_targets is None else update.num_targets
        yield Step(index=index, loss=value, num_targets=counted, gradient_norm=norm, learning_rate=rate)
