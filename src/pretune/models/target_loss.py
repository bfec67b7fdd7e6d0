"""Cross-entropy at the targets alone: the logits of all words are there for a few positions at a time, never for a window.

Shapes: states (targets, width), weight (vocabulary, width), bias (vocabulary,), labels (targets,).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

# Targets whose logits are computed at once: for 32,768 words 64 MB in float32.
CHUNK = 512


class _TargetLoss(torch.autograd.Function):
    """Summed loss; the gradients are found on the way forward, while the logits are there, and only scaled backwards."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> tuple[Tensor, Tensor]:
        wanted, of_table = any(ctx.needs_input_grad), ctx.needs_input_grad[1]
        own = weight.to(states.dtype)
        of_states = torch.empty_like(states) if wanted else None
        of_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device) if of_table else None
        of_bias = torch.zeros(len(weight), dtype=torch.float32, device=weight.device) if wanted and bias is not None else None
        loss = torch.zeros((), dtype=torch.float32, device=states.device)
        num_right = torch.zeros((), dtype=torch.int64, device=states.device)
        for start in range(0, len(labels), CHUNK):
            place = slice(start, start + CHUNK)
            logits = functional.linear(states[place], own).float()  # (chunk, vocabulary)
            if bias is not None:
                logits += bias
            truth = labels[place, None]
            right = logits.gather(1, truth)
            num_right += (logits.amax(dim=1, keepdim=True) == right).sum()
            log_sum = logits.logsumexp(dim=1, keepdim=True)
            loss += (log_sum - right).sum()
            if of_states is not None:
                error = logits.sub_(log_sum).exp_()
                error.scatter_add_(1, truth, torch.full_like(right, -1.0))
                if of_bias is not None:
                    of_bias += error.sum(dim=0)
                error = error.to(states.dtype)
                torch.mm(error, own, out=of_states[place])
                if of_weight is not None:
                    of_weight += torch.mm(error.t(), states[place])
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
