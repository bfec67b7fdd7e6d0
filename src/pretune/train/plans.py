"""What one training is besides its config: what it may see, how long, where, from which seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pretune.configs.stages import TrainingStage, plan_stages
from pretune.models import Inputs
from pretune.train.checkpoint import Resume
from pretune.train.device import Device
from pretune.train.distributed import ALONE, World
from pretune.train.windows import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """What training may see: inputs, targets and ids of the training rows."""

    inputs: Inputs
    targets: npt.NDArray[np.int64]  # (num_texts,), index of the class
    ids: Sequence[str]
    num_classes: int
    prepare: Callable[[int], Inputs] | None = None  # first trained layer → inputs of a later stage; None: always ``inputs``


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What ``validate`` returns after each epoch."""

    loss: float  # nats
    accuracy: float
    metric: str
    metric_value: float
    logits: Tensor | None = None  # (validation texts, classes); those of the best epoch are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one fine-tuning is besides its config.

    Args:
        epochs: How long, of a stage that does not say; ``None`` means at most ``DEFAULT_MAX_EPOCHS``.
        freeze: What is trained when, as ``plan_stages`` reads it.
        device: Where.
        seed: Of the order of rows in each epoch, and of the dropout masks in each step.
        checkpoints: Where to save from time to time, and to go on from.
        world: The processes that train together.
    """

    epochs: int | None
    freeze: str
    device: Device
    seed: int
    checkpoints: Resume | None = None
    world: World = ALONE

    def stages(self, num_layers: int) -> tuple[TrainingStage, ...]:
        """Return what is trained when, for a model of so many layers."""
        return plan_stages(self.freeze, epochs=self.epochs, num_layers=num_layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainPlan:
    """What one pre-training is besides its config.

    Args:
        num_steps: Updates in all.
        device: Where.
        seed: Of the order of windows and of what is hidden.
        has_fresh_head: Whether layers are continued under a head that starts from nothing.
        started_from: The checkpoint that is continued.
        world: The processes that train together.
        general: Other text, of which the held-out part is scored before the layers learn and after: what is forgotten.
    """

    num_steps: int
    device: Device
    seed: int = 0
    has_fresh_head: bool = False
    started_from: str = ""
    world: World = ALONE
    general: Text | None = None
