"""BERT."""

from typing import Any

import torch
from torch import Tensor

from pretune.models.batch import Batch
from pretune.models.families.family import ClassHead, Family, WordHead
from pretune.models.forward.bert import call_last_layer, call_layer
from pretune.models.forward.bias import bias_of


def embed(trunk: Any, batch: Batch) -> Any:
    """Positions are counted from the start of each document."""
    places = None if batch.documents is None else positions_in(batch.documents)
    return trunk.embeddings(input_ids=batch.ids, position_ids=places)


def positions_in(documents: Tensor) -> Tensor:
    """Return each token's place in its document, as far as the window shows it: (batch, time) → the same."""
    places = torch.arange(documents.shape[1], device=documents.device).expand(documents.shape)
    is_first = torch.ones_like(documents, dtype=torch.bool)
    is_first[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return places - torch.where(is_first, places, 0).cummax(dim=1).values


def context(trunk: Any, hidden: Tensor, batch: Batch) -> Tensor | None:
    """Return the bias; this forward's kernel does not look back by itself."""
    return bias_of(hidden, batch, looks_back=batch.looks_back, is_fused=False)


FAMILY = Family(
    name="bert",
    trunk="bert",
    layers="encoder.layer",
    embed=embed,
    context=context,
    call=call_layer,
    call_last=call_last_layer,
    classes=ClassHead(
        weights=("bert.pooler", "classifier"),
        decide=lambda model, pooled: model.classifier(model.dropout(model.bert.pooler(pooled.unsqueeze(1)))),
        dense="bert.pooler.dense",
    ),
    words=WordHead(output="cls.predictions.decoder", transform=lambda model, states: model.cls.predictions.transform(states)),
)
