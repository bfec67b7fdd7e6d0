"""Loads data, pre-trained models, and fine-tuned models."""

import logging
from pathlib import Path
from typing import Any

from pretune.data.dataset import Dataset, load_data
from pretune.models import find_checkpoint, load_tokenizer
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.places import model_in, require_classifier

logger = logging.getLogger(__name__)

__all__ = ["Dataset", "load_data", "load_model", "load_pretrained_model"]


def load_pretrained_model(name: str = "minilm", **params: Any) -> TextClassifier:
    """Return an unfitted classifier that starts from a pre-trained model, whose files are fetched first.

    Args:
        name: Catalogue name (fetched once), model folder or hub id; weights as safetensors only.
        params: As for ``TextClassifier``.

    Raises:
        ModelLoadError: There is no usable model; the message says where it was looked for.
        CatalogError: The catalogue's files could not be fetched.
    """
    load_tokenizer(find_checkpoint(name))
    return TextClassifier(name, **params)


def load_model(folder: str | Path) -> TextClassifier:
    """Return a fitted classifier from a model folder, or from a run folder that has one.

    Raises:
        ModelLoadError: The folder is something else, which the message names.
        StorageError: The run's record is damaged.
    """
    record = require_classifier(folder).record
    if record is not None and record.judged_source != "finetuned":
        logger.warning(
            "%s was judged by %s, which validation chose; this is its fine-tuned model", folder, record.judged_source
        )
    return TextClassifier.load(model_in(Path(folder)))
