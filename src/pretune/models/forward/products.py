"""Linear layers laid out for products with few rows: weights in the order that the processor's library reads fastest.

Shapes: rows (rows, width), weight (outputs, width).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Product = Callable[[Tensor], Tensor]  # (rows, width) → (rows, outputs)


def lay_out(modules: Sequence[Any], dtype: torch.dtype) -> Product:
    """Return the product of linear layers that read the same rows, their outputs side by side.

    Args:
        modules: With a weight and perhaps a bias.
        dtype: Of the product; rows are of it too.
    """
    weight = torch.cat([module.weight.detach() for module in modules]).to(dtype)
    bias = join_biases(modules, dtype)
    if can_reorder(weight):
        return _Reordered(weight, bias)
    return lambda rows: functional.linear(rows, weight, bias)


def join_biases(modules: Sequence[Any], dtype: torch.dtype) -> Tensor | None:
    """Return the biases of layers side by side, 0 where one has none; ``None`` where none has one."""
    if all(module.bias is None for module in modules):
        return None
    held = (torch.zeros(len(module.weight)) if module.bias is None else module.bias.detach() for module in modules)
    return torch.cat([bias.to(modules[0].weight.device) for bias in held]).to(dtype)


def can_reorder(weight: Tensor) -> bool:
    """Whether oneDNN multiplies bf16 with instructions of its own here."""
    if weight.device.type != "cpu" or weight.dtype != torch.bfloat16:
        return False
    is_there = torch.backends.mkldnn.is_available() and "AVX512" in torch.backends.cpu.get_cpu_capability()  # type: ignore[no-untyped-call]
    return bool(is_there and torch.ops.mkldnn._is_mkldnn_bf16_supported())


class _Reordered:
    """A product of bf16 whose weight is laid out once, not at every call."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight, self.bias = torch.ops.mkldnn._reorder_linear_weight(weight), bias

    def __call__(self, rows: Tensor) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self.weight, self.bias, "none", [], "")
        return found
