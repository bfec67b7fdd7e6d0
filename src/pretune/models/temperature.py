"""A temperature in the weights: dividing the output layer by it divides every logit by it."""

import torch
from torch import nn

from pretune.models.network import Network


def fold_temperature(network: Network, temperature: float) -> bool:
    """Divide weight and bias of the output layer, so that the saved model gives scaled logits wherever it is loaded.

    Args:
        network: Changed in place.
        temperature: Above 0.

    Returns:
        Whether it was done: ``False`` for a family without an adapter, whose head may do more than multiply and add.
    """
    layer = _output_layer(network)
    if layer is None:
        return False
    with torch.no_grad():
        layer.weight.div_(temperature)
        if layer.bias is not None:
            layer.bias.div_(temperature)
    return True


def _output_layer(network: Network) -> nn.Linear | None:
    """Return the layer whose output is the logits: the last one of the head in every family that has an adapter."""
    if network.head is not None:
        return network.head.output
    if network.family is None:
        return None
    head = {id(weight) for weight in network.head_parameters()}
    layers = [item for item in network.model.modules() if isinstance(item, nn.Linear) and id(item.weight) in head]
    return layers[-1] if layers and layers[-1].out_features == network.num_classes else None
