"""How many updates: from epochs, from tokens, or from a time budget by measuring the first steps."""

import time
from dataclasses import replace

import numpy as np
import torch

from pretune import storage
from pretune.configs import PretrainRunConfig, parse_duration
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.pretrain.prepare import PreparedTraining
from pretune.train import Device
from pretune.train.plans import PretrainPlan
from pretune.train.windows import WindowOrder
from pretune.train.words import WordObjective

DEFAULT_EPOCHS = {"scratch": 5.0, "continued": 1.0}
# Share of a budget that is not planned for, and seconds for saving and the report.
BUDGET_MARGIN, CLOSING_SECONDS = 0.03, 6.0
# Share of a budget in which held-out text is scored, and tokens of it that are scored in any case.
SCORING_SHARE, MIN_SCORED_TOKENS = 0.05, 8_192
# Steps that are timed before a budget is laid out; the first ones warm up.
TIMED_STEPS, WARM_STEPS = 7, 2
PLAN = "plan.json"


def choose_steps(
    config: PretrainRunConfig, ready: PreparedTraining, folder: RunFolder, device: Device, trace: Trace, *, start: float
) -> tuple[PreparedTraining, int]:
    """Return how many updates to make, and how much held-out text is scored, which a budget bounds.

    What a budget came to is kept, so that a run that was cut off goes on with it.

    Raises:
        DataError: There is less text than one update reads.
    """
    order = WindowOrder(ready.text.train, ready.config, seed=config.seed)
    per_update = ready.config.windows_per_update * ready.config.window
    if config.tokens is not None:
        return ready, max(1, round(config.tokens / per_update))
    if config.budget is None:
        epochs = config.epochs or DEFAULT_EPOCHS["scratch" if config.model is None else "continued"]
        return ready, max(1, round(epochs * order.steps_per_epoch))
    place = folder.data / PLAN
    if place.is_file():
        known = storage.read_json(place)
        return _scoring(ready, int(known["validation_tokens"])), int(known["num_steps"])
    with trace.stage("budget", config.budget) as stage:
        seconds, scoring = _time_steps(ready, device)
        left = parse_duration(config.budget) * (1 - BUDGET_MARGIN) - (time.perf_counter() - start) - CLOSING_SECONDS
        times, known = ready.config.num_milestones + 2, min(ready.config.validation_tokens, ready.text.validation.num_tokens)
        affordable = max(left, 0.0) * SCORING_SHARE / max(times * scoring, 1e-9)
        held = max(min(known, MIN_SCORED_TOKENS), round(known * min(1.0, affordable)))
        num_steps = max(1, int((left - times * scoring * held / max(1, known)) / seconds))
        storage.replace_json(place, {"num_steps": num_steps, "seconds_a_step": seconds, "validation_tokens": held})
        stage.done = f"{seconds:.3g} s per step, {per_update / seconds:,.0f} tokens per second; the weights were put back"
        epochs = num_steps / order.steps_per_epoch
        stage.shape_out = f"{num_steps:,} steps, {num_steps * per_update:,} tokens, {epochs:.1f} epochs"
        stage.notes.append(f"{held:,} held-out tokens are scored {times} times")
        if left < 0:
            stage.notes.append("the budget was spent before training: one step is made")
    return _scoring(ready, held), num_steps


def _scoring(ready: PreparedTraining, num_tokens: int) -> PreparedTraining:
    return replace(ready, config=replace(ready.config, validation_tokens=num_tokens))


def _time_steps(ready: PreparedTraining, device: Device) -> tuple[float, float]:
    """Return the seconds of a step and of scoring held-out text once; the weights are as they were."""
    network = ready.start.network
    kept = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    plan = PretrainPlan(
        num_steps=1000,
        device=device,
        started_from="" if ready.start.name == "scratch" else ready.start.name,
        has_fresh_head=ready.start.has_fresh_head,
    )
    trial = WordObjective(network, ready.text, ready.config, plan)
    share = trial.opening_share
    seconds = sum(part * _time(trial, first) for part, first in ((share, 0), (1 - share, 999)) if part)
    start = time.perf_counter()
    trial.score()
    scoring = time.perf_counter() - start
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(kept[name])
            weight.grad = None
    network.train()
    return seconds, scoring


def _time(trial: WordObjective, first: int) -> float:
    """Return the seconds of a step like the one at ``first``."""
    times = [time.perf_counter()]
    for _ in trial.trial(TIMED_STEPS, first=first):
        times.append(time.perf_counter())
    return float(np.median(np.diff(times)[WARM_STEPS:]))
