"""Dropout whose masks are cheap and can be drawn again: all masks of a step come from one generator, seeded by the step.

torch draws one Bernoulli variable after another, 7 to 10 ns each on a CPU. Here integer arithmetic on whole arrays turns 16
random bits into a mask element in about 1 ns (``benchmarks/dropout.py`` measures both).
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# 15 random bits decide: the probability is exact to 1 / 32,768.
RESOLUTION = 1 << 15


class Masks:
    """The source of one network's masks."""

    def __init__(self) -> None:
        self._bits = np.random.SFC64(0)

    def begin_step(self, seed: int, step: int, rank: int = 0) -> None:
        """Start one process's masks of one optimizer step: they depend on these three and the order of drawing alone."""
        self._bits = np.random.SFC64([seed % 2**32, step, rank])  # a rank of 0 changes no bit

    @property
    def state(self) -> Any:
        """Where the source is: what ``again`` begins with."""
        return self._bits.state

    @contextlib.contextmanager
    def again(self, state: Any) -> Iterator[None]:
        """Draw once more what was drawn after ``state`` while the block runs; afterwards go on as if it had not been."""
        own, self._bits = self._bits, np.random.SFC64(0)
        self._bits.state = state
        try:
            yield
        finally:
            self._bits = own

    def draw(self, shape: torch.Size, probability: float, dtype: torch.dtype) -> Tensor:
        """Return 0 with this probability, else 1 / (1 - probability).

        In bf16 the larger value has 8 bits, so the probability is moved to the nearest one whose mean is exactly 1
        (0.1 becomes 0.0986).
        """
        scale = torch.tensor(1 / (1 - probability), dtype=dtype)
        threshold = round((1 - 1 / scale.item()) * RESOLUTION)
        size = math.prod(shape)
        words = torch.from_numpy(self._bits.random_raw((size + 3) // 4).view(np.int16))[:size]
        words.bitwise_and_(RESOLUTION - 1)
        if dtype != torch.bfloat16:
            return torch.ge(words, threshold).to(dtype).mul_(scale).view(shape)
        torch.sub(threshold - 1, words, out=words)  # negative where kept
        words.bitwise_right_shift_(15).bitwise_and_(
            int(scale.view(torch.int16))
        )  # all ones, or zero; then the scale's own bits
        return words.view(torch.bfloat16).view(shape)


class Dropout(nn.Dropout):
    """``nn.Dropout`` with masks from a shared source on a CPU, and torch's own elsewhere."""

    def __init__(self, probability: float, masks: Masks) -> None:
        super().__init__(probability)
        self.masks = masks

    def forward(self, hidden: Tensor) -> Tensor:
        """Any shape → the same shape."""
        if not self.training or not self.p:
            return hidden
        if hidden.device.type != "cpu":
            return super().forward(hidden)
        return hidden * self.masks.draw(hidden.shape, self.p, hidden.dtype)


def share_masks(module: nn.Module, masks: Masks) -> None:
    """Replace every ``nn.Dropout`` inside by one that draws from ``masks``."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout or isinstance(child, Dropout):
                setattr(parent, name, Dropout(child.p, masks))
