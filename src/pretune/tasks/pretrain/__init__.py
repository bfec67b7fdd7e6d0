"""Pre-training from corpus to model."""

from pretune.tasks.pretrain.path import pretrain
from pretune.tasks.pretrain.prepare import PreparedTraining

__all__ = ["PreparedTraining", "pretrain"]
