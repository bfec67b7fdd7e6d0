"""Pre-training from corpus to model."""

from pretune.tasks.pretrain.path import pretrain
from pretune.tasks.pretrain.prepare import Prepared

__all__ = ["Prepared", "pretrain"]
