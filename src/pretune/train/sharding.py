"""Layers whose weights lie in parts on the processes that train them: each is whole only while it computes.

A process keeps, updates and remembers the moments of its own part of every trained layer. A layer's weights are put together
when its turn comes, forwards and once more backwards, where what it computed is computed again; their gradients are added up
into the parts. So of weights, gradients, moments and what layers computed, each process holds about one part and one layer.
Embeddings and head stay whole on every process.

Source:
    Rajbhandari et al. (2020), ZeRO: Memory Optimizations Toward Training Trillion Parameter Models (its third stage);
    Chen et al. (2016), Training Deep Nets with Sublinear Memory Cost.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from pretune.errors import UsageError
from pretune.models import Network
from pretune.train.distributed import World

Call = Callable[[Any, Tensor, Any], Tensor]


@dataclass(frozen=True, slots=True)
class Flat:
    """Weights of one layer, end to end, of which this process has a part.

    Args:
        names: Of the weights, in the layer.
        weights: Empty while the layer is not whole.
        sizes: Their shapes.
        part: What is trained here: (1, n) of matrices, (n,) of vectors, so that an optimizer can tell them apart.
    """

    names: tuple[str, ...]
    weights: tuple[nn.Parameter, ...]
    sizes: tuple[torch.Size, ...]
    part: nn.Parameter

    def views(self, whole: Tensor) -> tuple[Tensor, ...]:
        """Return the weights inside the parts laid end to end, without what fills up the last part."""
        pieces = torch.split(whole[: sum(size.numel() for size in self.sizes)], [size.numel() for size in self.sizes])
        return tuple(piece.view(size) for piece, size in zip(pieces, self.sizes, strict=True))


class Shards:
    """The layers of one network that are trained in parts; none of them where one process trains, or nothing is shared.

    Args:
        network: Frozen below the boundary; its layers are called through this object until ``dissolve``.
        boundary: The first trained layer.
        world: The processes; each must call the layers equally often.

    Raises:
        UsageError: The layers of this family are not known.
    """

    def __init__(self, network: Network, boundary: int, world: World) -> None:
        self._network, self._world, self._family, self._is_whole = network, world, network.family, False
        self._layers: dict[int, tuple[tuple[Flat, ...], dict[Call, nn.Module]]] = {}
        if world.size == 1 or boundary == len(network.layers) != 0:
            return
        if network.family is None:
            raise UsageError(
                f"pretune has no adapter for {network.model.config.model_type!r} models and cannot cut their layers into parts",
                expected="a family whose layers it calls one by one",
                fix="leave --set finetune.shard=true out",
            )
        for layer in network.layers[boundary:]:
            named = [(name, weight) for name, weight in layer.named_parameters() if weight.requires_grad]
            groups = ([item for item in named if item[1].ndim > 1], [item for item in named if item[1].ndim <= 1])
            self._layers[id(layer)] = tuple(self._flatten(group) for group in groups if group), {}
        inner, last = network.family.call, network.family.call_last
        network.family = replace(
            network.family,
            call=lambda layer, hidden, context: self._call(inner, layer, hidden, context),
            call_last=last and (lambda layer, hidden, context: self._call(last, layer, hidden, context)),
        )

    @property
    def flats(self) -> list[Flat]:
        """All of them, from the first layer up."""
        return [flat for held, _ in self._layers.values() for flat in held]

    def parts_of(self, weights: Sequence[nn.Parameter]) -> list[nn.Parameter]:
        """Return what is trained in place of these weights: of those in sharded layers, the parts; each once."""
        parts = {id(weight): flat.part for flat in self.flats for weight in flat.weights}
        return list({id(own): own for weight in weights for own in [parts.get(id(weight), weight)]}.values())

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Let every weight be in its place, on all processes, while the block runs; what it writes there is kept."""
        if self._is_whole or not self._layers:
            yield
            return
        wholes = [self._put_together(flat) for flat in self.flats]
        self._is_whole = True
        try:
            yield
        finally:
            self._is_whole = False
            for flat, whole in zip(self.flats, wholes, strict=True):
                flat.part.data.copy_(whole.view(self._world.size, -1)[self._world.rank].view_as(flat.part))
                _empty(flat)

    def dissolve(self) -> None:
        """Put every weight back in its place for good."""
        if self._layers:
            for flat in self.flats:
                self._put_together(flat)
            self._layers, self._network.family = {}, self._family

    def _flatten(self, named: list[tuple[str, nn.Parameter]]) -> Flat:
        """Cut weights into as many parts as there are processes, keep one, and let go of the rest."""
        names, weights = zip(*named, strict=True)
        flat = torch.cat([weight.detach().reshape(-1) for weight in weights])
        length = -(-len(flat) // self._world.size)
        own = flat[length * self._world.rank : length * (self._world.rank + 1)]
        part = flat.new_zeros(length)
        part[: len(own)] = own
        kept = nn.Parameter(part[None] if weights[0].ndim > 1 else part)
        found = Flat(names, weights, tuple(weight.shape for weight in weights), kept)
        _empty(found)
        return found

    def _put_together(self, flat: Flat) -> Tensor:
        whole = self._world.join_parts(flat.part.data)
        for weight, view in zip(flat.weights, flat.views(whole), strict=True):
            weight.data = view
        return whole

    def _call(self, inner: Call, layer: Any, hidden: Tensor, context: Any) -> Tensor:
        held, callers = self._layers.get(id(layer), ((), {}))
        if self._is_whole or not held:
            return inner(layer, hidden, context)
        caller = callers.setdefault(inner, _Caller(inner, layer))
        masks, bits = self._network.masks, self._network.masks.state

        def compute(hidden: Tensor) -> Tensor:
            weights: dict[str, Tensor] = {}
            for flat in held:
                views = _Whole.apply(flat.part, flat, self._world)  # type: ignore[no-untyped-call]
                weights |= {f"layer.{name}": view for name, view in zip(flat.names, views, strict=True)}
            result: Tensor = functional_call(caller, weights, (hidden, context))
            return result

        def contexts() -> tuple[Any, Any]:
            return contextlib.nullcontext(), masks.again(bits)

        found: Tensor = checkpoint(compute, hidden, use_reentrant=False, context_fn=contexts)
        return found


class _Caller(nn.Module):
    """A layer behind the function that computes it, as ``functional_call`` wants it."""

    def __init__(self, call: Call, layer: nn.Module) -> None:
        super().__init__()
        self.call, self.layer = call, layer

    def forward(self, hidden: Tensor, context: Any) -> Tensor:
        return self.call(self.layer, hidden, context)


class _Whole(torch.autograd.Function):
    """The parts of all processes → the weights; backwards, the sum of all their gradients → this process's part of it."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, flat: Flat, world: World) -> tuple[Tensor, ...]:
        ctx.flat, ctx.world = flat, world
        return flat.views(world.join_parts(part))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor, None, None]:
        part = ctx.flat.part
        whole = part.new_zeros(part.numel() * ctx.world.size)
        for view, gradient in zip(ctx.flat.views(whole), gradients, strict=True):
            if gradient is not None:
                view.copy_(gradient)
        return ctx.world.sum_parts(whole).view_as(part), None, None


def _empty(flat: Flat) -> None:
    for weight in flat.weights:
        weight.data = weight.data.new_empty(0)
