"""AdamW for an embedding table of which each step touches few rows.

A dense update of minilm's 11.7 M embedding weights costs a tenth of a short step. Here a row is brought up to date when it is
next read: what a dense optimizer would have done to it in between, without a gradient, has a closed form.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

# Updates after which what a row's old gradient still moves is below 0.9 ** 200, a thousandth of a millionth.
MEMORY = 200
# Rows that are brought up to date at once where all are: 6 MB of each array for 384 columns, in place of the whole table's.
BLOCK = 4096


class RowAdamW:
    """AdamW over the rows of one table, equal to the dense one up to rounding and its ``eps`` on rows without gradient.

    Before a row is read, ``catch_up`` must have brought it up to date.

    Args:
        table: (rows, width); its gradient is sparse.
        decay: Decoupled weight decay.
        betas: Of the two moments.
        eps: Added to the root of the second.

    Source:
        Loshchilov and Hutter (2019), Decoupled weight decay regularization. After n updates with no gradient the moments are
        beta1^n m and beta2^n v, so the missed steps add up to m / sqrt(v) times a sum that depends on the steps alone.
    """

    def __init__(
        self, table: nn.Parameter, *, decay: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.table, self.decay, self.betas, self.eps = table, decay, betas, eps
        self.count = 0
        # numpy's zeros take memory where something is written to them, torch's at once.
        self.mean, self.square = (torch.from_numpy(np.zeros(table.shape, np.float32)) for _ in range(2))
        self.seen = torch.zeros(len(table), dtype=torch.int64)  # the update up to which each row is right
        # Which rows ever had a gradient: the moments of the others are zeros that nobody writes, so they take no memory.
        self._learned = torch.zeros(len(table), dtype=torch.bool)
        self._coast = torch.zeros(1024, dtype=torch.float64)  # by the update a row is at: sum of what it has missed
        self._log_kept = torch.zeros(1024, dtype=torch.float64)  # log of what weight decay has left, up to each update

    @torch.no_grad()
    def catch_up(self, rows: Tensor | None = None) -> None:
        """Apply what these rows (all by default; no row twice) have missed."""
        for block in torch.split(torch.arange(len(self.table)) if rows is None else rows, BLOCK):
            behind = block[self.seen[block] < self.count]
            shrink = (self._log_kept[self.count] - self._log_kept[self.seen[behind]]).exp()
            self.table.data[behind] *= shrink.float().unsqueeze(1)
            self._coast_on(behind[self._learned[behind]])
            self.seen[behind] = self.count

    def _coast_on(self, place: Tensor) -> None:
        """Move these rows by what their moments still do without a gradient, and let the moments fall."""
        seen = self.seen[place]
        missed = (self.count - seen).double()
        moved = self.square[place].sqrt().add_(self._small()).reciprocal_()
        self.table.data[place] -= moved.mul_(self.mean[place]).mul_(self._coast[seen].float().unsqueeze(1))
        self.mean[place] *= (self.betas[0] ** missed).float().unsqueeze(1)
        self.square[place] *= (self.betas[1] ** missed).float().unsqueeze(1)

    def add_up(self) -> None:
        """Sum the gradient over all processes, row by row."""
        if self.table.grad is not None:
            self.table.grad = self.table.grad.coalesce()
            torch.distributed.all_reduce(self.table.grad)

    @torch.no_grad()
    def step(self, rows: Tensor, gradient: Tensor, rate: float) -> None:
        """Update rows that are up to date.

        Args:
            rows: (n,), no row twice.
            gradient: (n, width).
            rate: Learning rate of this step.
        """
        (beta1, beta2), self.count = self.betas, self.count + 1
        if self.count >= len(self._coast):
            self._coast = torch.cat([self._coast, torch.zeros_like(self._coast)])
            self._log_kept = torch.cat([self._log_kept, torch.zeros_like(self._log_kept)])
        size = rate * math.sqrt(1 - beta2**self.count) / (1 - beta1**self.count)
        first = max(0, self.count - MEMORY)
        ages = torch.arange(self.count - first, 0, -1, dtype=torch.float64)  # updates since each of these
        self._coast[first : self.count] += size * (beta1 / math.sqrt(beta2)) ** ages
        kept = 1 - rate * self.decay
        self._log_kept[self.count] = self._log_kept[self.count - 1] + math.log(kept)
        mean = self.mean[rows].lerp_(gradient, 1 - beta1)
        square = self.square[rows].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        self.table.data[rows] = self.table.data[rows] * kept - size * mean / (square.sqrt() + self._small())
        self.mean[rows], self.square[rows], self.seen[rows], self._learned[rows] = mean, square, self.count, True

    def _small(self) -> float:
        return self.eps * math.sqrt(1 - self.betas[1] ** self.count)

    def state(self) -> dict[str, Tensor]:
        """What an exact continuation needs."""
        used = self.count + 1
        return {
            "mean": self.mean,
            "square": self.square,
            "seen": self.seen,
            "count": torch.tensor(self.count),
            "coast": self._coast[:used].clone(),
            "log_kept": self._log_kept[:used].clone(),
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        self.count = int(state["count"])
        self.seen.copy_(state["seen"])
        self._learned.copy_(state["square"].any(dim=1) | state["mean"].any(dim=1))
        self.mean[self._learned], self.square[self._learned] = (state[name][self._learned] for name in ("mean", "square"))
        room = torch.zeros(max(1024, 2 * (self.count + 1)), dtype=torch.float64)
        self._coast, self._log_kept = room.clone(), room
        self._coast[: self.count + 1], self._log_kept[: self.count + 1] = state["coast"], state["log_kept"]
