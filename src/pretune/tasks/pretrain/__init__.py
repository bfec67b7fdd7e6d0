"""Pre-training from corpus to model."""

from pretune.tasks.pretrain.path import Order, inputs_of_corpus, pretrain
from pretune.tasks.pretrain.prepare import Prepared

__all__ = ["Order", "Prepared", "inputs_of_corpus", "pretrain"]
