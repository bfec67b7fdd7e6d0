"""Pre-training from corpus to model."""

from pretune.pretraining.path import Order, inputs_of_corpus, pretrain
from pretune.pretraining.prepare import Prepared

__all__ = ["Order", "Prepared", "inputs_of_corpus", "pretrain"]
