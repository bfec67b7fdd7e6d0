"""DeBERTa-v2 and v3, on the layers of transformers: positions are relative and part of attention."""

from typing import Any

import torch
from torch import Tensor

from pretune.models.batch import Batch
from pretune.models.families.family import ClassHead, Context, Family


def embed(trunk: Any, batch: Batch) -> Any:
    """Return the embeddings; padding is blanked out in them."""
    return trunk.embeddings(input_ids=batch.ids, token_type_ids=torch.zeros_like(batch.ids), mask=batch.mask)  # type: ignore[arg-type]


def context(trunk: Any, hidden: Tensor, batch: Batch) -> Context:
    """Return mask and relative positions as its layers want them."""
    encoder = trunk.encoder
    return {
        "attention_mask": encoder.get_attention_mask(batch.mask),
        "relative_pos": encoder.get_rel_pos(hidden),
        "rel_embeddings": encoder.get_rel_embedding(),
    }


FAMILY = Family(
    name="deberta-v2",
    trunk="deberta",
    layers="encoder.layer",
    embed=embed,
    context=context,
    call=lambda layer, hidden, context: layer(hidden, **context)[0],
    classes=ClassHead(
        weights=("pooler", "classifier"),
        decide=lambda model, pooled: model.classifier(model.dropout(model.pooler(pooled.unsqueeze(1)))),
    ),
)
