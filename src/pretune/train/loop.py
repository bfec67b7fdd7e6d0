"""The training loop: a generator that trains and tells. Saving, logging, validating and stopping belong to the caller."""

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from pretune.errors import DivergedError
from pretune.models import Batch
from pretune.records import Step
from pretune.train.optimizer import set_learning_rate
from pretune.train.schedule import Schedule


def train_steps(
    network: nn.Module,
    batches: Iterable[tuple[Batch, Tensor, tuple[str, ...]]],
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    loss_of: Callable[[Batch, Tensor], Tensor],
    *,
    first_step: int = 0,
    max_gradient_norm: float = 1.0,
) -> Iterator[Step]:
    """Train on every batch, yielding one ``Step`` per optimizer update.

    Args:
        network: What is trained; put into training mode.
        batches: Inputs, targets (batch,) and the ids of the rows.
        optimizer: As ``make_optimizer`` returns it.
        schedule: Factor on the peak rates, by step.
        loss_of: (batch, targets) → mean loss in nats, a scalar.
        first_step: Index of the first step.
        max_gradient_norm: Clipping; 0 switches it off.

    Raises:
        DivergedError: Loss or gradient norm is not finite; the update was not made.
    """
    network.train()
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for index, (batch, targets, rows) in enumerate(batches, start=first_step):
        loss = loss_of(batch, targets)
        torch.autograd.backward(loss)
        norm = float(clip_grad_norm_(weights, max_gradient_norm or math.inf))
        value = loss.item()
        if not math.isfinite(value + norm):  # before the update: the last good weights survive
            optimizer.zero_grad(set_to_none=True)
            raise DivergedError(step=index, rows=rows, loss=value, norm=norm)
        rate = set_learning_rate(optimizer, schedule(index))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        yield Step(index=index, loss=value, num_targets=len(targets), gradient_norm=norm, learning_rate=rate)
