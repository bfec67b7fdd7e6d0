"""Attention on a processor, forward and backward, a few texts at a time: what lies between its products stays in the cache.

The shares are computed in float32, also where the products are bf16: torch's softmax is five times slower in bf16.
Shapes: of each head (heads in all texts, time, size); asked is how many tokens of each text ask, shares (heads in all texts,
asked, time), bias (batch, 1, 1, time).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

aten = torch.ops.aten
# Bytes of scores that are worked on at once. On two cores with 32 MB of shared cache 4 MB were best or nearly so from 28 to 256
# tokens; all at once took twice the time at 256 tokens (docs/log.md).
MAX_BYTES = 4 << 20


def mix(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, *, mask: Tensor | None = None, keep: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Return what the tokens that ask get of the values, and the shares where they are kept.

    Args:
        query: Scaled already.
        key: Of every token.
        value: Likewise.
        bias: Added to the scores; ``None`` where no text is padded.
        mask: What dropout multiplies the shares by.
        keep: Whether the shares, before dropout, are returned.

    Source:
        Vaswani et al. (2017), Attention is all you need, section 3.2.1.
    """
    mixed = torch.empty_like(query)
    kept = query.new_empty(len(query), query.shape[1], key.shape[1]) if keep else None
    num_heads = 1 if bias is None else len(query) // len(bias)
    for part in _parts(query, key, num_heads):
        scores = torch.bmm(query[part], key[part].transpose(1, 2)).to(_precise(query))
        if bias is not None:
            scores.view(-1, num_heads, *scores.shape[1:]).add_(bias[part.start // num_heads : part.stop // num_heads])
        shares = torch.softmax(scores, dim=-1).to(query.dtype)
        if kept is not None:
            kept[part] = shares
        torch.bmm(shares if mask is None else shares.mul_(mask[part]), value[part], out=mixed[part])
    return mixed, kept


def mix_backward(
    gradient: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    shares: Tensor,
    mask: Tensor | None,
    *,
    into: tuple[Tensor, ...],
) -> None:
    """Write the gradients of query, key and value.

    Args:
        gradient: Of what ``mix`` returned.
        query: As ``mix`` had it.
        key: Likewise.
        value: Likewise.
        shares: Those kept.
        mask: As ``mix`` had it.
        into: Three tensors of the shapes of query, key and value.
    """
    of_query, of_key, of_value = into
    for part in _parts(query, key, 1):
        own = shares[part]
        torch.bmm((own if mask is None else own * mask[part]).transpose(1, 2), gradient[part], out=of_value[part])
        of_shares = torch.bmm(gradient[part], value[part].transpose(1, 2))
        if mask is not None:
            of_shares.mul_(mask[part])
        precise = _precise(query)
        of_scores = aten._softmax_backward_data(of_shares.to(precise), own.to(precise), -1, precise).to(query.dtype)
        torch.bmm(of_scores, key[part], out=of_query[part])
        torch.bmm(of_scores.transpose(1, 2), query[part], out=of_key[part])


def _parts(query: Tensor, key: Tensor, num_heads: int) -> Iterator[slice]:
    """Yield stretches of heads whose scores take at most ``MAX_BYTES``, or the ``num_heads`` of one text."""
    bytes_a_head = query.shape[1] * key.shape[1] * _precise(query).itemsize
    step = num_heads * max(1, MAX_BYTES // (bytes_a_head * num_heads))
    for start in range(0, len(query), step):
        yield slice(start, min(start + step, len(query)))


def _precise(states: Tensor) -> torch.dtype:
    """Return what shares are computed in: float32, or more where the states are more precise."""
    return torch.promote_types(states.dtype, torch.float32)
