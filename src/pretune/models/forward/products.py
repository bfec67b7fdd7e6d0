"""Linear layers laid out for products with few rows: weights in the order that the processor's library reads fastest.

Whole numbers of 8 or 4 bits in place of weights make products with one row faster: these wait for memory, and less is read.
Shapes: rows (rows, width), weight (outputs, width).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Product = Callable[[Tensor], Tensor]  # (rows, width) → (rows, outputs)
GROUP = 32  # weights that share a scale and an offset, in 4 bits: as in the files of llama.cpp
TILE = 16  # outputs that the product in 4 bits takes at once
MANY = 16  # rows from which on weights are spelled out first: such products wait for the processor, not for memory


def lay_out(modules: Sequence[Any], precision: str) -> Product:
    """Return the product of linear layers that read the same rows, their outputs side by side.

    Args:
        modules: With a weight and perhaps a bias.
        precision: ``fp32``, or ``bf16``, ``int8`` or ``int4``, whose rows are bf16.
    """
    dtype = dtype_of(precision)
    weight, bias = torch.cat([module.weight.detach() for module in modules]), join_biases(modules, dtype)
    if precision == "int4" and weight.shape[1] % GROUP == 0 and len(weight) % TILE == 0:
        return FourBits(weight, bias)
    if precision in ("int4", "int8"):
        return EightBits(weight, bias)
    weight = weight.to(dtype)
    if can_reorder(weight):
        return _Reordered(weight, bias)
    return lambda rows: functional.linear(rows, weight, bias)


def dtype_of(precision: str) -> torch.dtype:
    """Return what rows are in."""
    return torch.float32 if precision == "fp32" else torch.bfloat16


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


class EightBits:
    """A product with weights as whole numbers from -127 to 127, times a scale for each output."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        weight = weight.float()
        scales = (weight.abs().amax(dim=1) / 127).clamp(min=torch.finfo(torch.float32).tiny).to(torch.bfloat16)
        self.codes = (weight / scales.float()[:, None]).round().clamp_(-127, 127).to(torch.int8)
        self.scales, self.bias = scales, bias

    def __call__(self, rows: Tensor) -> Tensor:
        if len(rows) > MANY:
            found = functional.linear(rows, self.codes.to(rows.dtype)).mul_(self.scales)
        else:
            found = torch.ops.aten._weight_int8pack_mm(rows, self.codes, self.scales)
        return found if self.bias is None else found.add_(self.bias)


class FourBits:
    """A product with weights as whole numbers from 0 to 15, times a scale and plus an offset for each group of them."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        grouped = weight.float().view(len(weight), -1, GROUP)  # (outputs, groups, weights)
        low, high = grouped.amin(dim=-1), grouped.amax(dim=-1)
        scales = ((high - low) / 15).clamp(min=torch.finfo(torch.float32).tiny).to(torch.bfloat16)
        middle = (low + 8 * scales.float()).to(torch.bfloat16)  # what code 8 stands for
        exact, offset = scales.float()[..., None], middle.float()[..., None]
        self.codes = ((grouped - offset) / exact + 8).round().clamp_(0, 15).to(torch.uint8)
        self.scales, self.middle, self.bias = scales, middle, bias
        self._packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(self.codes.view(len(weight), -1).int(), 1)
        self._both = torch.stack((scales.t(), middle.t()), dim=-1).contiguous()  # (groups, outputs, 2)

    def __call__(self, rows: Tensor) -> Tensor:
        if len(rows) > MANY:
            found = functional.linear(rows, self.spelled_out().to(rows.dtype))
        else:
            found = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self._packed, GROUP, self._both)
        return found if self.bias is None else found.add_(self.bias)

    def spelled_out(self) -> Tensor:
        """Return the weights that the codes stand for."""
        weights = (self.codes.to(torch.bfloat16) - 8).mul_(self.scales[..., None]).add_(self.middle[..., None])
        return weights.view(len(weights), -1)
