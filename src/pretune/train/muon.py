"""Muon: momentum with orthogonalized updates, for the weight matrices of layers.

Every direction of a matrix learns at the same pace, while AdamW follows the few that dominate. So more is learned from each
token, and the price, a few small matrix products per update, does not depend on the number of tokens.
"""

import torch
from torch import Tensor, nn

from pretune.train.sharding import like, whole_of

MOMENTUM = 0.95
# Coefficients of the odd polynomial that brings all singular values near 1, and how often it is applied.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NUM_ITERATIONS = 5


class Muon:
    """Updates of matrices, those of one shape together.

    Where weights lie in parts, every process orthogonalizes the whole matrices and updates its own parts.

    Args:
        matrices: Weights (rows, columns), each with how many it holds side by side (query, key and value: 3).
        decay: Decoupled weight decay.
        precision: What the iterations are computed in.

    Source:
        Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks; the scale of the update that matches
        AdamW's is that of Liu et al. (2025), Muon is scalable for LLM training.
    """

    def __init__(
        self, matrices: list[tuple[nn.Parameter, int]], *, decay: float, precision: torch.dtype = torch.bfloat16
    ) -> None:
        self.matrices, self.decay, self.precision = matrices, decay, precision
        self.momentum = [torch.zeros_like(weight) for weight, _ in matrices]
        self._groups: dict[tuple[int, ...], list[int]] = {}
        for place, (weight, parts) in enumerate(matrices):
            self._groups.setdefault((weight.shape[0] // parts, weight.shape[1]), []).append(place)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Update every matrix; none while the layers stand still."""
        if all(weight.grad is None for weight, _ in self.matrices):
            return
        for shape, places in self._groups.items():
            ahead = []
            for place in places:
                weight, parts = self.matrices[place]
                gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
                momentum = self.momentum[place].lerp_(gradient, 1 - MOMENTUM)
                ahead.append(whole_of(gradient.lerp(momentum, MOMENTUM)).view(parts, *shape))
            updates = orthogonalize(torch.cat(ahead).to(self.precision)).float()
            scale = 0.2 * max(shape) ** 0.5  # elements of an orthogonal matrix are about 1 / √max; AdamW's updates about 0.2
            start = 0
            for place in places:
                weight, parts = self.matrices[place]
                update = like(weight, updates[start : start + parts].view(weight.shape))
                weight.mul_(1 - rate * self.decay).add_(update, alpha=-rate * scale)
                start += parts

    def state(self) -> dict[str, Tensor]:
        """What an exact continuation needs."""
        return {str(place): whole_of(value) for place, value in enumerate(self.momentum)}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        for place, value in enumerate(self.momentum):
            value.copy_(like(value, state[str(place)]))


def orthogonalize(matrices: Tensor) -> Tensor:
    """Return matrices with the same singular vectors and singular values near 1: (count, rows, columns) → the same.

    Source:
        The Newton–Schulz iteration with the coefficients of Jordan et al. (2024).
    """
    first, second, third = NEWTON_SCHULZ
    is_tall = matrices.shape[1] > matrices.shape[2]
    found = matrices.transpose(1, 2) if is_tall else matrices
    found = found / (found.float().norm(dim=(1, 2), keepdim=True) + 1e-7).to(found.dtype)
    for _ in range(NUM_ITERATIONS):
        square = found @ found.transpose(1, 2)
        found = torch.baddbmm(found, torch.baddbmm(square, square, square, beta=second, alpha=third), found, beta=first)
    return found.transpose(1, 2) if is_tall else found
