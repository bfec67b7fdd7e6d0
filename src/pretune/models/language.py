"""A language model as embeddings → layers → head: what pre-training trains, and what guesses a word after any layer.

Shapes: ids and documents (batch, time), hidden (batch, time, width), targets (targets,) places in the flattened window,
states (targets, width), logits (targets, vocabulary).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from pretune.errors import UsageError
from pretune.models.bert import call_layer
from pretune.models.dropout import Masks, share_masks
from pretune.models.prenorm import (
    Context,
    call_llama,
    call_modernbert,
    causal_bias,
    compute_dtype,
    rms_norm,
    rotary_of,
    rotary_tables,
    window_bias,
)
from pretune.models.target_loss import target_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Slices of token streams, and where in them something is to be predicted.

    Args:
        ids: (batch, time), as the model reads them.
        targets: (targets,), places in the flattened window at which a word is predicted.
        documents: (batch, time), which document a token is of: no token sees another's; ``None`` where all are of one a row.
        looks_back: Whether tokens look back only, also where the model could look both ways.
    """

    ids: Tensor
    targets: Tensor
    documents: Tensor | None = None
    looks_back: bool = False

    def to(self, device: str) -> "Windows":
        """Return the same on a device."""
        documents = None if self.documents is None else self.documents.to(device)
        return replace(self, ids=self.ids.to(device), targets=self.targets.to(device), documents=documents)

    def rows(self, first: int, last: int) -> tuple["Windows", Tensor]:
        """Return the windows from ``first`` to before ``last``, and which of all targets lie in them, (targets,) of bool."""
        time = self.ids.shape[1]
        own = (self.targets >= first * time) & (self.targets < last * time)
        documents = None if self.documents is None else self.documents[first:last]
        return replace(self, ids=self.ids[first:last], targets=self.targets[own] - first * time, documents=documents), own


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFamily:
    """How to walk one architecture from ids to logits with the modules of transformers.

    Args:
        name: ``model_type`` of the configuration.
        is_causal: Whether tokens look back only, and the next word is predicted.
        trunk: Attribute of the model that holds the trunk.
        layers: Dotted path from the trunk to its layers.
        output: Dotted path from the model to its output layer, which has a weight and perhaps a bias.
        embed: (trunk, ids, documents) → hidden.
        context: (trunk, hidden, windows) → what ``call`` needs.
        call: (layer, hidden, context) → hidden.
        finish: (trunk, hidden) → hidden, after the last layer.
        transform: (model, hidden) → states for the output layer.
    """

    name: str
    is_causal: bool
    trunk: str
    layers: str
    output: str
    embed: Callable[[Any, Tensor, Tensor | None], Tensor]
    context: Callable[[Any, Tensor, Windows], Any]
    call: Callable[[Any, Tensor, Any], Tensor]
    finish: Callable[[Any, Tensor], Tensor]
    transform: Callable[[Any, Tensor], Tensor]


class LanguageNetwork(nn.Module):
    """A transformers language model, walked layer by layer.

    Args:
        model: A model with a language-modelling head.

    Raises:
        UsageError: The family is not known.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.masks = model, Masks()
        self.family = find_language_family(model.config)
        share_masks(self, self.masks)

    @property
    def trunk(self) -> Any:
        """The module below the head."""
        return getattr(self.model, self.family.trunk)

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers, in order."""
        found: nn.ModuleList = attrgetter(self.family.layers)(self.trunk)
        return found

    @property
    def output(self) -> Any:
        """The output layer: weight (vocabulary, width) and bias."""
        return attrgetter(self.family.output)(self.model)

    def run(self, windows: Windows) -> Tensor:
        """Return the hidden states after the last layer and what follows it, (batch, time, width)."""
        family, trunk = self.family, self.trunk
        hidden = family.embed(trunk, windows.ids, windows.documents)
        context = family.context(trunk, hidden, windows)
        for layer in self.layers:
            hidden = family.call(layer, hidden, context)
        return family.finish(trunk, hidden)

    def loss(self, windows: Windows, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summed loss at the targets in nats, and how many labels are the first guess."""
        states = self._states(self.run(windows), windows.targets)
        return target_loss(states, self.output.weight, self.output.bias, labels)

    def walk(self, windows: Windows) -> Iterator[Tensor]:
        """Yield the logits at the targets, (targets, vocabulary): what the head makes of the embeddings, then of each layer."""
        family, trunk = self.family, self.trunk
        hidden = family.embed(trunk, windows.ids, windows.documents)
        context = family.context(trunk, hidden, windows)
        yield self._guess(hidden, windows.targets)
        for layer in self.layers:
            hidden = family.call(layer, hidden, context)
            yield self._guess(hidden, windows.targets)

    def set_dropout(self, probability: float) -> None:
        """Set every dropout that the architecture has."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = probability

    def compile_layers(self) -> None:
        """Send every layer call through ``torch.compile``; the weights stay where they are."""
        if not hasattr(self.family.call, "_torchdynamo_orig_callable"):
            self.family = replace(self.family, call=torch.compile(self.family.call, dynamic=False))

    def _states(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return self.family.transform(self.model, hidden.flatten(0, 1)[targets])

    def _guess(self, hidden: Tensor, targets: Tensor) -> Tensor:
        states = self._states(self.family.finish(self.trunk, hidden), targets)
        logits: Tensor = self.output(states)
        return logits.float()


def find_language_family(config: Any) -> LanguageFamily:
    """Return how to walk this configuration's language model.

    Raises:
        UsageError: pretune does not know how.
    """
    for family in FAMILIES:
        if family.name == config.model_type:
            return family
    known = ", ".join(family.name for family in FAMILIES)
    raise UsageError(
        f"pretune cannot pre-train {config.model_type!r} models", expected=f"one of {known}", fix="continue another model"
    )


def _bias(hidden: Tensor, documents: Tensor | None, *, is_causal: bool, may_be_left_out: bool = True) -> Tensor | None:
    """Return what is added to attention scores; looking back may be left to the fused kernel where nothing is learned."""
    if documents is not None:
        return window_bias(documents, compute_dtype(hidden), is_causal=is_causal)
    if is_causal and (not may_be_left_out or (torch.is_grad_enabled() and hidden.device.type == "cpu")):
        return causal_bias(hidden.shape[1], hidden.to(compute_dtype(hidden)))
    return None


def _embed_bert(trunk: Any, ids: Tensor, documents: Tensor | None) -> Tensor:
    """Positions are counted from the start of each document."""
    embedded: Tensor = trunk.embeddings(input_ids=ids, position_ids=None if documents is None else positions_in(documents))
    return embedded


def _context_bert(_: Any, hidden: Tensor, windows: Windows) -> Tensor | None:
    return _bias(hidden, windows.documents, is_causal=windows.looks_back, may_be_left_out=False)


def positions_in(documents: Tensor) -> Tensor:
    """Return each token's place in its document, as far as the window shows it: (batch, time) → the same."""
    places = torch.arange(documents.shape[1], device=documents.device).expand(documents.shape)
    is_first = torch.ones_like(documents, dtype=torch.bool)
    is_first[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return places - torch.where(is_first, places, 0).cummax(dim=1).values


def _context_modernbert(trunk: Any, hidden: Tensor, windows: Windows) -> Context:
    dtype, rotary = compute_dtype(hidden), {}
    for kind in set(trunk.config.layer_types):
        if kind != "full_attention" and hidden.shape[1] > trunk.config.local_attention // 2 + 1:
            raise UsageError(
                f"windows of {hidden.shape[1]} tokens, and layers that look {trunk.config.local_attention // 2} tokens around",
                expected="windows that such layers see whole",
                fix=f"--window {trunk.config.local_attention // 2}",
            )
        rotary[kind] = rotary_of(trunk.rotary_emb, kind, hidden.shape[1], dtype)
    bias = _bias(hidden, windows.documents, is_causal=windows.looks_back)
    return Context(bias=bias, is_causal=windows.looks_back, rotary=rotary)


def _context_llama(trunk: Any, hidden: Tensor, windows: Windows) -> Context:
    tables = rotary_tables(
        trunk.rotary_emb.inv_freq, hidden.shape[1], compute_dtype(hidden), scale=trunk.rotary_emb.attention_scaling
    )
    bias = _bias(hidden, windows.documents, is_causal=True)
    return Context(bias=bias, is_causal=True, rotary={"full_attention": tables})


_BERT = LanguageFamily(
    name="bert",
    is_causal=False,
    trunk="bert",
    layers="encoder.layer",
    output="cls.predictions.decoder",
    embed=_embed_bert,
    context=_context_bert,
    call=call_layer,
    finish=lambda _, hidden: hidden,
    transform=lambda model, hidden: model.cls.predictions.transform(hidden),
)
_MODERNBERT = LanguageFamily(
    name="modernbert",
    is_causal=False,
    trunk="model",
    layers="layers",
    output="decoder",
    embed=lambda trunk, ids, _: trunk.embeddings(input_ids=ids),
    context=_context_modernbert,
    call=call_modernbert,
    finish=lambda trunk, hidden: trunk.final_norm(hidden),
    transform=lambda model, hidden: model.head(hidden),
)
_LLAMA = LanguageFamily(
    name="llama",
    is_causal=True,
    trunk="model",
    layers="layers",
    output="lm_head",
    embed=lambda trunk, ids, _: trunk.embed_tokens(ids),
    context=_context_llama,
    call=call_llama,
    finish=lambda trunk, hidden: rms_norm(trunk.norm, hidden),
    transform=lambda _, hidden: hidden,
)
FAMILIES = (_BERT, _MODERNBERT, _LLAMA)
