"""Low-rank adapters: small matrices beside the linear layers learn in their place, and are merged at the end.

Source:
    Hu et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pretune.errors import UsageError, require
from pretune.models.batch import Batch
from pretune.models.parity import MAX_LOGIT_DIFFERENCE, check_parity
from pretune.models.trunk import ADAPTER, Network

# The package that knows how to put adapters in, and the extra that installs it.
PEFT = {"package": "peft", "extra": "lora"}
NAME = "default"  # as peft calls adapters that were given no name


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """What was learned beside the layers of a network that otherwise stayed as it came.

    Args:
        rank: Width of the adapters.
        alpha: What they add is scaled by ``alpha / rank``.
        layers: Names of the linear layers that have one.
        head: Names of the modules that learned whole, such as an output layer that is not the table of words.
        weights: The two matrices of every layer as ``LAYER.lora_A.weight`` and ``LAYER.lora_B.weight``, and those of the head;
            on the processor, in float32.
    """

    rank: int
    alpha: float
    layers: tuple[str, ...]
    head: tuple[str, ...]
    weights: dict[str, Tensor]


def adapt(network: Network, *, rank: int, alpha: float, boundary: int) -> int:
    """Put an adapter beside every linear layer above the boundary; only adapters and head learn from then on.

    The second matrix of each starts at zero, so the logits are as before.

    Args:
        network: As ``freeze`` left it.
        rank: Width of the adapters.
        alpha: What they add is scaled by ``alpha / rank``.
        boundary: The first layer that gets them.

    Returns:
        The number of linear layers that have one.

    Raises:
        MissingPackageError: peft is not installed.
        UsageError: There is no layer above the boundary.
    """
    peft = require(**PEFT)
    names = _linear_layers(network, boundary)
    if not names:
        raise UsageError(
            "there is no layer above the freeze boundary for LoRA to adapt",
            expected="--freeze none or last-K with --lora",
            fix="leave --lora out, or --freeze all",
        )
    config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=names, lora_dropout=0.0, bias="none")
    peft.inject_adapter_in_model(config, network.model)
    network.is_adapted = True
    head = {id(weight) for weight in network.head_parameters()}
    for name, weight in network.named_parameters():
        weight.requires_grad_(ADAPTER in name or id(weight) in head)
    network.to(next(iter(network.parameters())).device)
    return len(names)


def adapters_of(network: Network) -> Adapters:
    """Return a copy of the adapters of a network that ``adapt`` made and ``merge`` did not yet take out."""
    adapted = {name: module for name, module in network.model.named_modules() if hasattr(module, "lora_A")}
    one = next(iter(adapted.values()))
    head = {id(weight) for weight in network.head_parameters()}
    weights = {
        name.replace(f".{NAME}", ""): weight.detach().float().cpu().clone()
        for name, weight in network.model.named_parameters()
        if ADAPTER in name or id(weight) in head
    }
    of_head = {name.rpartition(".")[0] for name in weights if ADAPTER not in name}
    rank = int(one.r[NAME])
    return Adapters(
        rank=rank, alpha=rank * float(one.scaling[NAME]), layers=tuple(adapted), head=tuple(sorted(of_head)), weights=weights
    )


def merge(network: Network, batch: Batch, *, limit: float = MAX_LOGIT_DIFFERENCE) -> float:
    """Add every adapter to its linear layer and take it out; the network is then of its plain architecture again.

    Args:
        network: In the state that will be kept.
        batch: Texts, or windows with targets, on which the logits must stay what they were.
        limit: Largest difference of a logit that is still the same.

    Returns:
        The largest difference of a logit.

    Raises:
        ParityError: The merged network is another one.
    """
    network.eval()
    before = _logits(network, batch)
    for parent in list(network.model.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "lora_A"):
                child.merge()
                setattr(parent, name, child.get_base_layer())
    network.is_adapted = False
    for left in ("peft_config", "_hf_peft_config_loaded"):
        vars(network.model).pop(left, None)
    what = "with LoRA's adapters merged, the model gives other logits"
    fix = "train without --lora; please report the model and versions"
    return check_parity(before, _logits(network, batch), what, limit=limit, fix=fix)


def _linear_layers(network: Network, boundary: int) -> list[str]:
    """Return the names of the linear layers above the boundary; of the whole trunk where its layers are not known."""
    head = {id(weight) for weight in network.head_parameters()}
    above = list(network.layers[boundary:]) if network.family else [network.trunk]
    wanted = {id(module) for layer in above for module in layer.modules()}
    return [
        name
        for name, module in network.model.named_modules()
        if isinstance(module, nn.Linear) and id(module) in wanted and id(module.weight) not in head
    ]


@torch.inference_mode()
def _logits(network: Network, batch: Batch) -> Tensor:
    found: Tensor = network(batch)
    return found.clone()
