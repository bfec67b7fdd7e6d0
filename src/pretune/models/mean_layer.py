"""The mean of all states under a head that reads the first token, and the layer that says so to plain transformers.

Sentence encoders such as ``minilm`` were made for the mean of their last states, and transformers has no class of BERT's kind
whose head reads it. Here the mean is taken (``read_mean``); what is saved has one more layer of BERT's kind that takes the same
mean (``with_layer``), and is taken out where pretune reads it back (``take_out``). In that layer all queries are zero, so that
the first token attends to every token alike; values pass as they are, and their mean is written with a weight beside which the
token's own state does not count; the feed-forward part adds nothing. So the saved folder is the plain architecture, and answers
alike wherever that can be loaded.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pretune.models.families import Family, mean_pool

POOLING = "1_Pooling/config.json"  # where sentence-transformers says how an encoder's states become one vector
MEAN = "pooling_mode_mean_tokens"
MARK = "last_layer_takes_mean"  # in config.json
MADE_FOR = "made_for_pooling"  # in config.json of what continued the pre-training of such a checkpoint
# Weight of the mean beside the first token's own state, which the residual sum adds: what is left of it is a thousandth.
WEIGHT = 1000.0


def wants_mean(folder: Path, family: Family | None) -> bool:
    """Whether a checkpoint says that it was made for the mean of its states, and its family's head can be given it."""
    return family is not None and family.classes is not None and bool(family.classes.dense) and says_mean(folder)


def says_mean(folder: Path) -> bool:
    """Whether a checkpoint says that it was made for the mean of its states: sentence-transformers' way, or pretune's."""
    try:
        if (folder / POOLING).is_file():
            said = json.loads((folder / POOLING).read_bytes())
            return {name for name, is_on in said.items() if name.startswith("pooling_mode_") and is_on} == {MEAN}
        return bool(json.loads((folder / "config.json").read_bytes()).get(MADE_FOR) == "mean")
    except (OSError, ValueError, AttributeError):
        return False


def read_mean(model: Any, hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Return what the layer makes of the first token: (batch, time, width) → (batch, width)."""
    width, eps = (hidden.shape[-1],), float(model.config.layer_norm_eps)
    states = WEIGHT * mean_pool(hidden.float(), mask) + hidden[:, 0].float()
    return functional.layer_norm(functional.layer_norm(states, width, eps=eps), width, eps=eps).to(hidden.dtype)


@contextlib.contextmanager
def with_layer(model: Any) -> Iterator[None]:
    """Let a model have the layer while the block runs: what is saved meanwhile takes the mean in plain transformers too."""
    layers, config = model.base_model.encoder.layer, model.config
    layer = type(layers[0])(config, layer_idx=len(layers))
    layer.load_state_dict(layers[-1].state_dict())  # keys and the first half of the feed-forward part are as good as any
    with torch.no_grad():
        for name, value in _weights(layer).items():
            layer.get_parameter(name).copy_(value)
    layers.append(layer.to(layers[0].output.dense.weight).train(model.training))
    config.num_hidden_layers = len(layers)
    setattr(config, MARK, True)
    try:
        yield
    finally:
        _remove(model)


def take_out(model: Any) -> bool:
    """Remove the layer from a model that was saved with it; return whether it was there."""
    if not getattr(model.config, MARK, False):
        return False
    layer = model.base_model.encoder.layer[-1]
    if not all(torch.equal(layer.get_parameter(name).cpu(), value) for name, value in _weights(layer).items()):
        return False  # trained by another tool: what it takes is no longer the mean
    _remove(model)
    return True


def _weights(layer: Any) -> dict[str, Tensor]:
    """Return what makes a layer of BERT's kind take the mean, by name."""
    width = int(layer.output.dense.out_features)
    one, none = torch.eye(width), torch.zeros(width)
    matrices = {
        "attention.self.query": torch.zeros(width, width),
        "attention.self.value": one,
        "attention.output.dense": WEIGHT * one,
        "output.dense": torch.zeros(width, int(layer.output.dense.in_features)),
    }
    norms = dict.fromkeys(("attention.output.LayerNorm", "output.LayerNorm"), torch.ones(width))
    return {f"{name}.weight": value for name, value in (matrices | norms).items()} | {
        f"{name}.bias": none for name in (*matrices, *norms)
    }


def _remove(model: Any) -> None:
    layers = model.base_model.encoder.layer
    del layers[-1]
    model.config.num_hidden_layers = len(layers)
    delattr(model.config, MARK)
