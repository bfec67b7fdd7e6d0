"""The graph of a classifier, for every form that is one: ids and mask in, logits out, as the saved model gives them."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pretune.models.card import ModelCard
from pretune.models.exported import Reading
from pretune.models.heads import ClassNetwork
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
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, time), (batch, time) → logits (batch, classes)."""
        network = self.network
        trunk = network.model if network.head is not None else network.model.base_model
        if network.head is None and not network.takes_mean:
            logits: Tensor = network.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits
        hidden = trunk(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return network.decide(network.pool(hidden, attention_mask))


@contextlib.contextmanager
def whole(network: ClassNetwork, card: ModelCard, *, plainly: bool = False) -> Iterator[tuple[Whole, tuple[float, ...] | None]]:
    """Yield what is exported, and what its output layer adds to the logits for the threshold.

    The logits are those of ``model/``. A head that reads the mean takes it in the graph itself, not in the layer by which plain
    transformers takes it: its weights of a thousand are a layer's work for nothing, and 8 bits do not hold what comes of them.

    Args:
        network: On the processor.
        card: Of the model.
        plainly: Whether attention is to be written out as products and a softmax, which quantizers and runtimes know better
            than torch's own operator.
    """
    shift = find_shift(network, card.classes, card.positive, card.threshold)
    network.eval()
    with folded(network, shift), _attention(network.model, "eager") if plainly else contextlib.nullcontext():
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
