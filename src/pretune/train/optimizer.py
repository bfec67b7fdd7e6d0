"""AdamW with decay for matrices and none for vectors, the head at its own rate, and rows of embedding tables on demand."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import LanguageNetwork, Network
from pretune.train.device import has_fast_bf16
from pretune.train.distributed import ALONE, World
from pretune.train.muon import Muon
from pretune.train.rows import RowAdamW
from pretune.train.sharding import Shards, like, whole_of

# Peak rate when all layers are trained: the middle of what the field uses for encoders of this kind.
LAYER_RATE = 5e-5
# Peak rate of all layers under a head that begins as a regression, and of that head: nothing has to be unlearned for it, so
# both stand more. docs/tables.md has the tables that they were chosen on.
REGRESSION_LAYER_RATE, REGRESSION_HEAD_RATE = 1e-4, 1e-3
# Peak rate when only the last layers are: there is less to harm. On movie-reviews two epochs of the last two layers of minilm
# reached a validation accuracy of 0.81 at 5e-5 and of 0.84 at 2e-4 (docs/results.md); this is between the two.
LAST_LAYERS_RATE = 1e-4
# Peak rate of a head trained alone on fixed features: it starts from nothing and cannot harm the trunk.
HEAD_ONLY_RATE = 1e-3
# Peak rate of low-rank adapters, which start from nothing: Hu et al. (2021) took 4e-4 to 5e-4 for base encoders on most tasks.
LORA_RATE = 5e-4


class Optimizer:
    """AdamW over a network, with rates that a schedule scales.

    Args:
        groups: Parameter groups of torch, each with its ``peak_rate``.
        tables: Embedding tables whose gradients are sparse, with their peak rate.
        world: The processes that make every update together.
        muon: Matrices that Muon updates in place of AdamW, with their peak rate.
        shards: Layers of whose weights each process has a part.

    Source:
        Loshchilov and Hutter (2019), Decoupled weight decay regularization.
    """

    def __init__(
        self,
        groups: list[dict[str, object]],
        tables: Sequence[tuple[RowAdamW, float]] = (),
        world: World = ALONE,
        muon: tuple[Muon, float] | None = None,
        shards: Shards | None = None,
    ) -> None:
        self.dense = torch.optim.AdamW(groups, fused=True)
        self.tables, self.world, self.muon, self.shards = tuple(tables), world, muon, shards

    @property
    def weights(self) -> list[nn.Parameter]:
        """Everything that is trained."""
        matrices = [] if self.muon is None else [weight for weight, _ in self.muon[0].matrices]
        return [*self._dense_weights, *(rows.table for rows, _ in self.tables), *matrices]

    @property
    def _dense_weights(self) -> list[nn.Parameter]:
        return [weight for group in self.dense.param_groups for weight in group["params"]]

    def prepare(self, ids: Iterable[Tensor | None]) -> None:
        """Bring the rows that a step is about to read up to date."""
        known = [item.reshape(-1) for item in ids if item is not None]
        if self.tables and (known or self.world.size > 1):
            own = torch.unique(torch.cat([torch.empty(0, dtype=torch.int64), *known]))
            rows = self.world.union(own, max(len(table.table) for table, _ in self.tables))
            for table, _ in self.tables:
                table.catch_up(rows)

    def settle(self) -> None:
        """Bring every row up to date: before weights are scored, copied or saved."""
        for table, _ in self.tables:
            table.catch_up()

    def clip(self, max_norm: float) -> float:
        """Scale the gradients so that their common norm is at most ``max_norm`` (0: no limit); return the norm before.

        Source:
            Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.
        """
        gradients = [_values(weight, weight.grad) for weight in self.weights if weight.grad is not None]
        kinds = [[item for item in gradients if isinstance(item, DTensor) is in_parts] for in_parts in (False, True)]
        norm = math.hypot(*(float(whole_of(nn.utils.get_total_norm(kind))) for kind in kinds if kind))
        if max_norm and norm > max_norm and math.isfinite(norm):
            for kind in filter(None, kinds):
                torch._foreach_mul_(kind, max_norm / (norm + 1e-6))
        return norm

    def step(self, factor: float) -> float:
        """Update at ``factor`` times every group's peak rate; return the first group's rate."""
        for group in self.dense.param_groups:
            group["lr"] = group["peak_rate"] * factor
        self.dense.step()
        for table, peak in self.tables:
            gradient = table.table.grad
            if gradient is not None:
                table.step(gradient._indices()[0], gradient._values(), peak * factor)
        if self.muon is not None:
            self.muon[0].step(self.muon[1] * factor)
        return float(self.dense.param_groups[0]["lr"])

    def state(self) -> dict[str, Tensor]:
        """What an exact continuation needs, by the place of each weight."""
        found: dict[str, Tensor] = {}
        for place, weight in enumerate(self._dense_weights):
            held = self.dense.state.get(weight, {})
            found |= {f"dense.{place}.{name}": whole_of(value) for name, value in held.items()}
        for place, (table, _) in enumerate(self.tables):
            found |= {f"table.{place}.{name}": value for name, value in table.state().items()}
        if self.muon is not None:
            found |= {f"muon.{name}": value for name, value in self.muon[0].state().items()}
        return found

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        for place, weight in enumerate(self._dense_weights):
            prefix = f"dense.{place}."
            held = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
            if held:
                if any(value.ndim and value.shape != weight.shape for value in held.values()):
                    raise ValueError(f"moments of weight {place} that are not {tuple(weight.shape)}")
                on_cpu = {"step"}  # where torch keeps it
                self.dense.state[weight] = {
                    name: value.clone() if name in on_cpu else like(weight, value.to(weight.device, copy=True))
                    for name, value in held.items()
                }
        for place, (table, _) in enumerate(self.tables):
            prefix = f"table.{place}."
            table.load({name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)})
        if self.muon is not None:
            self.muon[0].load({name.removeprefix("muon."): v for name, v in state.items() if name.startswith("muon.")})

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None


def make_optimizer(
    network: Network,
    config: FinetuneConfig,
    *,
    freeze: str,
    rate: float | None = None,
    world: World = ALONE,
    shards: Shards | None = None,
) -> Optimizer:
    """Return the optimizer of what ``network.freeze`` left trainable, for the processes that share each step.

    Args:
        network: Its boundary frozen.
        config: Rates and decays.
        freeze: As given to ``network.freeze``.
        rate: Peak rate instead of the config's.
        world: These processes.
        shards: Layers of whose weights each process has a part.

    Raises:
        UsageError: Rates should fall from layer to layer, and the layers of this family are not known.

    Source:
        Howard and Ruder (2018), Universal language model fine-tuning for text classification (discriminative rates).
    """
    head, sparse = ({id(weight) for weight in part} for part in (network.head_parameters(), network.sparse_parameters()))
    asked = config.learning_rate
    if rate is None and isinstance(asked, str):
        raise UsageError(f"learning_rate is {asked!r}", expected="a rate", fix="find one with range_test first")
    given = rate or (None if isinstance(asked, str) else asked)
    takes_mean = network.takes_mean
    of_all = REGRESSION_LAYER_RATE if takes_mean else LAYER_RATE
    usual = LORA_RATE if config.lora else {"all": HEAD_ONLY_RATE, "none": of_all}.get(freeze, LAST_LAYERS_RATE)
    rate = given or usual
    head_rate = config.head_learning_rate or (REGRESSION_HEAD_RATE if takes_mean and given is None else rate)
    trained, factors = ([w for w in network.parameters() if w.requires_grad], _factors(network, config.layer_decay))
    own = _parts_in(shards)
    tables = [
        (RowAdamW(weight, decay=config.weight_decay), rate * factors.get(id(weight), 1.0))
        for weight in trained
        if id(weight) in sparse
    ]
    groups = []
    for factor in sorted({1.0, *factors.values()}, reverse=True):  # the last layer first: its rate is the one that is told
        held = (own(w) for w in trained if id(w) not in head | sparse and factors.get(id(w), 1.0) == factor)
        groups += _groups(held, rate * factor, config.weight_decay)
    groups += _groups((own(w) for w in trained if id(w) in head), head_rate, config.weight_decay)
    return Optimizer(groups, tables, world, shards=shards)


def make_language_optimizer(
    network: LanguageNetwork,
    *,
    rate: float,
    decay: float,
    with_muon: bool,
    head_rate: float | None = None,
    world: World = ALONE,
    shards: Shards | None = None,
) -> Optimizer:
    """Return the optimizer of a language model: Muon for the matrices of layers or AdamW for all.

    Args:
        network: On its device.
        rate: Peak rate; the updates of both have about the same size.
        decay: On matrices, not on the table of words or on vectors.
        with_muon: Whether the matrices of layers are Muon's.
        head_rate: Peak rate of a head that starts from nothing above layers that do not.
        world: The processes that make every update together.
        shards: The weights in parts, of which each process has one.
    """
    own = _parts_in(shards)
    layers = {id(own(weight)) for weight in network.layers.parameters()}
    tables = {id(own(module.weight)) for module in network.modules() if isinstance(module, nn.Embedding)}
    trunk = {id(own(weight)) for weight in network.trunk.parameters()}
    fused = {id(own(weight)) for name, weight in network.layers.named_parameters() if name.endswith("Wqkv.weight")}
    trained = [own(weight) for weight in network.parameters() if weight.requires_grad]
    matrices = [weight for weight in trained if with_muon and id(weight) in layers and weight.ndim == 2]
    apart = {id(weight) for weight in matrices}
    rest = [weight for weight in trained if id(weight) not in apart]
    head = [weight for weight in rest if id(weight) not in trunk]
    words = [weight for weight in rest if id(weight) in tables]
    known = {id(weight) for weight in (*head, *words)}
    groups = _groups((weight for weight in rest if id(weight) not in known), rate, decay)
    groups += _groups(words, rate, 0.0) + _groups(head, head_rate or rate, decay)
    precision = torch.bfloat16 if has_fast_bf16(matrices[0].device.type if matrices else "cpu") else torch.float32
    muon = Muon([(weight, 3 if id(weight) in fused else 1) for weight in matrices], decay=decay, precision=precision)
    return Optimizer(groups, world=world, muon=(muon, rate) if matrices else None, shards=shards)


def _parts_in(shards: Shards | None) -> Callable[[Any], nn.Parameter]:
    """Return what gives, for a weight of the network, what is trained in its place."""
    return (lambda weight: weight) if shards is None else shards.part_of


def _factors(network: Network, layer_decay: float) -> dict[int, float]:
    """Return the factor on the rate of every weight of the trunk, by its id; empty where all learn alike."""
    if layer_decay == 1:
        return {}
    depths = network.weights_by_depth()
    return {id(weight): layer_decay ** (len(depths) - 1 - depth) for depth, held in enumerate(depths) for weight in held}


def _values(weight: nn.Parameter, gradient: Tensor) -> Tensor:
    """What a gradient holds; a sparse one is coalesced first, so that every row is in it once."""
    if not gradient.is_sparse:
        return gradient
    weight.grad = gradient.coalesce()
    return weight.grad._values()


def _groups(weights: Iterable[nn.Parameter], rate: float, decay: float) -> list[dict[str, object]]:
    kept = list(weights)
    parts = (([w for w in kept if w.ndim > 1], decay), ([w for w in kept if w.ndim <= 1], 0.0))
    return [{"params": part, "weight_decay": share, "lr": rate, "peak_rate": rate} for part, share in parts if part]
