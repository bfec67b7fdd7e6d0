"""pretune's own forward pass for the architectures of pre-training: ModernBERT's for hidden words, Llama's for next words.

It uses the modules' weights, with fewer and faster operations. Norm first, rotary positions, gated feed-forward.
Shapes: hidden (batch, time, width), query, key and value (batch, heads, time, size), bias (batch, 1, time, time).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers.activations import GELUActivation

from pretune.models.forward.bias import causal_bias, compute_dtype


@dataclass(frozen=True, slots=True)
class Context:
    """What the layers of one kind need in one pass.

    Args:
        bias: Added to attention scores (``bias.py``); ``None`` where all tokens may look.
        is_causal: Whether a token looks back only, where ``bias`` is ``None``.
        rotary: Cosines and signed sines of the positions, (time, 1, size) each.
    """

    bias: Tensor | None
    is_causal: bool
    rotary: tuple[Tensor, Tensor]


def rotary_tables(frequencies: Tensor, num_positions: int, dtype: torch.dtype, *, scale: float) -> tuple[Tensor, Tensor]:
    """Return cosines and sines of all positions, (time, 1, size); the first half of the sines has the sign of the rotation.

    Args:
        frequencies: (size / 2,), radians a position.
        num_positions: Tokens of a window.
        dtype: Of the hidden states.
        scale: What the tables are multiplied by.

    Source:
        Su et al. (2021), RoFormer: enhanced transformer with rotary position embedding.
    """
    angles = torch.arange(num_positions, device=frequencies.device).float()[:, None] * frequencies.float()[None]
    cosines, sines = angles.cos() * scale, angles.sin() * scale
    tables = torch.cat((cosines, cosines), dim=-1), torch.cat((-sines, sines), dim=-1)
    return tables[0].to(dtype)[:, None], tables[1].to(dtype)[:, None]


class _Rotate(torch.autograd.Function):
    """Rotation into the layout of attention, in three passes over the features each way; autograd's own takes nine."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        batch, time, heads, size = states.shape
        found = states.new_empty(batch, heads, time, size)
        _turn(states, cosines, sines, found.transpose(1, 2))
        ctx.save_for_backward(cosines, sines)
        return found

    @staticmethod
    def backward(ctx: Any, of_found: Tensor) -> tuple[Tensor, None, None]:
        cosines, sines = ctx.saved_tensors
        gradient = of_found.transpose(1, 2)
        of_states = torch.empty(gradient.shape, dtype=gradient.dtype, device=gradient.device)
        half = sines.shape[-1] // 2
        back = torch.cat((sines[..., half:], sines[..., :half]), dim=-1)  # the turn's transpose
        _turn(gradient, cosines, back, of_states)
        return of_states, None, None


def _turn(states: Tensor, cosines: Tensor, sines: Tensor, into: Tensor) -> None:
    """Write ``states × cosines + (second half, first half) × sines`` into a tensor of the same shape."""
    half = states.shape[-1] // 2
    torch.mul(states, cosines, out=into)
    into[..., :half].addcmul_(states[..., half:], sines[..., :half])
    into[..., half:].addcmul_(states[..., :half], sines[..., half:])


def rotate(states: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Turn every pair of features by its position's angle: (batch, time, heads, size) → (batch, heads, time, size)."""
    if torch.compiler.is_compiling():  # which fuses plain operations itself
        first, second = states.chunk(2, dim=-1)
        return (states * tables[0] + torch.cat((second, first), dim=-1) * tables[1]).transpose(1, 2)
    turned: Tensor = _Rotate.apply(states, *tables)  # type: ignore[no-untyped-call]
    return turned


class _Gated(torch.autograd.Function):
    """The activation of one half times the other; both gradients are written where the product before wants them."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        inner, gate = both.chunk(2, dim=-1)
        active = functional.gelu(inner)
        ctx.save_for_backward(both, active)
        return active * gate

    @staticmethod
    def backward(ctx: Any, of_found: Tensor) -> Tensor:
        both, active = ctx.saved_tensors
        inner, gate = both.chunk(2, dim=-1)
        of_both = torch.empty_like(both)
        of_inner, of_gate = of_both.chunk(2, dim=-1)
        torch.mul(of_found, active, out=of_gate)
        of_inner.copy_(torch.ops.aten.gelu_backward(of_found * gate, inner))
        return of_both


class _RmsNorm(torch.autograd.Function):
    """``rms_norm`` in few passes over the features: on a CPU torch's own is put together from a dozen."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        exact = hidden.float()
        inverse = torch.linalg.vecdot(exact, exact).div_(hidden.shape[-1]).add_(epsilon).rsqrt_()[..., None].to(hidden.dtype)
        normed: Tensor = hidden * inverse
        ctx.save_for_backward(normed, inverse, weight)
        return normed * weight.to(hidden.dtype)

    @staticmethod
    def backward(ctx: Any, of_found: Tensor) -> tuple[Tensor, Tensor, None]:
        normed, inverse, weight = ctx.saved_tensors
        of_weight = (of_found * normed).flatten(0, -2).sum(dim=0, dtype=torch.float32)
        of_normed = of_found * weight.to(of_found.dtype)
        along = torch.linalg.vecdot(of_normed, normed)[..., None] / normed.shape[-1]
        return torch.addcmul(of_normed, normed, along, value=-1).mul_(inverse), of_weight.to(weight.dtype), None


def attend(query: Tensor, key: Tensor, value: Tensor, context: Context, scale: float, dropout: float = 0.0) -> Tensor:
    """(batch, heads, time, size) three times → (batch, time, heads × size).

    Backwards through torch's fused CPU kernel is slow, so where gradients are wanted these are plain batched products.
    """
    batch, heads, time, size = query.shape
    if torch.is_grad_enabled() and query.device.type == "cpu":
        bias = context.bias
        if bias is None and context.is_causal:
            bias = causal_bias(time, query)
        scores = torch.matmul(query * scale, key.transpose(-1, -2))
        shares = torch.softmax(scores if bias is None else scores + bias, dim=-1)
        mixed = torch.matmul(functional.dropout(shares, dropout) if dropout else shares, value)
    else:
        is_causal = context.is_causal and context.bias is None
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=context.bias, dropout_p=dropout, is_causal=is_causal, scale=scale
        )
    return mixed.transpose(1, 2).reshape(batch, time, heads * size)


def call_modernbert(layer: Any, hidden: Tensor, context: Context) -> Tensor:
    """(batch, time, width) → the same: attention and gated feed-forward, each behind its norm.

    Source:
        Warner et al. (2024), Smarter, better, faster, longer: a modern bidirectional encoder (ModernBERT).
    """
    batch, time, _ = hidden.shape
    attention, forward = layer.attn, layer.mlp
    query, key, value = attention.Wqkv(layer.attn_norm(hidden)).view(batch, time, 3, -1, attention.head_dim).unbind(2)
    query, key = (rotate(states, context.rotary) for states in (query, key))
    dropout = attention.attention_dropout if attention.training else 0.0
    attended = attend(query, key, value.transpose(1, 2), context, attention.head_dim**-0.5, dropout)
    hidden = hidden + attention.out_drop(attention.Wo(attended))
    gated = gate_states(forward.act, forward.Wi(layer.mlp_norm(hidden)))
    result: Tensor = hidden + forward.Wo(forward.drop(gated))
    return result


def gate_states(activation: Any, both: Tensor) -> Tensor:
    """Return the activation of the first half of the features times the second half."""
    if isinstance(activation, GELUActivation) and not torch.compiler.is_compiling():
        found: Tensor = _Gated.apply(both)  # type: ignore[no-untyped-call]
        return found
    inner, gate = both.chunk(2, dim=-1)
    gated: Tensor = activation(inner) * gate
    return gated


def call_llama(layer: Any, hidden: Tensor, context: Context) -> Tensor:
    """(batch, time, width) → the same: grouped attention and gated feed-forward, each behind its norm.

    Source:
        Touvron et al. (2023), LLaMA: open and efficient foundation language models.
    """
    batch, time, _ = hidden.shape
    attention, forward = layer.self_attn, layer.mlp
    normed = rms_norm(layer.input_layernorm, hidden).to(compute_dtype(hidden))  # once for all products that read it
    query, key, value = (
        project(normed).view(batch, time, -1, attention.head_dim)
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = (rotate(states, context.rotary) for states in (query, key))
    value, groups = value.transpose(1, 2), attention.num_key_value_groups
    if groups > 1:
        key, value = (states.repeat_interleave(groups, dim=1) for states in (key, value))
    hidden = hidden + attention.o_proj(attend(query, key, value, context, attention.scaling))
    normed = rms_norm(layer.post_attention_layernorm, hidden).to(compute_dtype(hidden))
    result: Tensor = hidden + forward.down_proj(forward.act_fn(forward.gate_proj(normed)) * forward.up_proj(normed))
    return result


def rms_norm(norm: Any, hidden: Tensor) -> Tensor:
    """Scale every token to a root mean square of 1, then each feature by its weight.

    Source:
        Zhang and Sennrich (2019), Root mean square layer normalization.
    """
    if hidden.device.type == "cpu" and torch.is_grad_enabled() and not torch.compiler.is_compiling():
        found: Tensor = _RmsNorm.apply(hidden, norm.weight, norm.variance_epsilon)  # type: ignore[no-untyped-call]
        return found
    return functional.rms_norm(hidden, (hidden.shape[-1],), norm.weight.to(hidden.dtype), norm.variance_epsilon)
