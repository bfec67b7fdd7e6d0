"""Changes to the output layer after training: a temperature divides it, a threshold moves its bias."""

import contextlib
import math
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from pretune.models.heads import ClassNetwork

# Thresholds nearer to 0 or 1 than this are moved away from it: their log odds would be no number.
EDGE = 1e-12
# By so little less than the threshold's log odds the bias is moved: a row exactly at the threshold is decided for the positive
# class, and stays so when sums in another order differ by about 1e-6.
HAIR = 3e-6


def fold_temperature(network: ClassNetwork, temperature: float) -> bool:
    """Divide weight and bias of the output layer, so that the saved model gives scaled logits wherever it is loaded.

    Args:
        network: Changed in place.
        temperature: Above 0.

    Returns:
        Whether it was done: ``False`` for a family without an adapter, whose head may do more than multiply and add.
    """
    layer = output_layer(network)
    if layer is None:
        return False
    with torch.no_grad():
        layer.weight.div_(temperature)
        if layer.bias is not None:
            layer.bias.div_(temperature)
    return True


def find_shift(
    network: ClassNetwork, classes: Sequence[str], positive: str | None, threshold: float | None
) -> torch.Tensor | None:
    """Return what is added to the logits, (classes,), so that the largest class is the one that the threshold decides for.

    Returns:
        ``None`` where the largest class decides anyway, and where no constant can do it: with more than two classes, or in a
        family without an adapter.
    """
    layer = output_layer(network)
    if threshold is None or positive not in classes or len(classes) != 2 or layer is None or layer.bias is None:
        return None
    bounded = min(max(threshold, EDGE), 1 - EDGE)
    shift = torch.zeros(2)
    shift[list(classes).index(str(positive))] = HAIR - math.log(bounded / (1 - bounded))
    return shift


@contextlib.contextmanager
def folded(network: ClassNetwork, shift: torch.Tensor | None) -> Iterator[tuple[float, ...] | None]:
    """Move the bias of the output layer for as long as the block runs; yield the bias as it was, exactly."""
    layer = output_layer(network)
    if shift is None or layer is None or layer.bias is None:
        yield None
        return
    kept = layer.bias.detach().clone()
    try:
        with torch.no_grad():
            layer.bias.add_(shift.to(layer.bias))
        yield tuple(kept.tolist())
    finally:
        with torch.no_grad():
            layer.bias.copy_(kept)


def unfold(network: ClassNetwork, bias: Sequence[float]) -> None:
    """Put the bias back that the output layer had before a threshold was folded into the saved one."""
    layer = output_layer(network)
    if layer is not None and layer.bias is not None and len(bias) == len(layer.bias):
        with torch.no_grad():
            layer.bias.copy_(torch.tensor(bias))


def output_layer(network: ClassNetwork) -> nn.Linear | None:
    """Return the layer whose output is the logits: the last one of the head in every family that has an adapter."""
    if network.head is not None:
        return network.head.output
    if network.family is None:
        return None
    head = {id(weight) for weight in network.head_parameters()}
    layers = [item for item in network.model.modules() if isinstance(item, nn.Linear) and id(item.weight) in head]
    return layers[-1] if layers and layers[-1].out_features == network.num_classes else None
