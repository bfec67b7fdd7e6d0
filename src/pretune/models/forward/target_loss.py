"""Cross-entropy at the targets alone: the logits of all words exist for a few positions at a time, never for a window.

Shapes: states (targets, width), weight (vocabulary, width), bias (vocabulary,), labels (targets,).
"""

from typing import Any

import torch
from torch import Tensor

# Targets whose logits are there at once, in the precision of matrix products: for 32,768 words 64 MB in bf16. Products of fewer
# rows are slower. What lies between the products is done for a few rows at a time on a CPU, which stay in its cache.
BLOCK = 1024
CHUNK = {"cpu": 128}


class _TargetLoss(torch.autograd.Function):
    """Summed loss; the gradients are found on the way forward, while the logits are there, and only scaled backwards."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> tuple[Tensor, Tensor]:
        wanted, of_table = any(ctx.needs_input_grad), ctx.needs_input_grad[1]
        own, device = weight.to(states.dtype), states.device
        of_states = torch.empty_like(states) if wanted else None
        of_weight = torch.zeros(weight.shape, device=device) if of_table else None
        of_bias = torch.zeros(len(weight), device=device) if wanted and bias is not None else None
        loss, num_right = torch.zeros((), device=device), torch.zeros((), dtype=torch.int64, device=device)
        chunk = CHUNK.get(device.type, BLOCK)
        held, exact = states.new_empty(min(BLOCK, len(labels)), len(weight)), torch.empty(chunk, len(weight), device=device)
        for start in range(0, len(labels), BLOCK):
            place = slice(start, start + BLOCK)
            logits = held[: len(labels[place])]
            torch.mm(states[place], own.t(), out=logits)
            for part, truth in zip(torch.split(logits, chunk), torch.split(labels[place], chunk), strict=True):
                error = exact[: len(part)].copy_(part)
                found, right = _compare(error if bias is None else error.add_(bias), truth[:, None])
                loss, num_right = loss + found, num_right + right
                part.copy_(error)
                if of_bias is not None:
                    of_bias += error.sum(dim=0)
            if of_states is not None:
                torch.mm(logits, own, out=of_states[place])
            if of_weight is not None:
                of_weight += torch.mm(logits.t(), states[place])
        ctx.save_for_backward(of_states, of_weight, of_bias)
        ctx.dtypes = weight.dtype, None if bias is None else bias.dtype
        ctx.mark_non_differentiable(num_right)
        return loss, num_right

    @staticmethod
    def backward(ctx: Any, of_loss: Tensor, _: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        of_states, of_weight, of_bias = ctx.saved_tensors
        scaled = of_states * of_loss.to(of_states.dtype)
        of_weight = None if of_weight is None else (of_weight * of_loss).to(ctx.dtypes[0])
        return scaled, of_weight, None if of_bias is None else (of_bias * of_loss).to(ctx.dtypes[1]), None


def _compare(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed loss and how many largest logits are right; what is left of the logits is the gradient of that loss.

    Args:
        logits: (targets, vocabulary), float32; overwritten.
        truth: (targets, 1).
    """
    right, best = logits.gather(1, truth), logits.amax(dim=1, keepdim=True)
    total = logits.sub_(best).exp_().sum(dim=1, keepdim=True)
    logits.scatter_add_(1, truth, -total).mul_(total.reciprocal())  # the softmax, less 1 at the truth
    return (total.log() + best - right).sum(), (best == right).sum()


def target_loss(states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed cross-entropy in nats, and how many labels have the largest logit.

    Args:
        states: (targets, width), ready for the output layer; matrix products are taken in their precision.
        weight: (vocabulary, width).
        bias: (vocabulary,) or ``None``.
        labels: (targets,), the token that belongs at each target.
    """
    loss, num_right = _TargetLoss.apply(states, weight, bias, labels)  # type: ignore[no-untyped-call]
    return loss, num_right
