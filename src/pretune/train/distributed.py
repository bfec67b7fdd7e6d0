"""The processes that train together, as a value. With one process it does nothing, so that path is unchanged.

Every process computes its share of an update, torch adds up the gradients (``train/engine.py``), and all make the same update.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor

from pretune.errors import ProcessError

# Bytes that one exchange adds up at most.
BYTES = 1 << 26
# What the words of an error have in common where another process is gone: torch raises a bare RuntimeError there.
LOST = ("gloo", "nccl", "connection closed", "connection reset")


def explain_loss() -> ProcessError:
    """Return what is said where nobody knows why another process stopped answering."""
    return ProcessError("another process of this training is gone, or did not answer in time", fix="run the command again")


@dataclass(frozen=True, slots=True)
class World:
    """Which of how many processes this one is.

    Args:
        rank: Its number; 0 is the first, the only one that writes.
        size: How many there are.
        explain: Returns the error to raise when another process does not answer.
    """

    rank: int = 0
    size: int = 1
    explain: Callable[[], Exception] = explain_loss

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share_rows(self, rows: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return this process's rows of a batch: alike in length, about as many tokens as every other's; perhaps none.

        Args:
            rows: Row numbers of the whole batch.
            lengths: Tokens of every text.

        Example:
            >>> World(1, 2).share_rows(np.array([0, 1, 2]), np.array([8, 3, 5])).tolist()
            [2, 1]
        """
        if self.size == 1:
            return rows
        ordered = rows[np.argsort(-lengths[rows], kind="stable")]
        tokens = np.maximum(lengths[ordered], 1)
        middle = np.cumsum(tokens) - tokens / 2
        own: npt.NDArray[np.int64] = ordered[np.minimum(middle * self.size // tokens.sum(), self.size - 1) == self.rank]
        return own

    def total(self, value: float) -> float:
        """Return the sum of a number over all processes."""
        if self.size == 1:
            return value
        found = torch.tensor(value, dtype=torch.float64)
        self._reduce(found)
        return float(found)

    def most(self, value: int) -> int:
        """Return the largest of a number over all processes."""
        if self.size == 1:
            return value
        found = torch.tensor(value)
        self._reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def union(self, rows: Tensor, num_rows: int) -> Tensor:
        """Return, sorted, the row numbers below ``num_rows`` that any process has."""
        if self.size == 1:
            return rows
        marks = torch.zeros(num_rows, dtype=torch.uint8)
        marks[rows.cpu()] = 1
        self._reduce(marks, dist.ReduceOp.MAX)
        return marks.nonzero().flatten().to(rows.device)

    def gather(self, tensor: Tensor) -> None:
        """Put together, in place, what the processes computed part by part, zeros elsewhere; exact, bit for bit.

        Args:
            tensor: On the CPU, contiguous; its bytes are added up.
        """
        if self.size > 1 and tensor.numel():
            for piece in torch.split(tensor.reshape(-1).view(torch.uint8), BYTES):
                self._reduce(piece)

    def from_first(self, make: Callable[[], tuple[dict[str, Any], dict[str, Tensor]] | None]) -> Any:
        """Return what ``make`` gives the first process, JSON and tensors on the CPU; the others do not call it."""
        if self.size == 1:
            return make()
        made = make() if self.is_first else None
        value, tensors = made or ({}, {})
        shapes = [[name, str(item.dtype).removeprefix("torch."), list(item.shape)] for name, item in tensors.items()]
        head = json.dumps([made is not None, value, shapes]).encode()
        size = int(self.total(len(head) if self.is_first else 0))
        told = torch.frombuffer(bytearray(head if self.is_first else size), dtype=torch.uint8)
        self._from_first(told)
        is_there, value, shapes = json.loads(told.numpy().tobytes())
        for name, dtype, shape in shapes:
            held = tensors[name].contiguous() if self.is_first else torch.empty(shape, dtype=getattr(torch, dtype))
            tensors[name] = held
            if held.numel():
                self._from_first(held.reshape(-1).view(torch.uint8))
        return (value, tensors) if is_there else None

    def _reduce(self, tensor: Tensor, how: Any = dist.ReduceOp.SUM) -> None:
        with self.explained():
            dist.all_reduce(tensor, how)

    def _from_first(self, tensor: Tensor) -> None:
        with self.explained():
            dist.broadcast(tensor, 0)

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Where another process does not answer while the block runs, say why."""
        try:
            yield
        except RuntimeError as error:
            if any(word in str(error).lower() for word in LOST):
                raise self.explain() from error
            raise


ALONE = World()
_TOGETHER: ContextVar[World] = ContextVar("together", default=ALONE)


def current_world() -> World:
    """Return the processes that the surrounding ``training_together`` named; this one alone elsewhere."""
    return _TOGETHER.get()


@contextlib.contextmanager
def training_together(world: World) -> Iterator[None]:
    """While the block runs, whatever is fitted is fitted by all of these processes."""
    token = _TOGETHER.set(world)
    try:
        yield
    finally:
        _TOGETHER.reset(token)
