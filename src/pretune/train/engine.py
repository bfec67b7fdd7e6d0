"""Losses and gradients of an update. If processes share it, torch sums the gradients, and sends while it still computes.

Whole weights go through ``DistributedDataParallel``, weights in parts through ``fully_shard`` (``train/sharding.py``).
"""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pretune.train.optimizer import Optimizer

Loss = Callable[[Any, Tensor], Tensor]


class Engine:
    """Computes the gradients of updates, as long as the same weights are trained.

    Args:
        network: What is trained.
        loss_of: (batch, targets) → summed loss in nats, a scalar.
        optimizer: Of the same weights; it knows the processes that share each update, and the parts that weights lie in.
    """

    def __init__(self, network: nn.Module, loss_of: Loss, optimizer: Optimizer) -> None:
        self._network, self._loss_of, self._optimizer = network, loss_of, optimizer
        self._replica: DistributedDataParallel | None = None

    def learn(self, parts: Sequence[tuple[Any, Tensor]], weight: float) -> float:
        """Add up the gradients of an update over its parts and all processes; return its loss.

        Args:
            parts: Inputs and targets of this process; at least one where several share the update.
            weight: What the summed loss is divided by.
        """
        world, losses = self._optimizer.world, list[Tensor]()
        with world.explained():
            loss_of = self._shared()
            for number, (batch, targets) in enumerate(parts, start=1):
                with self._silent() if number < len(parts) else contextlib.nullcontext():
                    loss = loss_of(batch, targets) / weight
                    torch.autograd.backward(loss)
                losses.append(loss.detach())
            if self._optimizer.shards is not None:
                for table, _ in self._optimizer.tables:
                    table.add_up()
        return world.total(sum(loss.item() for loss in losses))  # read when all is under way: reading waits for a GPU

    def _shared(self) -> Loss:
        """Return the loss behind whatever shares its gradients."""
        if self._optimizer.world.size == 1:
            return self._loss_of
        if self._optimizer.shards is not None:
            return partial(self._optimizer.shards.loss, self._loss_of)
        if self._replica is None:
            self._replica = DistributedDataParallel(
                _Loss(self._network, self._loss_of),
                init_sync=False,  # all have read the same bytes
                find_unused_parameters=True,
                gradient_as_bucket_view=True,
            )
            self._replica.broadcast_buffers = False  # none changes; as an argument, torch 2.13 calls it by another name
            self._replica.register_comm_hook(None, _add_up)
        return self._replica

    def _silent(self) -> contextlib.AbstractContextManager[None]:
        """Return a context in which gradients stay in this process; those of weights in parts are sent each time, for room."""
        return contextlib.nullcontext() if self._replica is None else self._replica.no_sync()


class _Loss(nn.Module):
    """A loss as a module, as ``DistributedDataParallel`` wants it.

    It is told to look for weights that a loss does not use, such as a pooler that no head reads, and then warns on standard
    error where there is none. So there is one.
    """

    def __init__(self, network: nn.Module, loss_of: Loss) -> None:
        super().__init__()
        self.network, self._loss_of = network, loss_of
        self.unused = nn.Parameter(torch.zeros(1, device=next(network.parameters()).device))

    def forward(self, batch: Any, targets: Tensor) -> Tensor:
        return self._loss_of(batch, targets)


def _add_up(_: None, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:  # type: ignore[name-defined]
    """Return the sum over all processes, not the mean: what a loss is divided by is settled by the whole update."""
    sent: torch.futures.Future[list[Tensor]] = dist.all_reduce(bucket.buffer(), async_op=True).get_future()
    return sent.then(lambda done: done.value()[0])
