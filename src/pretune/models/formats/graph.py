"""The graph of a classifier, for every form that is one: ids and mask in, logits out, as the saved model gives them."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pretune.models.card import ModelCard
from pretune.models.exported import Reading
from pretune.models.heads import ClassNetwork
from pretune.models.mean_layer import with_layer
from pretune.models.temperature import find_shift, folded

INPUTS, OUTPUT = ("input_ids", "attention_mask"), "logits"
# Texts and tokens that the graph is traced with: two of each at least, since a size of one would be taken for a constant.
TRACED = (2, 8)


class Whole(nn.Module):
    """A network that reads ids and mask, and runs as transformers does, whose graphs the runtimes know.

    Args:
        network: On the processor.
    """

    def __init__(self, network: ClassNetwork) -> None:
        super().__init__()
        self.model, self.head = network.model, network.head

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, time), (batch, time) → logits (batch, classes)."""
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        if self.head is None:
            logits: Tensor = output.logits
            return logits
        mask = attention_mask.unsqueeze(2).to(output.last_hidden_state.dtype)
        mean = (output.last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        found: Tensor = self.head(mean)
        return found


@contextlib.contextmanager
def whole(network: ClassNetwork, card: ModelCard, *, plainly: bool = False) -> Iterator[tuple[Whole, tuple[float, ...] | None]]:
    """Yield what is exported, and what its output layer adds to the logits for the threshold; as ``model/`` is saved.

    Args:
        network: On the processor.
        card: Of the model.
        plainly: Whether attention is to be written out as products and a softmax, which quantizers and runtimes know better
            than torch's own operator.
    """
    shift = find_shift(network, card.classes, card.positive, card.threshold)
    in_full = with_layer(network.model) if network.takes_mean else contextlib.nullcontext()
    network.eval()
    with folded(network, shift), in_full, _attention(network.model, "eager") if plainly else contextlib.nullcontext():
        yield Whole(network).eval(), None if shift is None else tuple(shift.tolist())


@contextlib.contextmanager
def _attention(model: Any, kind: str) -> Iterator[None]:
    before = model.config._attn_implementation
    model.set_attn_implementation(kind)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def example_inputs() -> tuple[Tensor, Tensor]:
    """Return ids and mask that the graph is traced with."""
    return torch.ones(TRACED, dtype=torch.int64), torch.ones(TRACED, dtype=torch.int64)


def dynamic_shapes(max_length: int) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return which sizes of the inputs vary: the number of texts, and their tokens up to so many."""
    batch, time = torch.export.Dim("batch", min=1), torch.export.Dim("time", min=1, max=max(max_length, TRACED[1]))
    return {0: batch, 1: time}, {0: batch, 1: time}


def reading_of(tokenizer: Any) -> Reading:
    """Return how a tokenizer of transformers makes ids, as far as its file does not say."""
    return Reading(
        padding_id=int(tokenizer.pad_token_id or 0),
        unknown_id=None if tokenizer.unk_token_id is None else int(tokenizer.unk_token_id),
        control_as_text=bool(getattr(tokenizer, "split_special_tokens", False)),
    )
