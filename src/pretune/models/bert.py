"""pretune's own forward for layers built like BERT's: the modules' weights, fewer and faster operations around them.

Against the layers of transformers: hidden states stay in the precision of matrix products, attention is plain batched products
where gradients are wanted (its fused CPU kernel is slow backwards), and every dropout mask is a cheap one.
Shapes: hidden (batch, time, width), bias (batch, 1, 1, time).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def attention_bias(hidden: Tensor, mask: Tensor) -> Tensor | None:
    """Return what is added to attention scores, in the precision of matrix products: 0 at real tokens, else the lowest number.

    ``None`` where no text is padded.
    """
    if hidden.device.type == "cpu" and bool(mask.all()):
        return None
    dtype = torch.get_autocast_dtype(hidden.device.type) if torch.is_autocast_enabled(hidden.device.type) else hidden.dtype
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill_(mask == 0, torch.finfo(dtype).min)[:, None, None, :]


def call_layer(layer: Any, hidden: Tensor, bias: Tensor | None) -> Tensor:
    """(batch, time, width) → the same, through attention and feed-forward.

    Source:
        Devlin et al. (2019), BERT, section 3; Vaswani et al. (2017), Attention is all you need, sections 3.2 and 3.3.
    """
    if torch.is_autocast_enabled(hidden.device.type):
        hidden = hidden.to(torch.get_autocast_dtype(hidden.device.type))
    attended = layer.attention.output.dense(_attend(layer.attention.self, hidden, bias))
    hidden = layer.attention.output.LayerNorm(layer.attention.output.dropout(attended) + hidden)
    inner = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(hidden))
    result: Tensor = layer.output.LayerNorm(layer.output.dropout(layer.output.dense(inner)) + hidden)
    return result


def _attend(attention: Any, hidden: Tensor, bias: Tensor | None) -> Tensor:
    batch, time, _ = hidden.shape
    query, key, value = (
        project(hidden).view(batch, time, -1, attention.attention_head_size).transpose(1, 2)
        for project in (attention.query, attention.key, attention.value)
    )
    if query.requires_grad and query.device.type == "cpu":
        scores = torch.matmul(query * attention.scaling, key.transpose(-1, -2))  # (batch, heads, time, time)
        shares = torch.softmax(scores if bias is None else scores + bias, dim=-1)
        mixed = torch.matmul(attention.dropout(shares), value)
    else:
        dropout = attention.dropout.p if attention.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=dropout, scale=attention.scaling
        )
    return mixed.transpose(1, 2).reshape(batch, time, -1)
