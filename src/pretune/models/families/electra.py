"""ELECTRA: layers like BERT's, with embeddings that may be narrower."""

from dataclasses import replace
from typing import Any

from pretune.models.batch import Batch
from pretune.models.families import roberta


def embed(trunk: Any, batch: Batch) -> Any:
    """Widen the embeddings where the layers are wider."""
    hidden = trunk.embeddings(input_ids=batch.ids)
    return trunk.embeddings_project(hidden) if hasattr(trunk, "embeddings_project") else hidden


FAMILY = replace(
    roberta.FAMILY,
    name="electra",
    trunk="electra",
    embed=embed,
    classes=replace(roberta.HEAD, dense=""),  # its head is no tanh
)
