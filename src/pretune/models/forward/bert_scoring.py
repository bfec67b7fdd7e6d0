"""Layers built like BERT's in a pass without learning: weights are packed once for all products, activations are fused.

A CPU library packs a weight anew for every product it has not been prepared for. Over many batches that packing, and the
passes over intermediate results, take a quarter of the time (docs/log.md).
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pretune.models.forward.attention import mix
from pretune.models.forward.bert import call_layer
from pretune.models.forward.bert_parts import Parts, Sizes
from pretune.models.trunk import Network

Call = Callable[..., Tensor]
# Batches from which it pays to lay the weights out; one takes about 15 ms for minilm.
MIN_BATCHES = 4
# Products have a multiple of this many rows, or of a quarter of it where there are few: the library keeps 0.6 MB of every shape
# that it has met, of up to 1,024, and takes 0.6 ms to prepare one (docs/log.md).
GRAIN = 128


@contextlib.contextmanager
def for_scoring(network: Network, num_batches: int) -> Iterator[None]:
    """Let the layers of a network be called in their fast form while the block runs; its weights must stay as they are.

    Nothing happens for other families, on a GPU, and for a few batches; a layer that adapters wrap is called as ever.

    Args:
        network: Its layers are frozen or in evaluation.
        num_batches: How many there will be, in all processes together.
    """
    family = network.family
    if family is None or family.call is not call_layer or num_batches < MIN_BATCHES or not _can_lay_out(network):
        yield
        return
    fast: dict[int, Call] = {}  # made when their turn comes: what lies below the states that are read, or above, is not

    def call(layer: Any, hidden: Tensor, bias: Tensor | None, *, only_first: bool = False) -> Tensor:
        if id(layer) not in fast:
            parts = Parts.of(layer)
            fast[id(layer)] = partial(call_layer, layer) if parts is None else _Layer(layer, parts)
        return fast[id(layer)](hidden, bias, only_first=only_first)

    network.family = replace(family, call=call, call_last=partial(call, only_first=True))
    try:
        yield
    finally:
        network.family = family


def _can_lay_out(network: Network) -> bool:
    """Whether the library is there, on a processor that it was tried on, and knows the precision."""
    if next(network.parameters()).device.type != "cpu" or "AVX" not in torch.backends.cpu.get_cpu_capability():
        return False
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return not torch.is_autocast_enabled("cpu") or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class _Layer:
    """One layer, its weights laid out in the precision of matrix products."""

    def __init__(self, layer: Any, parts: Parts) -> None:
        self.layer, self.parts, self.norms = layer, parts, (parts.first_norm, parts.second_norm)
        self.out, self.narrowing = _Product(parts.out), _Product(parts.narrowing)
        self.widening = _Product(parts.widening, activation="gelu")

    @cached_property
    def inside(self) -> "_Product":
        """Query, key and value, where every token asks."""
        return _Product(self.parts.query, self.parts.key, self.parts.value)

    @cached_property
    def apart(self) -> tuple["_Product", "_Product"]:
        """Query, and key and value, where the first token alone asks."""
        return _Product(self.parts.query), _Product(self.parts.key, self.parts.value)

    @torch.no_grad()
    def __call__(self, hidden: Tensor, bias: Tensor | None, *, only_first: bool) -> Tensor:
        """(batch, time, width) → the same, or (batch, 1, width), as ``bert.call_layer``."""
        sizes = Sizes.of(self.layer, hidden, only_first=only_first)
        hidden = hidden.to(self.out.weight.dtype)
        num_rows, num_asked = sizes.batch * sizes.time, sizes.batch * sizes.asked
        rows = _fill_up(hidden.reshape(num_rows, -1))
        asked = rows if sizes.all_ask else _fill_up(sizes.rows_that_ask(hidden))
        if sizes.all_ask:
            query, key, value = sizes.by_head(self.inside(rows)[:num_rows])
        else:
            of_query, of_others = self.apart
            query, (key, value) = sizes.by_head(of_query(asked)[:num_asked])[0], sizes.by_head(of_others(rows)[:num_rows])
        mixed, _ = mix(query.mul_(sizes.scaling), key, value, bias)
        mixed = sizes.by_row(mixed[None], room=asked.new_zeros(asked.shape))
        middle = _normalize(self.norms[0], self.out(mixed).add_(asked))
        result = _normalize(self.norms[1], self.narrowing(self.widening(middle)).add_(middle))
        return sizes.by_text(result[:num_asked])


class _Product:
    """The linear layers of the same input as one product, with what comes after it.

    Args:
        modules: Linear layers; their outputs are laid side by side.
        activation: ``none`` or ``gelu``, the exact one.
    """

    def __init__(self, *modules: nn.Linear, activation: str = "none") -> None:
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else modules[0].weight.dtype
        weight = torch.cat([module.weight.detach() for module in modules]).to(dtype)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight)
        self.bias = torch.cat([module.bias.detach() for module in modules]).to(dtype)
        self.activation, self.algorithm = activation, "none" if activation == "gelu" else ""

    def __call__(self, rows: Tensor) -> Tensor:
        """(rows, width) → (rows, outputs)."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self.weight, self.bias, self.activation, [], self.algorithm)
        return found


def _fill_up(rows: Tensor) -> Tensor:
    """(rows, width) → the same with a few more rows behind, of no meaning, so that there are few shapes; read only."""
    num_rows, width = _filled(len(rows)), rows.shape[1]
    end = (rows.storage_offset() + num_rows * width) * rows.element_size()
    if rows.is_contiguous() and end <= rows.untyped_storage().nbytes():  # as a layer returns them
        return rows.as_strided((num_rows, width), (width, 1))
    return functional.pad(rows, (0, 0, 0, num_rows - len(rows)))


def _filled(num_rows: int) -> int:
    grain = GRAIN if num_rows > 4 * GRAIN else GRAIN // 4
    return -(-num_rows // grain) * grain


def _normalize(norm: nn.LayerNorm, rows: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        return functional.layer_norm(rows, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
