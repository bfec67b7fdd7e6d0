"""How to walk one architecture of transformers layer by layer, the same way for every task, and how to read its own heads.

Shapes: hidden (batch, time, width), mask (batch, time) with 1 at real tokens, pooled (batch, width), states (targets, width).
Functions of families that return ``Any`` return what a module of transformers returns: a tensor, unknown to mypy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pretune.models.batch import Batch

Context = Any  # what a family computes once a batch for all of its layers


def first_token(model: Any, hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Return the state of the first token: (batch, time, width) → (batch, width)."""
    return hidden[:, 0]


def mean_pool(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Average the hidden states of the real tokens: (batch, time, width) → (batch, width)."""
    if mask is None:
        return hidden.mean(dim=1)
    weights = mask.unsqueeze(-1).float()  # bf16 cannot count beyond 256 tokens
    return ((hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)).to(hidden.dtype)


def embed(trunk: Any, batch: Batch) -> Any:
    """Return the embeddings of ids, where a module takes them as most do."""
    return trunk.embeddings(input_ids=batch.ids)


def unchanged(trunk: Any, hidden: Tensor) -> Tensor:
    """Return hidden states after the last layer as they are."""
    return hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassHead:
    """How the architecture's own classification head is read.

    Args:
        weights: Attributes of the model that belong to the head; a dotted one lies in the trunk's module.
        decide: (model, pooled) → logits (batch, classes); all of its weights are the head.
        pool: (model, hidden, mask) → pooled; has no weights.
        dense: Path of the layer whose tanh is what the output layer reads, where the first token is pooled so.
    """

    weights: tuple[str, ...]
    decide: Callable[[Any, Tensor], Tensor]
    pool: Callable[[Any, Tensor, Tensor | None], Tensor] = first_token
    dense: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordHead:
    """How the architecture's own language-modelling head is read.

    Args:
        output: Dotted path from the model to its output layer, which has a weight and perhaps a bias.
        transform: (model, states) → states for the output layer.
        is_causal: Whether tokens look back only, and the next word is predicted.
    """

    output: str
    transform: Callable[[Any, Tensor], Tensor]
    is_causal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How to walk one architecture with the modules of transformers itself.

    Args:
        name: ``model_type`` in the checkpoint's configuration.
        trunk: Attribute of a model with a head that holds the trunk.
        layers: Dotted path from the trunk to its list of layers.
        context: (trunk, hidden, batch) → what ``call`` needs besides the hidden states.
        call: (layer, hidden, context) → hidden.
        embed: (trunk, batch) → hidden.
        finish: (trunk, hidden) → hidden after the last layer.
        last_norm: Attribute of the trunk that ``finish`` applies, if it has weights; it learns with the last layer.
        call_last: (layer, hidden, context) → hidden of the first token alone, (batch, 1, width), where the head reads no more.
        classes: Its head for classes; ``None`` where it has none that pretune reads.
        words: Its head for words, likewise.
    """

    name: str
    trunk: str
    layers: str
    context: Callable[[Any, Tensor, Batch], Context]
    call: Callable[[Any, Tensor, Context], Tensor]
    embed: Callable[[Any, Batch], Tensor] = embed
    finish: Callable[[Any, Tensor], Tensor] = unchanged
    last_norm: str = ""
    call_last: Callable[[Any, Tensor, Context], Tensor] | None = None
    classes: ClassHead | None = None
    words: WordHead | None = None
