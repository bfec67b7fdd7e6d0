"""Weights in parts on the processes that train them: a layer is whole only while it computes (torch's FSDP2).

``fully_shard`` cuts, gathers and sums; this file holds only what goes around it. ``fully_shard`` would turn the network's
weights into tensors of another kind for good, but pretune needs the plain network back to validate, to save, and for the test.
So the parts belong to separate modules, each of which computes a layer in its place. Activations of a layer are not kept, but
computed again.

Source:
    Rajbhandari et al. (2020), ZeRO: Memory Optimizations Toward Training Trillion Parameter Models (its third stage);
    Chen et al. (2016), Training Deep Nets with Sublinear Memory Cost.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from pretune.errors import UsageError
from pretune.models import Network
from pretune.models.dropout import Masks
from pretune.train.distributed import World

Call = Callable[..., Tensor]


def whole_of(tensor: Tensor) -> Tensor:
    """Return a tensor of which every process may have a part; all of them must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(weight: Tensor, whole: Tensor) -> Tensor:
    """Return what this process holds of a tensor that belongs to a weight: its part, or all of it."""
    if not isinstance(weight, DTensor):
        return whole
    return distribute_tensor(whole, weight.device_mesh, weight.placements, src_data_rank=None)


def whole(shards: "Shards | None") -> contextlib.AbstractContextManager[None]:
    """Return a context in which every weight of a network is in its place; where there are no parts, each always is."""
    return contextlib.nullcontext() if shards is None else shards.whole()


class _Unit(nn.Module):
    """Weights that are put together at once, and computed with in place of those of a module that has none meanwhile.

    Args:
        target: The module that the weights are of.
        weights: By name.
        inside: Units of modules inside of it.
        masks: Where dropout in it draws from, where what it computed is not kept but computed again backwards.
    """

    def __init__(
        self,
        target: nn.Module,
        weights: dict[str, nn.Parameter],
        *,
        inside: Sequence["_Unit"] = (),
        masks: Masks | None = None,
    ) -> None:
        super().__init__()
        self.names, self.originals, self.inside = tuple(weights), tuple(weights.values()), nn.ModuleList(inside)
        self.parts = nn.ParameterList(nn.Parameter(weight.detach(), weight.requires_grad) for weight in self.originals)
        self._callers, self._masks = [_Caller(target)], masks  # in a list: it is no part of this module

    def forward(self, call: Call, *inputs: Tensor) -> Tensor:
        """Return what ``call`` makes of the inputs while the target has its weights."""

        def compute(*inputs: Tensor) -> Tensor:
            weights = {f"target.{name}": weight for name, weight in zip(self.names, self.parts, strict=True)}
            found: Tensor = functional_call(self._callers[0], weights, (call, *inputs))
            return found

        masks = self._masks
        if masks is None:
            return compute(*inputs)
        bits = masks.state
        found: Tensor = checkpoint(
            compute, *inputs, use_reentrant=False, context_fn=lambda: (contextlib.nullcontext(), masks.again(bits))
        )
        return found.clone()  # FSDP2 warns of a view, which a layer may return


class _Caller(nn.Module):
    """A module behind whatever computes with it, as ``functional_call`` wants it."""

    def __init__(self, target: nn.Module) -> None:
        super().__init__()
        self.target = target

    def forward(self, call: Call, *inputs: Any) -> Tensor:
        return call(*inputs)


class Shards:
    """The trained weights of one network in parts: those of each layer together, and the rest.

    Args:
        network: Frozen below the boundary; computed through this object until ``dissolve``.
        boundary: The first trained layer.
        world: The processes; each must compute equally many losses.
        shard: ``True``, or how many processes hold the parts; the next ones hold the same.

    Raises:
        UsageError: The layers of this family are not known, or the number does not divide that of the processes.
    """

    def __init__(self, network: Network, boundary: int, world: World, shard: bool | int = True) -> None:
        self._network, self._world, self._family, self._is_whole = network, world, network.family, False
        if network.family is None:
            raise UsageError(
                f"pretune has no adapter for {network.model.config.model_type!r} models and cannot cut their layers into parts",
                expected="a family whose layers it calls one by one",
                fix="leave --set finetune.shard=true out",
            )
        layers = list(network.layers[boundary:])
        self._layers = {id(layer): _Unit(layer, dict(layer.named_parameters()), masks=network.masks) for layer in layers}
        known = {id(weight) for unit in self._layers.values() for weight in unit.originals}
        known |= {id(table) for table in network.sparse_parameters()}  # a step touches few of their rows
        rest = {name: own for name, own in network.named_parameters() if own.requires_grad and id(own) not in known}
        self._root = _Unit(network, rest, inside=tuple(self._layers.values()))
        mesh = _mesh(next(network.parameters()).device.type, world, shard)
        self._pairs: list[tuple[nn.Parameter, nn.Parameter]] = []  # a weight of the network, and the part of it
        for unit in (*self._layers.values(), self._root):
            shared: FSDPModule = fully_shard(unit, mesh=mesh)
            shared.set_gradient_divide_factor(1.0)  # gradients are added up, never averaged
            shared.set_force_sum_reduction_for_comms(True)
            self._pairs += zip(unit.originals, unit.parts, strict=True)
            self._empty()
        self._parts = {id(weight): part for weight, part in self._pairs}
        own = network.family
        network.family = replace(
            own, call=self._through(own.call), call_last=None if own.call_last is None else self._through(own.call_last)
        )

    def part_of(self, weight: nn.Parameter) -> nn.Parameter:
        """Return what is trained in place of a weight of the network."""
        return self._parts.get(id(weight), weight)

    def loss(self, loss_of: Call, batch: Any, targets: Tensor) -> Tensor:
        """Return the loss of a part of an update, computed with weights that are put together on the way."""
        found: Tensor = self._root(lambda: loss_of(batch, targets))
        return found

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Let every weight be in its place, on all processes, while the block runs; what it writes there is kept."""
        if self._is_whole:
            yield
            return
        self._put_together()
        self._is_whole = True
        try:
            yield
        finally:
            self._is_whole = False
            with torch.no_grad():
                for weight, part in self._pairs:
                    part.copy_(like(part, weight.data))
            self._empty()

    def dissolve(self) -> None:
        """Put every weight back in its place for good."""
        self._put_together()
        self._network.family = self._family

    def _put_together(self) -> None:
        for weight, part in self._pairs:
            weight.data = whole_of(part.detach())

    def _empty(self) -> None:
        for weight, _ in self._pairs:
            weight.data = weight.data.new_empty(0)

    def _through(self, inner: Call) -> Call:
        def call(layer: Any, hidden: Tensor, context: Any) -> Tensor:
            unit = None if self._is_whole else self._layers.get(id(layer))
            if unit is None:
                return inner(layer, hidden, context)
            found: Tensor = unit(lambda hidden: inner(layer, hidden, context), hidden)
            return found

        return call


def _mesh(device: str, world: World, shard: bool | int) -> DeviceMesh:
    """Return which processes hold the parts: a row of a grid, where the rows hold the same."""
    width = world.size if shard is True else int(shard)
    if world.size % width:
        raise UsageError(
            f"shard is {width}, and there are {world.size} processes",
            expected="a number of processes that is a multiple of those that hold the parts",
            fix="pass shard=true to let all of them hold the parts",
        )
    if width == world.size:
        return init_device_mesh(device, (width,))
    return init_device_mesh(device, (world.size // width, width), mesh_dim_names=("same", "parts"))
