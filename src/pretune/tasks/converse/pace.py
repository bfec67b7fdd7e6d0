"""Pacing: how long updates take here and now, and how many conversations a budget has time for."""

import time
from dataclasses import dataclass, replace
from statistics import median
from typing import NoReturn

import numpy as np

from pretune.configs import ReplyConfig
from pretune.models import LanguageNetwork
from pretune.run.trace import Trace
from pretune.tasks.converse.fit import EncodedSplits, talks_of
from pretune.train import Plan, release_memory
from pretune.train.replies import ReplyObjective

# Updates that are timed, after one that is not: the first of a shape prepares what later ones use.
NUM_TIMED = 5
# The most epochs that a budget is used for: by then small sets are known by heart.
MAX_EPOCHS = 3
# Share of a budget that is left for validation, saving and the variation between updates.
RESERVE = 0.12
# What a question of the test costs, all sources asked and scored, in updates of training: 250 of medquad took 400 s, where an
# update took 5.3 s. Judging is given at most this share of a budget.
UPDATES_A_QUESTION, MOST_OF_JUDGING = 0.3, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a budget has time for.

    Args:
        epochs: Passes over the conversations.
        num_rows: Conversations that are learned from; the others are left to the retrieval baseline.
        seconds_per_update: As measured.
        total: Conversations that there are.
    """

    epochs: int
    num_rows: int
    seconds_per_update: float
    total: int

    def __str__(self) -> str:
        part = f"{self.num_rows:,} of {self.total:,}" if self.num_rows < self.total else f"all {self.total:,}"
        passes = "once" if self.epochs == 1 else f"{self.epochs} times"
        return f"{self.seconds_per_update:.2f} s per update: time for {part} conversations, {passes}"


def seconds_per_update(network: LanguageNetwork, encoded: EncodedSplits, config: ReplyConfig, plan: Plan) -> float:
    """Return the median time of a few updates like those of training, at a rate of 0: no weight changes.

    Args:
        network: As it will be trained; adapters and frozen layers set up.
        encoded: The conversations.
        config: How it will learn.
        plan: Where.
    """
    objective = ReplyObjective(network, talks_of(encoded.train), encoded.ids, config, plan, validate=_never)
    times, start = list[float](), time.perf_counter()
    for _ in objective.trial(lambda _: 0.0, NUM_TIMED + 1):
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
    return median(times[1:] or times)


def choose_part(
    network: LanguageNetwork,
    encoded: EncodedSplits,
    config: ReplyConfig,
    plan: Plan,
    seconds: float,
    trace: Trace,
    *,
    num_asked: int = 0,
) -> Chosen:
    """Measure the pace, and return how many conversations there is time for, and how often.

    Args:
        network: As it will be trained.
        encoded: The conversations.
        config: How it will learn.
        plan: Where; the epochs that it has are the most.
        seconds: That are left for training and judging.
        trace: Receives the stage.
        num_asked: Questions that will be judged in that time.
    """
    with trace.stage("budget", f"{seconds:,.0f} s" + (" for training and judging" if num_asked else " for training")) as stage:
        begun = time.perf_counter()
        pace = seconds_per_update(network, encoded, config, plan)
        release_memory()  # the trial's moments
        seconds -= time.perf_counter() - begun
        judging = max(0.0, min(MOST_OF_JUDGING * seconds, num_asked * UPDATES_A_QUESTION * pace))
        seconds = max(pace, seconds - judging)
        stage.notes = [f"about {judging:,.0f} s are left for judging"] if judging else []
        found = choose_within(seconds, pace, total=len(encoded.train), rows_per_update=config.rows_per_update)
        found = replace(found, epochs=min(found.epochs, plan.epochs or found.epochs))
        stage.done, stage.shape_out = str(found), f"{found.num_rows:,} conversations × {found.epochs}"
    return found


def choose_within(seconds: float, pace: float, *, total: int, rows_per_update: int) -> Chosen:
    """Return how many conversations are learned from, and how often, in so many seconds.

    Args:
        seconds: That training may take.
        pace: Seconds per update.
        total: Conversations that there are.
        rows_per_update: Of an update.

    Example:
        >>> str(choose_within(600, 1.0, total=10_000, rows_per_update=8))
        '1.00 s per update: time for 4,224 of 10,000 conversations, once'
    """
    updates = max(1, int(seconds * (1 - RESERVE) / pace))
    an_epoch = -(-total // rows_per_update)
    epochs = min(MAX_EPOCHS, max(1, updates // an_epoch))
    rows = total if updates >= an_epoch else updates * rows_per_update
    return Chosen(epochs=epochs, num_rows=rows, seconds_per_update=pace, total=total)


def part_of(encoded: EncodedSplits, num_rows: int, *, seed: int) -> EncodedSplits:
    """Return the splits with so many conversations of training, drawn with a seed; in their order."""
    train = encoded.train
    if num_rows >= len(train):
        return encoded
    rows = np.sort(np.random.default_rng(seed).permutation(len(train))[:num_rows])
    return replace(encoded, train=train.part(rows), ids=tuple(encoded.ids[row] for row in rows))


def _never() -> NoReturn:
    raise AssertionError("a trial is not validated")
