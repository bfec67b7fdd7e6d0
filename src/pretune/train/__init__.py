"""Training: one training for every objective, the device, the loop, and the rules that steer it."""

from pretune.train.checkpoint import Checkpoints, Resume
from pretune.train.classes import ClassObjective
from pretune.train.company import Company, join
from pretune.train.device import Device, choose_device, has_fast_bf16, release_memory, seed_everything
from pretune.train.distributed import ALONE, World, current_world, training_together
from pretune.train.loop import Update, train_steps
from pretune.train.plans import Figures, Plan, TrainingSet
from pretune.train.rates import range_test
from pretune.train.stopping import best_epoch, should_stop
from pretune.train.training import Training

__all__ = [
    "ALONE",
    "Checkpoints",
    "ClassObjective",
    "Company",
    "Device",
    "Figures",
    "Plan",
    "Resume",
    "Training",
    "TrainingSet",
    "Update",
    "World",
    "best_epoch",
    "choose_device",
    "current_world",
    "has_fast_bf16",
    "join",
    "range_test",
    "release_memory",
    "seed_everything",
    "should_stop",
    "train_steps",
    "training_together",
]
