"""Training: the device, the loop, and what steers it."""

from pretune.train.checkpoint import Checkpoints, Resume
from pretune.train.company import Company, join
from pretune.train.device import Device, choose_device, has_fast_bf16, release_memory, seed_everything
from pretune.train.distributed import ALONE, World, current_world, training_together
from pretune.train.finetune import Figures, Finetuning, Plan, TrainingSet
from pretune.train.loop import Update, train_steps
from pretune.train.rates import range_test
from pretune.train.stopping import best_epoch, should_stop

__all__ = [
    "ALONE",
    "Checkpoints",
    "Company",
    "Device",
    "Figures",
    "Finetuning",
    "Plan",
    "Resume",
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
