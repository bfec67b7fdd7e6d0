"""One classifier, seen as embeddings → layers → pooling → head, that can start from any layer boundary.

Shapes: ids and mask (batch, time), hidden (batch, time, width), pooled (batch, width), logits (batch, classes).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from pretune.errors import UsageError
from pretune.models.adapters import Family, mean_pool
from pretune.models.dropout import Dropout, Masks, share_masks

ADAPTER = "lora_"  # what the names of an adapter's weights have in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Texts on their way: as ids, as hidden states below the layer ``start``, or pooled."""

    mask: Tensor  # (batch, time); (batch, 0) when pooled
    ids: Tensor | None = None
    hidden: Tensor | None = None
    pooled: Tensor | None = None
    start: int = 0  # the layer that reads ``hidden``


class MlpHead(nn.Module):
    """Dropout → dense → ReLU → dropout → output, on the masked mean of the trunk."""

    def __init__(self, width: int, size: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dense, self.output = nn.Linear(width, size), nn.Linear(size, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pooled: Tensor) -> Tensor:
        """(batch, width) → (batch, classes)."""
        logits: Tensor = self.output(self.dropout(torch.relu(self.dense(self.dropout(pooled)))))
        return logits


class Network(nn.Module):
    """A transformers model and, unless the head is its own, an ``MlpHead``.

    Args:
        model: A classification model (native head), or a headless trunk when ``head`` is given.
        family: Its adapter; ``None`` runs the model whole.
        head: The pooled head, or ``None`` for the architecture's own.
    """

    def __init__(self, model: Any, family: Family | None, head: MlpHead | None = None) -> None:
        super().__init__()
        self.model, self.head, self.family, self.masks = model, head, family, Masks()
        self.is_adapted = False  # whether low-rank adapters learn in place of layers (models/lora.py)
        share_masks(self, self.masks)

    @property
    def trunk(self) -> Any:
        """The module below the head."""
        if self.head is not None:
            return self.model
        return getattr(self.model, self.family.trunk) if self.family else self.model.base_model

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers, in order; empty for a family without an adapter."""
        return attrgetter(self.family.layers)(self.trunk) if self.family else nn.ModuleList()

    @property
    def num_classes(self) -> int:
        """Width of the logits."""
        return self.head.output.out_features if self.head is not None else int(self.model.config.num_labels)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (batch, classes), in float32."""
        if self.family is None:
            return self._forward_whole(batch).float()
        return self.decide(batch.pooled if batch.pooled is not None else self.summarize(batch)).float()

    def run(self, batch: Batch, stop: int | None = None) -> Tensor:
        """Return the hidden states below layer ``stop``; after the last layer by default."""
        family, trunk = self._adapter(), self.trunk
        hidden = family.embed(trunk, batch.ids, batch.mask) if batch.hidden is None else batch.hidden
        context = family.context(trunk, hidden, batch.mask)
        for layer in self.layers[batch.start : stop]:
            hidden = family.call(layer, hidden, context)
        return family.finish(trunk, hidden) if stop is None else hidden

    def summarize(self, batch: Batch) -> Tensor:
        """Return what the head reads, (batch, width): where that is the first token, the last layer computes no other."""
        family, last = self._adapter(), len(self.layers) - 1
        if self.head is not None or family.call_last is None or batch.start > last:
            return self.pool(self.run(batch), batch.mask)
        hidden = self.run(batch, last)
        context = family.context(self.trunk, hidden, batch.mask)
        hidden = family.call_last(self.layers[last], hidden, context)
        return self.pool(family.finish(self.trunk, hidden), batch.mask)

    def walk(self, batch: Batch) -> Iterator[Tensor]:
        """Yield the hidden states after the embeddings and after every layer, ready for the head."""
        family, trunk = self._adapter(), self.trunk
        hidden = family.embed(trunk, batch.ids, batch.mask)
        yield family.finish(trunk, hidden)
        context = family.context(trunk, hidden, batch.mask)
        for layer in self.layers:
            hidden = family.call(layer, hidden, context)
            yield family.finish(trunk, hidden)

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(batch, time, width) → (batch, width), without weights."""
        return mean_pool(hidden, mask) if self.head is not None else self._adapter().pool(self.model, hidden, mask)

    def decide(self, pooled: Tensor) -> Tensor:
        """(batch, width) → logits (batch, classes)."""
        return self.head(pooled) if self.head is not None else self._adapter().decide(self.model, pooled)

    def head_parameters(self) -> list[nn.Parameter]:
        """Weights of the head, the native pooler or pre-classifier included."""
        if self.head is not None:
            return list(self.head.parameters())
        if self.family is None:
            trunk = {id(weight) for name, weight in self.trunk.named_parameters() if not name.startswith("pooler.")}
            return [weight for weight in self.model.parameters() if id(weight) not in trunk]
        modules = [attrgetter(path)(self.model) for path in self.family.head]
        return [weight for module in modules for weight in module.parameters()]

    def weights_by_depth(self) -> list[list[nn.Parameter]]:
        """Weights of the trunk from the bottom up: the embeddings and whatever else no layer holds, then each layer.

        A norm after the last layer belongs to that layer.

        Raises:
            UsageError: There is no adapter for this family.
        """
        self._adapter()
        layers = [list(layer.parameters()) for layer in self.layers]
        if hasattr(self.trunk, "final_norm"):
            layers[-1] += self.trunk.final_norm.parameters()
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
        for weight in self.parameters():
            weight.requires_grad_(freeze == "none")
        for layer in self.layers[boundary:]:
            layer.requires_grad_(True)
        for weight in self.head_parameters():
            weight.requires_grad_(True)
        if freeze.startswith("last-") and hasattr(self.trunk, "final_norm"):
            self.trunk.final_norm.requires_grad_(True)
        if self.is_adapted:
            head = {id(weight) for weight in self.head_parameters()}
            for name, weight in self.named_parameters():
                weight.requires_grad_(id(weight) in head or (weight.requires_grad and ADAPTER in name))
        words = self.trunk.get_input_embeddings()
        words.sparse = freeze == "none" and not dense and words.weight.device.type == "cpu"
        return boundary

    def boundary_of(self, freeze: str) -> int:
        """Return the first trained layer for ``none``, ``all`` or ``last-K``."""
        return boundary_in(
            freeze, len(self.layers), model_type=self.model.config.model_type, has_adapter=self.family is not None
        )

    def compile_layers(self) -> None:
        """Send every layer call through ``torch.compile``; the weights stay where they are.

        Raises:
            UsageError: The family has no adapter, so its layers are not called one by one.
        """
        family = self._adapter()
        if not hasattr(family.call, "_torchdynamo_orig_callable"):
            last = family.call_last and torch.compile(family.call_last, dynamic=True)
            self.family = replace(family, call=torch.compile(family.call, dynamic=True), call_last=last)

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

    def _forward_whole(self, batch: Batch) -> Tensor:
        output = self.model(input_ids=batch.ids, attention_mask=batch.mask)
        logits: Tensor = output.logits if self.head is None else self.head(mean_pool(output.last_hidden_state, batch.mask))
        return logits

    def _adapter(self) -> Family:
        if self.family is None:
            raise UsageError(
                f"pretune has no adapter for {self.model.config.model_type!r} models and cannot walk their layers",
                expected="one of bert, distilbert, roberta, electra, deberta-v2, modernbert",
                fix="use such a model, or do without this command",
            )
        return self.family


def boundary_in(freeze: str, num_layers: int, *, model_type: str, has_adapter: bool) -> int:
    """Return the first trained one of so many layers for ``none``, ``all`` or ``last-K``.

    Raises:
        UsageError: ``freeze`` is not known, or does not fit.
    """
    kind, _, count = freeze.partition("-")
    if freeze in ("none", "all"):
        return num_layers if freeze == "all" else 0
    if kind != "last" or not count.isdecimal() or int(count) < 1:
        raise UsageError(f"freeze is {freeze!r}", expected="none, all or last-K such as last-2", fix="pass one of these")
    if not has_adapter:
        raise UsageError(
            f"freeze is {freeze!r}, and pretune has no adapter for {model_type!r} models",
            expected="none or all for this family",
            fix="--freeze all, or --freeze none",
        )
    if int(count) > num_layers:
        raise UsageError(
            f"freeze is {freeze!r}, and the model has {num_layers} layers",
            expected=f"last-1 to last-{num_layers}",
            fix="--freeze none trains all of it",
        )
    return num_layers - int(count)
