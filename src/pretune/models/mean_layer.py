"""A layer that takes the mean: one more layer of BERT's kind, so that a head that reads the first token reads all of them.

Sentence encoders such as ``minilm`` were made for the mean of their last states, and transformers has no class of BERT's kind
whose head reads it. In the added layer all queries are zero, so that the first token attends to every token alike; values pass
as they are, and their mean is written with a weight beside which the token's own state does not count; the feed-forward part
adds nothing. What is saved is the plain architecture with a layer more, and answers alike wherever that can be loaded.

All of its weights learn, so that what it takes need not stay the mean.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pretune.models.families import Family
from pretune.models.heads import ClassNetwork
from pretune.models.temperature import output_layer

POOLING = "1_Pooling/config.json"  # where sentence-transformers says how an encoder's states become one vector
MARK = "has_mean_layer"  # in config.json: the last layer is this one
# Weight of the mean beside the first token's own state, which the residual sum adds: what is left of it is a thousandth.
WEIGHT = 1000.0
# The head's tanh is nearly a straight line to this factor of states whose variance is 1.
SCALE = 0.2


def wants_mean(folder: Path, family: Family | None) -> bool:
    """Whether a checkpoint says that it was made for the mean of its states, and its family's head can be given it."""
    if family is None or family.classes is None or not family.classes.dense:
        return False
    try:
        said = json.loads((folder / POOLING).read_bytes())
    except (OSError, ValueError):
        return False
    ways = {name for name, is_on in said.items() if name.startswith("pooling_mode_") and is_on}
    return ways == {"pooling_mode_mean_tokens"}


def add_mean_layer(model: Any, family: Family) -> None:
    """Add the layer to a model with a head for classes, in place; the head's own dense layer passes states on."""
    layers = getattr(model, family.trunk).encoder.layer
    layer, config = type(layers[0])(model.config, layer_idx=len(layers)), model.config
    layer.load_state_dict(layers[-1].state_dict())  # keys and the first half of the feed-forward part are as good as any
    one = torch.eye(int(config.hidden_size))
    attention = layer.attention
    with torch.no_grad():
        for weights in (attention.self.query, layer.output.dense):
            weights.weight.zero_()
            weights.bias.zero_()
        for weights, factor in ((attention.self.value, 1.0), (attention.output.dense, WEIGHT), (_dense(model, family), SCALE)):
            weights.weight.copy_(factor * one)
            weights.bias.zero_()
        for norm in (attention.output.LayerNorm, layer.output.LayerNorm):
            norm.weight.fill_(1.0)
            norm.bias.zero_()
    layers.append(layer.to(layers[0].output.dense.weight))
    config.num_hidden_layers = len(layers)
    setattr(config, MARK, True)


def head_features(network: ClassNetwork, means: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return what the output layer reads of texts whose states have these means; both (num_texts, width), dropout off."""
    dense, width = _dense(network.model, network.walked()), means.shape[1]
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


def _dense(model: Any, family: Family) -> nn.Linear:
    found: nn.Linear = model.get_submodule(family.classes.dense)  # type: ignore[union-attr]  # ``wants_mean`` asked for it
    return found
