"""An exponential moving average of the trained weights, evaluated and saved in their place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pretune.train.sharding import like, whole_of


class Average:
    """Average ← d · average + (1 - d) · weight after every step, in fp32; d rises to ``decay`` as (1 + n) / (10 + n).

    Without that rise the first weights would be most of the average for the first thousand steps, which is more than many
    fine-tunings have.

    Args:
        weights: What is averaged, every row of it updated in every step.
        decay: Share of the average that a step keeps; ``None`` averages nothing, and the weights stay as they are.

    Source:
        Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging. The rise is that of TensorFlow's
        ``ExponentialMovingAverage(num_updates=...)``.
    """

    def __init__(self, weights: Sequence[nn.Parameter], decay: float | None) -> None:
        self._weights = [] if decay is None else list(weights)
        self._decay, self.count = decay or 0.0, 0
        self.values = [weight.detach().float().clone() for weight in self._weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after one more step."""
        if not self._weights:
            return
        self.count += 1
        kept = min(self._decay, (1 + self.count) / (10 + self.count))
        torch._foreach_lerp_(self.values, [weight.float() for weight in self._weights], 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the weights while the block runs; afterwards they have their own bits again."""
        live = [weight.detach().clone() for weight in self._weights]
        self._write(self.values)
        try:
            yield
        finally:
            self._write(live)

    @torch.no_grad()
    def _write(self, values: Sequence[Tensor]) -> None:
        for weight, value in zip(self._weights, values, strict=True):
            weight.copy_(value)

    def state(self) -> dict[str, Tensor]:
        """What an exact continuation needs; nothing where nothing is averaged."""
        if not self._weights:
            return {}
        return {"count": torch.tensor(self.count), **{str(place): whole_of(value) for place, value in enumerate(self.values)}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        if not self._weights:
            return
        self.count = int(state["count"])
        for place, value in enumerate(self.values):
            value.copy_(like(value, state[str(place)]))
