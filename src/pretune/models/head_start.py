"""What a head that reads the mean begins as: a logistic regression over means, behind a dense layer that passes them on."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pretune.models.heads import ClassNetwork
from pretune.models.temperature import output_layer

# The tanh of the head's dense layer is nearly a straight line to this factor of states whose variance is 1.
SCALE = 0.2


def start_dense(network: ClassNetwork) -> None:
    """Let the head's dense layer pass states on."""
    dense = _dense(network)
    with torch.no_grad():
        dense.weight.copy_(SCALE * torch.eye(len(dense.weight)))
        dense.bias.zero_()


def head_features(network: ClassNetwork, means: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return what the output layer reads of texts whose states have these means; both (num_texts, width), dropout off."""
    dense, width = _dense(network), means.shape[1]
    with torch.no_grad():
        states = functional.layer_norm(torch.from_numpy(means), (width,))
        found: Tensor = torch.tanh(functional.linear(states, dense.weight.cpu(), dense.bias.cpu()))
    return found.numpy()


def start_output(network: ClassNetwork, weights: Tensor, intercepts: Tensor) -> None:
    """Let the output layer begin with a regression: weights (num_classes, width), intercepts (num_classes,)."""
    layer = output_layer(network)
    if layer is not None:
        with torch.no_grad():
            layer.weight.copy_(weights)
            layer.bias.copy_(intercepts)


def _dense(network: ClassNetwork) -> nn.Linear:
    found: nn.Linear = network.model.get_submodule(network.walked().classes.dense)  # type: ignore[union-attr]  # it reads the mean
    return found
