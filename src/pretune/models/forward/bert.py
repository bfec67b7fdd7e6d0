"""pretune's own forward pass for layers built like BERT's: the modules' weights, with fewer and faster operations.

Unlike the layers of transformers, hidden states stay in the precision of the matrix products, attention is plain batched
products if gradients are needed (the fused CPU kernel is slow backwards), and every dropout mask is a cheap one.
Shapes: hidden (batch, time, width), bias (batch, 1, 1, time).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pretune.models.forward.bert_backward import parts_to_train, train_layer


def call_layer(layer: Any, hidden: Tensor, bias: Tensor | None, *, only_first: bool = False) -> Tensor:
    """(batch, time, width) → the same, through attention and feed-forward.

    Args:
        layer: A layer of transformers built like BERT's.
        hidden: What the layer below gave.
        bias: From ``bias_of``.
        only_first: Compute the first token alone, (batch, 1, width): all that a head reads of the last layer.

    Source:
        Devlin et al. (2019), BERT, section 3; Vaswani et al. (2017), Attention is all you need, sections 3.2 and 3.3.
    """
    if torch.is_autocast_enabled(hidden.device.type):
        hidden = hidden.to(torch.get_autocast_dtype(hidden.device.type))
    parts = parts_to_train(layer, hidden)
    if parts is not None:
        return train_layer(layer, parts, hidden, bias, only_first=only_first)
    asked = hidden[:, :1] if only_first else hidden
    attended = layer.attention.output.dense(_attend(layer.attention.self, asked, hidden, bias))
    hidden = layer.attention.output.LayerNorm(layer.attention.output.dropout(attended) + asked)
    inner = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(hidden))
    result: Tensor = layer.output.LayerNorm(layer.output.dropout(layer.output.dense(inner)) + hidden)
    return result


def call_last_layer(layer: Any, hidden: Tensor, bias: Tensor | None) -> Tensor:
    """(batch, time, width) → (batch, 1, width): the last layer, under a head that reads the first token."""
    return call_layer(layer, hidden, bias, only_first=True)


def _attend(attention: Any, asked: Tensor, hidden: Tensor, bias: Tensor | None) -> Tensor:
    """Let the tokens of ``asked`` (batch, asked, width) attend to those of ``hidden``."""
    batch, size = len(hidden), attention.attention_head_size
    query, key, value = (
        project(states).view(batch, states.shape[1], -1, size).transpose(1, 2)
        for project, states in ((attention.query, asked), (attention.key, hidden), (attention.value, hidden))
    )
    if query.requires_grad and query.device.type == "cpu":
        scores = torch.matmul(query * attention.scaling, key.transpose(-1, -2))  # (batch, heads, asked, time)
        shares = torch.softmax(scores if bias is None else scores + bias, dim=-1)
        mixed = torch.matmul(attention.dropout(shares), value)
    else:
        dropout = attention.dropout.p if attention.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=dropout, scale=attention.scaling
        )
    return mixed.transpose(1, 2).reshape(batch, asked.shape[1], -1)
