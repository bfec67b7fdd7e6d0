"""Which tokens may look at which: the bias on attention scores, 0 where a token may look and the lowest number elsewhere.

Shapes: hidden (batch, time, width), mask and documents (batch, time).
"""

import torch
from torch import Tensor

from pretune.models.batch import Batch


def bias_of(hidden: Tensor, batch: Batch, *, looks_back: bool, is_fused: bool = True) -> Tensor | None:
    """Return the bias of a batch: of its padding, of the bounds of its documents, or of looking back.

    Args:
        hidden: What the first layer will read.
        batch: Padded texts, or windows.
        looks_back: Whether tokens look back only.
        is_fused: Whether attention's fused kernel looks back by itself, so that no bias is needed where nothing is learned.

    Returns:
        (batch or 1, 1, 1 or time, time), or ``None`` where all tokens may look at all, or the kernel sees to it.
    """
    dtype = compute_dtype(hidden)
    if batch.documents is not None:
        return document_bias(batch.documents, dtype, looks_back=looks_back)
    if looks_back:
        is_left_out = is_fused and not (torch.is_grad_enabled() and hidden.device.type == "cpu")
        return None if is_left_out else causal_bias(hidden.shape[1], hidden.to(dtype))[None, None]
    return None if batch.mask is None else attention_bias(hidden, batch.mask)


def attention_bias(hidden: Tensor, mask: Tensor) -> Tensor | None:
    """Return the bias under which no token looks at padding, (batch, 1, 1, time); ``None`` where no text is padded."""
    if hidden.device.type == "cpu" and bool(mask.all()):
        return None
    dtype = compute_dtype(hidden)
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill_(mask == 0, torch.finfo(dtype).min)[:, None, None, :]


def causal_bias(time: int, like: Tensor) -> Tensor:
    """Return the bias under which every token looks at itself and back, (time, time)."""
    lowest = torch.full((time, time), torch.finfo(like.dtype).min, dtype=like.dtype, device=like.device)
    return lowest.triu_(1)


def document_bias(documents: Tensor, dtype: torch.dtype, *, looks_back: bool) -> Tensor:
    """Return the bias that keeps every token to its own document, (batch, 1, time, time)."""
    is_other = documents[:, :, None] != documents[:, None, :]
    if looks_back:
        is_other |= torch.ones(documents.shape[1], documents.shape[1], dtype=torch.bool, device=documents.device).triu(1)
    bias = torch.zeros(is_other.shape, dtype=dtype, device=is_other.device)
    return bias.masked_fill_(is_other, torch.finfo(dtype).min)[:, None]


def near_bias(time: int, reach: int, dtype: torch.dtype, bias: Tensor | None) -> Tensor | None:
    """Return the bias under which a token sees so many on either side and none that ``bias`` rules out; ``None`` where all do.

    Args:
        time: Tokens of a text.
        reach: Tokens on either side.
        dtype: Of the attention scores.
        bias: From ``bias_of``.
    """
    if time <= reach + 1:
        return bias
    places = torch.arange(time, device=None if bias is None else bias.device)
    is_far = (places[:, None] - places[None]).abs() > reach
    lowest = torch.finfo(dtype).min
    found = torch.zeros(time, time, dtype=dtype, device=places.device).masked_fill_(is_far, lowest)[None, None]
    return found if bias is None else torch.minimum(found, bias)


def compute_dtype(hidden: Tensor) -> torch.dtype:
    """Return the precision that matrix products are taken in."""
    kind = hidden.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
