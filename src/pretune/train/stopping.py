"""When to stop, and which epoch was best. Pure functions of the validations so far."""

import math
from collections.abc import Sequence

from pretune.configs import LAST
from pretune.errors import MetricError
from pretune.records import Validation

# Metrics where less is better.
FALLING = ("loss", LAST)


def best_epoch(validations: Sequence[Validation], *, min_change: float = 0.0) -> int | None:
    """Return the number of the best epoch by the monitored metric; ties go to the lower loss, then to the earlier.

    An epoch replaces the best so far only when it is better by more than ``min_change``, or equal with a lower loss; where
    ``last`` is monitored, whose value is the loss, every epoch does.

    Raises:
        MetricError: The monitored metric is missing or not finite.
    """
    best: Validation | None = None
    for validation in validations:
        value: float | None = validation.metric_value  # null in JSON where it was no number
        if value is None or not math.isfinite(value):
            raise MetricError(validation.metric, value, epoch=validation.epoch, step=validation.step)
        if best is None or _is_better(validation, best, min_change):
            best = validation
    return None if best is None else best.epoch


def should_stop(validations: Sequence[Validation], *, patience: int, min_change: float = 0.0, since: int = 0) -> bool:
    """Whether the last ``patience`` epochs brought no new best; those up to ``since`` are not counted among them."""
    best = best_epoch(validations, min_change=min_change)
    return best is not None and validations[-1].epoch - max(best, since) >= patience


def _is_better(candidate: Validation, best: Validation, min_change: float) -> bool:
    if candidate.metric == LAST:
        return True
    sign = -1.0 if candidate.metric in FALLING else 1.0
    gain = sign * (candidate.metric_value - best.metric_value)
    return gain > min_change or (gain == 0 and candidate.loss < best.loss)
