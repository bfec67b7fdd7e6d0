"""Layers built like BERT's with a hand-written backward pass: training on a CPU in half the operations of autograd.

Query, key and value are one product in each direction, what need not be kept is overwritten, and gradients are summed inside
the products. Shapes: hidden (batch, time, width), rows (batch × time, width), parts (k, batch × heads, time, size); if a head
reads the first token alone, only one token per text is a query.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from pretune.models.dropout import Dropout
from pretune.models.forward.attention import mix, mix_backward
from pretune.models.forward.bert_parts import Parts, Sizes

aten = torch.ops.aten


def parts_to_train(layer: Any, hidden: Tensor) -> Parts | None:
    """Return the parts of a layer that learns, on a processor; ``None`` where ``train_layer`` cannot serve."""
    if hidden.device.type != "cpu" or not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return None
    parts = Parts.of(layer)
    return parts if parts is not None and parts.query.weight.requires_grad else None


def train_layer(layer: Any, parts: Parts, hidden: Tensor, bias: Tensor | None, *, only_first: bool = False) -> Tensor:
    """(batch, time, width) → the same, or (batch, 1, width); gradients reach ``hidden`` and the layer's weights.

    Args:
        layer: Built like BERT's.
        parts: Of this layer.
        hidden: What the layer below gave, in the precision of matrix products.
        bias: From ``bias_of``.
        only_first: Compute the first token alone.

    Source:
        Devlin et al. (2019), BERT, section 3; Ba, Kiros and Hinton (2016), Layer normalization.
    """
    sizes = Sizes.of(layer, hidden, only_first=only_first)
    dropouts = (layer.attention.self.dropout, layer.attention.output.dropout)
    with torch.autocast("cpu", enabled=False):
        weights = _weights(parts.query, parts.key, parts.value, parts.out, parts.first_norm)
        states = _Attention.apply(hidden, bias, sizes, dropouts, parts.first_norm.eps, *weights)  # type: ignore[no-untyped-call]
        weights = _weights(parts.widening, parts.narrowing, parts.second_norm)
        rows = _FeedForward.apply(states, layer.output.dropout, parts.second_norm.eps, *weights)  # type: ignore[no-untyped-call]
    result: Tensor = rows.view(sizes.batch, sizes.asked, -1)
    return result


class _Attention(torch.autograd.Function):
    """Hidden states → rows after attention, dropout, the residual sum and its norm."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, bias: Tensor | None, sizes: Sizes, dropouts: Any, eps: float, *weights: Tensor
    ) -> Tensor:
        wq, bq, wk, bk, wv, bv, wo, bo, scale, shift = weights
        dtype, rows, asked = hidden.dtype, hidden.reshape(-1, hidden.shape[2]), sizes.rows_that_ask(hidden)
        inside = torch.cat([wq, wk, wv] if sizes.all_ask else [wk, wv]).to(dtype)
        offsets = torch.cat([bq, bk, bv] if sizes.all_ask else [bk, bv]).to(dtype)
        parts = sizes.by_head(functional.linear(rows, inside, offsets))
        asking = None if sizes.all_ask else wq.to(dtype)
        query = parts[0] if asking is None else sizes.by_head(functional.linear(asked, asking, bq.to(dtype)))[0]
        key, value = parts[-2:]
        mask = _mask(dropouts[0], torch.Size((len(query), sizes.asked, sizes.time)), dtype)
        mixed, shares = mix(query.mul_(sizes.scaling), key, value, bias, mask=mask, keep=True)
        mixed, out = sizes.by_row(mixed[None]), wo.to(dtype)
        summed, mask_out = _add(functional.linear(mixed, out, bo.to(dtype)), asked, dropouts[1])
        result, mean, spread = torch.native_layer_norm(summed, (len(scale),), scale, shift, eps)
        ctx.sizes = sizes
        ctx.save_for_backward(
            rows, query, key, value, shares, mask, mixed, summed, mean, spread, mask_out, inside, asking, out, scale, shift
        )
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (rows, query, key, value, shares, mask, mixed, *normed, mask_out, inside, asking, out, scale, shift) = ctx.saved_tensors
        sizes: Sizes = ctx.sizes
        residual, *of_norm = _norm_backward(gradient, normed, scale, shift)
        d_out = residual if mask_out is None else residual * mask_out
        of_out = (d_out.t() @ mixed, d_out.sum(0))  # before more is added to the residual, which may be the same tensor
        d_parts = rows.new_empty(3 if asking is None else 2, *key.shape)
        d_query = d_parts[0] if asking is None else torch.empty_like(query)
        d_mixed = sizes.by_head(d_out @ out)[0]
        mix_backward(d_mixed, query, key, value, shares, mask, into=(d_query, d_parts[-2], d_parts[-1]))
        d_query.mul_(sizes.scaling)
        d_inside = sizes.by_row(d_parts)
        of_inside = [*zip((d_inside.t() @ rows).chunk(len(d_parts)), d_inside.sum(0).chunk(len(d_parts)), strict=True)]
        if asking is not None:
            d_asked = sizes.by_row(d_query[None])
            of_inside.insert(0, (d_asked.t() @ sizes.rows_that_ask(sizes.by_text(rows)), d_asked.sum(0)))
            residual.addmm_(d_asked, asking)
        d_hidden = None
        if ctx.needs_input_grad[0]:
            d_hidden = sizes.by_text(residual.addmm_(d_inside, inside) if asking is None else d_inside @ inside)
            if asking is not None:
                d_hidden[:, 0] += residual
        return d_hidden, None, None, None, None, *(each for pair in of_inside for each in pair), *of_out, *of_norm


class _FeedForward(torch.autograd.Function):
    """Rows → rows after the two linear layers, dropout, the residual sum and its norm."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, dropout: Dropout, eps: float, *weights: Tensor) -> Tensor:
        widening, widening_bias, narrowing, narrowing_bias = (weight.to(rows.dtype) for weight in weights[:4])
        scale, shift = weights[4:]
        before = functional.linear(rows, widening, widening_bias)
        active = functional.gelu(before)
        summed, mask = _add(functional.linear(active, narrowing, narrowing_bias), rows, dropout)
        result, mean, spread = torch.native_layer_norm(summed, (len(scale),), scale, shift, eps)
        ctx.save_for_backward(rows, before, active, summed, mean, spread, mask, widening, narrowing, scale, shift)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, before, active, *normed, mask, widening, narrowing, scale, shift = ctx.saved_tensors
        residual, *of_norm = _norm_backward(gradient, normed, scale, shift)
        d_narrow = residual if mask is None else residual * mask
        of_narrowing = (d_narrow.t() @ active, d_narrow.sum(0))  # before more is added to the residual
        d_wide = aten.gelu_backward(d_narrow @ narrowing, before)
        of_widening = (d_wide.t() @ rows, d_wide.sum(0))
        return residual.addmm_(d_wide, widening), None, None, *of_widening, *of_narrowing, *of_norm


def _weights(*modules: nn.Linear | nn.LayerNorm) -> list[Tensor]:
    return [weight for module in modules for weight in (module.weight, module.bias)]


def _mask(dropout: Any, shape: torch.Size, dtype: torch.dtype) -> Tensor | None:
    """Return what dropout multiplies by; ``None`` where it does nothing."""
    return dropout.masks.draw(shape, dropout.p, dtype) if dropout.training and dropout.p else None


def _add(rows: Tensor, residual: Tensor, dropout: Any) -> tuple[Tensor, Tensor | None]:
    """Return dropout of rows, which are overwritten, and the residual, and the mask."""
    mask = _mask(dropout, rows.shape, rows.dtype)
    return (rows if mask is None else rows.mul_(mask)).add_(residual), mask


def _norm_backward(gradient: Tensor, normed: list[Tensor], scale: Tensor, shift: Tensor) -> Any:
    """Return the gradients of a layer norm's input, weight and bias; ``normed`` is its input, the mean and 1 / spread."""
    return aten.native_layer_norm_backward(gradient, normed[0], (len(scale),), *normed[1:], scale, shift, [True] * 3)
