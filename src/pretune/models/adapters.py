"""Where each encoder family keeps its embeddings, layers and head, and what one layer call needs.

Shapes: hidden (batch, time, width), mask (batch, time) with 1 at real tokens, pooled (batch, width).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.masking_utils import create_bidirectional_mask

from pretune.models.bert import attention_bias, call_last_layer, call_layer
from pretune.models.prenorm import Context as PrenormContext, call_modernbert, compute_dtype, near_bias, rotary_of

Context = Any  # what a family computes once a batch for all of its layers
# Functions below that return ``Any`` return what a module of transformers does: a tensor, unknown to mypy.


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How to walk one architecture layer by layer with the modules of transformers itself.

    Args:
        name: ``model_type`` in the checkpoint's configuration.
        trunk: Attribute of the classification model that holds the trunk.
        layers: Dotted path from the trunk to its list of layers.
        head: Attributes of the classification model that belong to the head; a dotted one lies in the trunk's module.
        embed: (trunk, ids, mask) → hidden.
        context: (trunk, hidden, mask) → what ``call`` needs besides the hidden states.
        call: (layer, hidden, context) → hidden.
        finish: (trunk, hidden) → hidden after the last layer.
        pool: (model, hidden, mask) → pooled; has no weights.
        decide: (model, pooled) → logits (batch, classes); all of its weights are the head.
        call_last: (layer, hidden, context) → hidden of the first token alone, (batch, 1, width), where ``pool`` reads no more.
    """

    name: str
    trunk: str
    layers: str
    head: tuple[str, ...]
    embed: Callable[[Any, Tensor | None, Tensor], Tensor]
    context: Callable[[Any, Tensor, Tensor], Context]
    call: Callable[[Any, Tensor, Context], Tensor]
    finish: Callable[[Any, Tensor], Tensor]
    pool: Callable[[Any, Tensor, Tensor], Tensor]
    decide: Callable[[Any, Tensor], Tensor]
    call_last: Callable[[Any, Tensor, Context], Tensor] | None = None


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Average the hidden states of the real tokens: (batch, time, width) → (batch, width)."""
    weights = mask.unsqueeze(-1).float()  # bf16 cannot count beyond 256 tokens
    return ((hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)).to(hidden.dtype)


def _embed(trunk: Any, ids: Any, mask: Tensor) -> Any:
    return trunk.embeddings(input_ids=ids)


def _embed_positional(trunk: Any, ids: Any, mask: Tensor) -> Any:
    return trunk.embeddings(ids)


def _embed_electra(trunk: Any, ids: Any, mask: Tensor) -> Any:
    hidden = trunk.embeddings(input_ids=ids)
    return trunk.embeddings_project(hidden) if hasattr(trunk, "embeddings_project") else hidden


def _embed_deberta(trunk: Any, ids: Any, mask: Tensor) -> Any:
    return trunk.embeddings(input_ids=ids, token_type_ids=torch.zeros_like(ids), mask=mask)


def _full_mask(trunk: Any, hidden: Tensor, mask: Tensor) -> Context:
    return create_bidirectional_mask(config=trunk.config, inputs_embeds=hidden, attention_mask=mask)


def _bias(trunk: Any, hidden: Tensor, mask: Tensor) -> Context:
    return attention_bias(hidden, mask)


def _deberta_context(trunk: Any, hidden: Tensor, mask: Tensor) -> Context:
    encoder = trunk.encoder
    return {
        "attention_mask": encoder.get_attention_mask(mask),
        "relative_pos": encoder.get_rel_pos(hidden),
        "rel_embeddings": encoder.get_rel_embedding(),
    }


def _modernbert_context(trunk: Any, hidden: Tensor, mask: Tensor) -> Context:
    """Return what the layers of each kind need: all of a text is seen, or so many tokens around each."""
    bias, dtype = attention_bias(hidden, mask), compute_dtype(hidden)
    found = {}
    for kind in set(trunk.config.layer_types):
        own = bias if kind == "full_attention" else near_bias(hidden.shape[1], trunk.config.local_attention // 2, dtype, bias)
        rotary = rotary_of(trunk.rotary_emb, kind, hidden.shape[1], dtype)
        found[kind] = PrenormContext(bias=own, is_causal=False, rotary={kind: rotary})
    return found


def _call(layer: Any, hidden: Tensor, context: Context) -> Any:
    return layer(hidden, context)


def _call_deberta(layer: Any, hidden: Tensor, context: Context) -> Any:
    return layer(hidden, **context)[0]


def _call_modernbert(layer: Any, hidden: Tensor, context: Context) -> Tensor:
    return call_modernbert(layer, hidden, context[layer.attention_type])


def _finish(trunk: Any, hidden: Tensor) -> Tensor:
    return hidden


def _first(model: Any, hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0]


def _pool_modernbert(model: Any, hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0] if model.config.classifier_pooling == "cls" else mean_pool(hidden, mask)


def _decide_bert(model: Any, pooled: Tensor) -> Any:
    return model.classifier(model.dropout(model.bert.pooler(pooled.unsqueeze(1))))


def _decide_deberta(model: Any, pooled: Tensor) -> Any:
    return model.classifier(model.dropout(model.pooler(pooled.unsqueeze(1))))


def _decide_distilbert(model: Any, pooled: Tensor) -> Any:
    return model.classifier(model.dropout(torch.relu(model.pre_classifier(pooled))))


def _decide_features(model: Any, pooled: Tensor) -> Any:
    return model.classifier(pooled.unsqueeze(1))


def _decide_modernbert(model: Any, pooled: Tensor) -> Any:
    return model.classifier(model.drop(model.head(pooled)))


_BERT = Family(
    name="bert",
    trunk="bert",
    layers="encoder.layer",
    head=("bert.pooler", "classifier"),
    embed=_embed,
    context=_bias,
    call=call_layer,
    finish=_finish,
    pool=_first,
    decide=_decide_bert,
    call_last=call_last_layer,
)
_ROBERTA = Family(
    name="roberta",
    trunk="roberta",
    layers="encoder.layer",
    head=("classifier",),
    embed=_embed,
    context=_bias,
    call=call_layer,
    finish=_finish,
    pool=_first,
    decide=_decide_features,
    call_last=call_last_layer,
)
_ELECTRA = Family(
    name="electra",
    trunk="electra",
    layers="encoder.layer",
    head=("classifier",),
    embed=_embed_electra,
    context=_bias,
    call=call_layer,
    finish=_finish,
    pool=_first,
    decide=_decide_features,
    call_last=call_last_layer,
)
_DISTILBERT = Family(
    name="distilbert",
    trunk="distilbert",
    layers="transformer.layer",
    head=("pre_classifier", "classifier"),
    embed=_embed_positional,
    context=_full_mask,
    call=_call,
    finish=_finish,
    pool=_first,
    decide=_decide_distilbert,
)
_MODERNBERT = Family(
    name="modernbert",
    trunk="model",
    layers="layers",
    head=("head", "classifier"),
    embed=_embed,
    context=_modernbert_context,
    call=_call_modernbert,
    finish=lambda trunk, hidden: trunk.final_norm(hidden),
    pool=_pool_modernbert,
    decide=_decide_modernbert,
)
_DEBERTA = Family(
    name="deberta-v2",
    trunk="deberta",
    layers="encoder.layer",
    head=("pooler", "classifier"),
    embed=_embed_deberta,
    context=_deberta_context,
    call=_call_deberta,
    finish=_finish,
    pool=_first,
    decide=_decide_deberta,
)

FAMILIES: tuple[Family, ...] = (_BERT, _DISTILBERT, _ROBERTA, _ELECTRA, _DEBERTA, _MODERNBERT)


def find_family(config: Any) -> Family | None:
    """Return the adapter for a configuration, or ``None`` where pretune can only run the model whole.

    A DeBERTa with a convolution beside its first layer is not walked layer by layer either.
    """
    if getattr(config, "conv_kernel_size", 0):
        return None
    return next((family for family in FAMILIES if family.name == config.model_type), None)
