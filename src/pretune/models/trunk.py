"""A model of transformers as embeddings → layers → head: walked from any layer, frozen, compiled and given its dropout.

Shapes: ids and mask (batch, time), hidden (batch, time, width).
"""

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from pretune.errors import UsageError
from pretune.models.batch import Batch
from pretune.models.dropout import Dropout, Masks, share_masks
from pretune.models.families import Family, known_families

ADAPTER = "lora_"  # what the names of an adapter's weights have in common


class Network(nn.Module):
    """What every network has, whatever head is above it (``heads.py``).

    Args:
        model: Of transformers, with a head of its own, or the trunk alone when ``head`` is given.
        family: How it is walked; ``None`` runs it whole.
        head: A head of pretune's own.
    """

    takes_mean = False  # whether its native head reads the mean of all states in place of the first token's (mean_layer.py)
    has_dense_table = False  # whether every row of its table of words has a gradient in every step
    has_few_shapes = False  # whether batches are mostly of one shape: what is compiled is then compiled for each

    def __init__(self, model: Any, family: Family | None, head: nn.Module | None = None) -> None:
        super().__init__()
        self.model, self.head, self.family, self.masks = model, head, family, Masks()
        self.is_adapted = False  # whether low-rank adapters learn in place of layers (lora.py)
        share_masks(self, self.masks)

    @property
    def trunk(self) -> Any:
        """The module below the head."""
        if self.head is not None:
            return self.model
        return getattr(self.model, self.family.trunk) if self.family else self.model.base_model

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers, in order; empty for a family that is not known."""
        return attrgetter(self.family.layers)(self.trunk) if self.family else nn.ModuleList()

    def run(self, batch: Batch, stop: int | None = None) -> Tensor:
        """Return the hidden states below layer ``stop``; after the last layer, and what follows it, by default."""
        family, trunk = self.walked(), self.trunk
        hidden = family.embed(trunk, batch) if batch.hidden is None else batch.hidden
        context = family.context(trunk, hidden, batch)
        for layer in self.layers[batch.start : stop]:
            hidden = family.call(layer, hidden, context)
        return family.finish(trunk, hidden) if stop is None else hidden

    def states(self, batch: Batch) -> Iterator[Tensor]:
        """Yield the hidden states after the embeddings and after every layer, ready for the head."""
        family, trunk = self.walked(), self.trunk
        hidden = family.embed(trunk, batch)
        yield family.finish(trunk, hidden)
        context = family.context(trunk, hidden, batch)
        for layer in self.layers:
            hidden = family.call(layer, hidden, context)
            yield family.finish(trunk, hidden)

    def head_parameters(self) -> list[nn.Parameter]:
        """Weights above the trunk; a pooler that its module happens to hold is among them."""
        trunk = {id(weight) for name, weight in self.trunk.named_parameters() if not name.startswith("pooler.")}
        return [weight for weight in self.model.parameters() if id(weight) not in trunk]

    def weights_by_depth(self) -> list[list[nn.Parameter]]:
        """Weights of the trunk from the bottom up: the embeddings and whatever else no layer holds, then each layer.

        A norm after the last layer belongs to that layer.

        Raises:
            UsageError: The family is not known.
        """
        last_norm = self.walked().last_norm
        layers = [list(layer.parameters()) for layer in self.layers]
        if last_norm:
            layers[-1] += getattr(self.trunk, last_norm).parameters()
        known = {id(weight) for held in (*layers, self.head_parameters()) for weight in held}
        return [[weight for weight in self.trunk.parameters() if id(weight) not in known], *layers]

    def sparse_parameters(self) -> list[nn.Parameter]:
        """Embedding tables whose gradient holds only the rows that were read."""
        sparse = {id(module.weight) for module in self.modules() if isinstance(module, nn.Embedding) and module.sparse}
        return [weight for weight in self.parameters() if id(weight) in sparse]

    def freeze(self, freeze: str, *, dense: bool = False) -> int:
        """Let only the head and the layers above the boundary learn; return the boundary.

        Args:
            freeze: ``none``, ``all`` or ``last-K``.
            dense: Give embedding tables a gradient of all rows, where every row must be right after every step.

        Returns:
            The index of the first layer that is trained: 0 with ``none`` (embeddings learn too),
            the number of layers with ``all``.

        Raises:
            UsageError: ``freeze`` is not known, or does not fit this model.
        """
        boundary = self.boundary_of(freeze)
        self.requires_grad_(freeze == "none")
        for layer in self.layers[boundary:]:
            layer.requires_grad_(True)
        for weight in self.head_parameters():
            weight.requires_grad_(True)
        if freeze.startswith("last-") and self.walked().last_norm:
            getattr(self.trunk, self.walked().last_norm).requires_grad_(True)
        if self.is_adapted:
            head = {id(weight) for weight in self.head_parameters()}
            for name, weight in self.named_parameters():
                weight.requires_grad_(id(weight) in head or (weight.requires_grad and ADAPTER in name))
        words = self.trunk.get_input_embeddings()
        is_dense = dense or self.has_dense_table
        words.sparse = freeze == "none" and not is_dense and words.weight.device.type == "cpu"
        return boundary

    def boundary_of(self, freeze: str) -> int:
        """Return the first trained layer for ``none``, ``all`` or ``last-K``."""
        known = {"model_type": self.model.config.model_type, "is_walked": self.family is not None}
        return boundary_in(freeze, len(self.layers), **known)

    def compile_layers(self) -> None:
        """Send every layer call through ``torch.compile``; the weights stay where they are.

        Raises:
            UsageError: The family is not known, so its layers are not called one by one.
        """
        family, is_dynamic = self.walked(), not self.has_few_shapes
        if not hasattr(family.call, "_torchdynamo_orig_callable"):
            last = family.call_last and torch.compile(family.call_last, dynamic=is_dynamic)
            self.family = replace(family, call=torch.compile(family.call, dynamic=is_dynamic), call_last=last)

    def set_dropout(self, probability: float) -> None:
        """Set every dropout in trunk and head, the one inside attention included."""
        for module in list(self.modules()):
            if isinstance(module, nn.Dropout):
                module.p = probability
            for name, child in list(module.named_children()):
                if "drop" in name and isinstance(child, nn.Identity):  # what ModernBERT puts where the checkpoint has none
                    setattr(module, name, Dropout(probability, self.masks))
            for name, value in list(vars(module).items()):
                if "dropout" in name and type(value) in (int, float):  # a probability kept as a plain number
                    setattr(module, name, probability)

    def walked(self) -> Family:
        """Return how the layers are walked.

        Raises:
            UsageError: pretune does not know this family.
        """
        if self.family is None:
            raise UsageError(
                f"pretune has no adapter for {self.model.config.model_type!r} models and cannot walk their layers",
                expected=f"one of {known_families('classes')}",
                fix="use such a model",
            )
        return self.family


def boundary_in(freeze: str, num_layers: int, *, model_type: str, is_walked: bool) -> int:
    """Return the first trained one of so many layers for ``none``, ``all`` or ``last-K``.

    Raises:
        UsageError: ``freeze`` is not known, or does not fit.
    """
    kind, _, count = freeze.partition("-")
    if freeze in ("none", "all"):
        return num_layers if freeze == "all" else 0
    if kind != "last" or not count.isdecimal() or int(count) < 1:
        raise UsageError(f"freeze is {freeze!r}", expected="none, all or last-K such as last-2")
    if not is_walked:
        raise UsageError(
            f"freeze is {freeze!r}, but pretune has no adapter for {model_type!r} models",
            expected="none or all for this family",
            fix="--freeze all, or --freeze none",
        )
    if int(count) > num_layers:
        raise UsageError(
            f"freeze is {freeze!r}, but the model has {num_layers} layers",
            expected=f"last-1 to last-{num_layers}",
            fix="--freeze none trains all layers",
        )
    return num_layers - int(count)
