"""What do the losses so far say, in words? Computed from the numbers alone."""

import math
from collections.abc import Sequence
from itertools import pairwise

from pretune.records import Milestone, Validation

# Relative change of a loss below which two epochs count as the same. Ours: moves of a percent or two come and go with the
# order of the batches, so a word that depended on them would differ from seed to seed.
SAME = 0.02

# Loss in nats below which epochs count as the same: nothing is left to learn, and shares of it are noise.
NOTHING = 0.005

# Rise of the training loss over its lowest epoch that calls a run diverging: slightly when validation got worse with it,
# strongly on its own. An epoch's training loss is a mean over all its steps, so it does not rise so far by chance.
RISE_WITH_VALIDATION = 0.05
RISE_ALONE = 0.25

# A flat epoch that still improves by this share of the best epoch's improvement is slow, not finished: at a very small
# learning rate every epoch is below ``SAME`` and training is nowhere near its end.
STEADY_SHARE = 0.5


def observe(validations: Sequence[Validation]) -> str:
    """Say what training is doing after the last of these epochs.

    Training is compared with training and validation with validation, never one with the other: dropout, label
    smoothing and class weights put the two losses on different scales.

    Args:
        validations: The epochs so far, in order; losses in nats.

    Returns:
        ``learning``, ``converging``, ``overfitting since epoch N``, ``not learning`` or ``diverging``; ``first epoch``
        while there is nothing to compare with, and an empty string for no epochs.
    """
    if not validations:
        return ""
    training = [_number(item.training_loss) for item in validations]
    losses = [_number(item.loss) for item in validations]
    if not all(map(math.isfinite, (*training, *losses))):
        return "diverging"
    if len(validations) == 1:
        return "first epoch"
    training, losses = ([max(value, NOTHING) for value in held] for held in (training, losses))
    best = losses.index(min(losses))
    got_worse = losses[-1] > losses[best] * (1 + SAME)
    if _diverges(training, got_worse=got_worse):
        return "diverging"
    if got_worse and training[-1] <= training[best]:
        return f"overfitting since epoch {validations[best + 1].epoch}"
    return "not learning" if got_worse else _pace(training, losses)


def observe_milestones(milestones: Sequence[Milestone], *, num_alone: int) -> str:
    """Say what training is doing, in the words of fine-tuning; the score before the first step counts as no epoch."""
    last = milestones[-1]
    is_alone = last.step <= num_alone
    epochs = [
        _as_epoch(place, item)
        for place, item in enumerate(milestones)
        if place and item.task == last.task and (item.step <= num_alone) == is_alone
    ]
    words = observe(epochs).replace("epoch", "milestone") if epochs else "before training"
    opening = "next words first: " if last.task else "the new head alone first: " if is_alone and last.step else ""
    return opening + words


def _as_epoch(place: int, item: Milestone) -> Validation:
    return Validation(
        epoch=place,
        step=item.step,
        training_loss=item.training_loss,
        training_accuracy=None,
        loss=item.loss,
        accuracy=item.accuracy,
        metric="loss",
        metric_value=item.loss,
        learning_rate=item.learning_rate,
        seconds=item.seconds,
    )


def _diverges(training: list[float], *, got_worse: bool) -> bool:
    rise = RISE_WITH_VALIDATION if got_worse else RISE_ALONE
    return training[-1] > min(training) * (1 + rise)


def _pace(training: list[float], losses: list[float]) -> str:
    """Tell progress from standstill where validation is no worse than it was."""
    gains = [before - after for before, after in pairwise(losses)]
    if losses[-1] < min(losses[:-1]) * (1 - SAME):
        return "learning"
    if min(losses) > losses[0] * (1 - SAME) and min(training) > training[0] * (1 - SAME):
        return "not learning"
    if len(gains) > 1 and gains[-1] > 0 and gains[-1] >= STEADY_SHARE * max(gains):
        return "learning"
    return "converging"


def _number(value: float | None) -> float:
    """Read a loss back from JSON, where a figure that is not finite is null."""
    return math.nan if value is None else value
