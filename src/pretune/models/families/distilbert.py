"""DistilBERT, on the layers of transformers."""

from typing import Any

import torch
from torch import Tensor
from transformers.masking_utils import create_bidirectional_mask

from pretune.models.batch import Batch
from pretune.models.families.family import ClassHead, Context, Family


def context(trunk: Any, hidden: Tensor, batch: Batch) -> Context:
    """Return the mask as its layers want it."""
    return create_bidirectional_mask(config=trunk.config, inputs_embeds=hidden, attention_mask=batch.mask)


FAMILY = Family(
    name="distilbert",
    trunk="distilbert",
    layers="transformer.layer",
    embed=lambda trunk, batch: trunk.embeddings(batch.ids),
    context=context,
    call=lambda layer, hidden, mask: layer(hidden, mask),
    classes=ClassHead(
        weights=("pre_classifier", "classifier"),
        decide=lambda model, pooled: model.classifier(model.dropout(torch.relu(model.pre_classifier(pooled)))),
    ),
)
