"""``--lr auto``: a learning-rate range test on weights that are put back, so that it changes no bit of what follows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import NoReturn

import torch

from pretune.configs import FinetuneConfig
from pretune.errors import DivergedError, UsageError
from pretune.models import Network
from pretune.records import RangePoint, RangeTest, Step
from pretune.train.classes import ClassObjective
from pretune.train.plans import Plan, TrainingSet

# Twenty steps a decade, from where nothing moves to where everything breaks.
LOWEST_RATE, HIGHEST_RATE = 1e-6, 1e-1
NUM_STEPS = 100
# The steps of the first decade: what the loss is before anything moves.
NUM_STILL = 20
# Weight of what came before in the running mean of the loss: a memory of ten steps, half a decade of rates.
MEMORY = 0.9
# The test ends where the smoothed loss has risen so many times above its lowest.
BROKEN = 2.0
# Share of the rate with the lowest loss that is chosen: at that rate itself the loss is about to turn.
SAFE = 0.1
# The smoothed loss must fall by this share, or no rate can be told from another.
LEAST_FALL = 0.02
RULE = f"{SAFE:g} × the rate at which the smoothed loss was lowest, of {NUM_STEPS} rates rising from {LOWEST_RATE:g}"

OnStep = Callable[[Step, int], None]


def range_test(
    network: Network, training: TrainingSet, config: FinetuneConfig, plan: Plan, *, on_step: OnStep | None = None
) -> RangeTest:
    """Train with a rate that rises from step to step, put the weights back, and choose a rate.

    Args:
        network: Its boundary already frozen. Weights and torch's random state are afterwards what they were.
        training: The training rows; validation rows are not read.
        config: How; its ``learning_rate`` is not used.
        plan: Its seed draws the rows' order and the dropout masks, so the same seed gives the same test.
        on_step: Called after every step with the step and the number of steps planned.

    Raises:
        UsageError: The loss did not fall at any rate, or there are stages, which differ in their rates.

    Source:
        Smith (2017), Cyclical learning rates for training neural networks: raise the rate from step to step and see where
        the loss falls and where it turns. A tenth of the rate with the lowest loss is a rule of thumb, not that paper's.
    """
    stages = plan.stages(len(network.layers))
    if len(stages) > 1 or stages[0].rate is not None:
        raise UsageError(
            f"freeze is {plan.freeze!r}, and the rate is to be found",
            expected="one boundary",
            fix="give each stage its rate",
        )
    before = {name: weight.detach().clone() for name, weight in network.named_parameters() if weight.requires_grad}
    was_training, points = network.training, list[RangePoint]()
    with torch.random.fork_rng():
        objective = ClassObjective(network, training, replace(config, learning_rate=HIGHEST_RATE), plan, _never)
        steps = objective.trial(lambda index: (LOWEST_RATE / HIGHEST_RATE) ** (1 - index / (NUM_STEPS - 1)), NUM_STEPS)
        try:
            for step in steps:
                points.append(_point(step, points))
                if on_step is not None:
                    on_step(step, NUM_STEPS)
                if points[-1].smoothed > BROKEN * min(point.smoothed for point in points):
                    break
        except DivergedError:  # the test has seen where rates end
            if not points:
                raise
        steps.close()  # weights that lie in parts are put together
    network.load_state_dict(before, strict=False)
    network.train(was_training)
    return choose_rate(points)


def choose_rate(points: Sequence[RangePoint]) -> RangeTest:
    """Choose by ``RULE``.

    Raises:
        UsageError: The loss did not fall at any rate.
    """
    start = fmean(point.loss for point in points[:NUM_STILL])
    lowest = min(points[NUM_STILL:], key=lambda point: point.smoothed, default=None)
    if lowest is None or not lowest.smoothed <= (1 - LEAST_FALL) * start:
        found = f"at best {lowest.smoothed:.4g}" if lowest is not None else "and then it was not a number"
        raise UsageError(
            f"--lr auto: no rate from {LOWEST_RATE:g} to {HIGHEST_RATE:g} lowers the loss (it began at {start:.4g}, {found})",
            expected=f"a loss that falls by {LEAST_FALL:.0%} within {NUM_STEPS} steps at some rate",
            fix="pass --lr RATE, and check that the labels belong to the texts: `pretune check DATA`",
        )
    # Two digits: the test cannot tell more, and the number is to be read and typed.
    rate = float(f"{SAFE * lowest.learning_rate:.1e}")
    return RangeTest(learning_rate=rate, lowest_at=lowest.learning_rate, rule=RULE, points=tuple(points))


def _point(step: Step, points: Sequence[RangePoint]) -> RangePoint:
    """Return the next point; the running mean is freed of its start at zero, as Adam's moments are."""
    count = len(points)
    carried = points[-1].smoothed * (1 - MEMORY**count) if points else 0.0
    smoothed = (MEMORY * carried + (1 - MEMORY) * step.loss) / (1 - MEMORY ** (count + 1))
    return RangePoint(learning_rate=step.learning_rate, loss=step.loss, smoothed=smoothed)


def _never() -> NoReturn:
    raise AssertionError("a range test reads no validation rows")
