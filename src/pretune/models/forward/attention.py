"""Attention on a CPU, forward and backward, a few texts at a time, so that intermediate results stay in the cache.

The attention weights (``shares``) are computed in float32 even if the products are bf16: torch's softmax is five times slower
in bf16. Shapes: per head (heads in all texts, time, size); asked is the number of query tokens per text, shares (heads in all
texts, asked, time), bias (batch, 1, 1, time).
"""

from collections.abc import Iterator
from typing import Any

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
    for part, products, scores, precise in _parts(query, key, num_heads, num_precise=2):
        scores.copy_(torch.bmm(query[part], key[part].transpose(1, 2), out=products))
        if bias is not None:
            scores.view(-1, num_heads, *scores.shape[1:]).add_(bias[part.start // num_heads : part.stop // num_heads])
        torch.softmax(scores, dim=-1, out=precise)
        shares = (products if kept is None else kept[part]).copy_(precise)
        torch.bmm(shares if mask is None else torch.mul(shares, mask[part], out=products), value[part], out=mixed[part])
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
    for part, products, precise, own, of_scores in _parts(query, key, 1, num_precise=3):
        dropped = shares[part] if mask is None else torch.mul(shares[part], mask[part], out=products)
        torch.bmm(dropped.transpose(1, 2), gradient[part], out=of_value[part])
        torch.bmm(gradient[part], value[part].transpose(1, 2), out=products)
        precise.copy_(products if mask is None else products.mul_(mask[part]))
        aten._softmax_backward_data.out(precise, own.copy_(shares[part]), -1, own.dtype, grad_input=of_scores)
        torch.bmm(products.copy_(of_scores), key[part], out=of_query[part])
        torch.bmm(products.transpose(1, 2), query[part], out=of_key[part])


def _parts(query: Tensor, key: Tensor, num_heads: int, *, num_precise: int) -> Iterator[tuple[Any, ...]]:
    """Yield stretches of heads whose scores take at most ``MAX_BYTES``, or the ``num_heads`` of one text.

    With each come tensors of the shape of its scores to write into, always the same memory: one in the precision of the
    states, and ``num_precise`` in float32, or more where the states are; then the first two are one and the same.
    """
    asked, time, fine = query.shape[1], key.shape[1], torch.promote_types(query.dtype, torch.float32)
    step = num_heads * max(1, MAX_BYTES // (asked * time * fine.itemsize * num_heads))
    longest = (min(step, len(query)), asked, time)
    products, *held = query.new_empty(longest), *(query.new_empty(longest, dtype=fine) for _ in range(num_precise))
    for start in range(0, len(query), step):
        stop = min(start + step, len(query))
        rough, first, *others = (each[: stop - start] for each in (products, *held))
        yield slice(start, stop), rough, rough if fine == query.dtype else first, *others
