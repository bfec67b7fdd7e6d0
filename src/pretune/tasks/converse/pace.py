"""Pacing: how long updates take here and now, and how many conversations a budget has time for."""

import time
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from pretune.configs import ReplyConfig
from pretune.models import LanguageNetwork
from pretune.run.trace import Trace
from pretune.tasks.converse.fit import EncodedSplits, talks_of
from pretune.train import Plan, release_memory
from pretune.train.replies import ReplyObjective

# Updates that are timed, after one that is not: the first of a shape prepares what later ones use.
NUM_TIMED = 5
# Share of a budget that timing may take: where an update takes long, fewer are timed.
TIMING = 0.05
# The most epochs that a budget is used for: by then small sets are known by heart.
MAX_EPOCHS = 3
# Share of a budget that is left for saving and the variation between updates.
RESERVE = 0.06
# What a token costs where it is only read, in what it costs where it is learned; and the share of a budget that one validation
# may take: where it would take more, it reads a part of the conversations, but so many at least.
READING, MOST_OF_VALIDATION, LEAST_HELD = 0.4, 0.08, 30
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
        num_held: Conversations of validation that choose the epoch; ``None`` where it is all of them.
    """

    epochs: int
    num_rows: int
    seconds_per_update: float
    total: int
    num_held: int | None = None

    def __str__(self) -> str:
        part = f"{self.num_rows:,} of {self.total:,}" if self.num_rows < self.total else f"all {self.total:,}"
        passes = "once" if self.epochs == 1 else f"{self.epochs} times"
        held = "" if self.num_held is None else f"; validation reads {self.num_held:,}"
        return f"{self.seconds_per_update:.2f} s per update: time for {part} conversations, {passes}{held}"


def seconds_per_update(
    network: LanguageNetwork, encoded: EncodedSplits, config: ReplyConfig, plan: Plan, *, within: float
) -> float:
    """Return the median time of a few updates like those of training, at a rate of 0: no weight changes.

    Args:
        network: As it will be trained; adapters and frozen layers set up.
        encoded: The conversations.
        config: How it will learn.
        plan: Where.
        within: Seconds that it may take; two updates are made all the same.
    """
    objective = ReplyObjective(network, talks_of(encoded.train), encoded.ids, config, plan, validate=_never)
    clock = [time.perf_counter()]
    with closing(objective.trial(lambda _: 0.0, NUM_TIMED + 1)) as updates:
        for _ in updates:
            clock.append(time.perf_counter())
            if len(clock) > 2 and 2 * clock[-1] - clock[-2] - clock[0] > within:
                break
    times = [after - before for before, after in pairwise(clock)]
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
        pace = seconds_per_update(network, encoded, config, plan, within=TIMING * seconds)
        release_memory()  # the trial's moments
        seconds -= time.perf_counter() - begun
        judging = max(0.0, min(MOST_OF_JUDGING * seconds, num_asked * UPDATES_A_QUESTION * pace))
        seconds = max(pace, seconds - judging)
        stage.notes = [f"about {judging:,.0f} s are left for judging"] if judging else []
        held, validation = _choose_held(encoded, pace / config.rows_per_update, MOST_OF_VALIDATION * seconds)
        found = choose_within(
            seconds, pace, total=len(encoded.train), rows_per_update=config.rows_per_update, validation=validation
        )
        found = replace(found, num_held=held)
        found = replace(found, epochs=min(found.epochs, plan.epochs or found.epochs))
        stage.done, stage.shape_out = str(found), f"{found.num_rows:,} conversations × {found.epochs}"
    return found


def choose_within(seconds: float, pace: float, *, total: int, rows_per_update: int, validation: float = 0.0) -> Chosen:
    """Return how many conversations are learned from, and how often, in so many seconds.

    Args:
        seconds: That training may take.
        pace: Seconds per update.
        total: Conversations that there are.
        rows_per_update: Of an update.
        validation: Seconds after each epoch.

    Example:
        >>> str(choose_within(600, 1.0, total=10_000, rows_per_update=8, validation=36.0))
        '1.00 s per update: time for 4,224 of 10,000 conversations, once'
    """
    seconds *= 1 - RESERVE
    updates, an_epoch = max(1, int((seconds - validation) / pace)), -(-total // rows_per_update)
    epochs = min(MAX_EPOCHS, max(1, int(seconds / (an_epoch * pace + validation))))
    rows = total if updates >= an_epoch else updates * rows_per_update
    return Chosen(epochs=epochs, num_rows=rows, seconds_per_update=pace, total=total)


def _choose_held(encoded: EncodedSplits, seconds_per_row: float, most: float) -> tuple[int | None, float]:
    """Return how many conversations of validation choose the epoch, ``None`` for all, and how long that takes each time."""
    learned, held = encoded.train.tokens.lengths, encoded.validation.tokens.lengths
    a_row = READING * seconds_per_row * float(held.mean() / learned.mean())
    if len(held) * a_row <= most:
        return None, len(held) * a_row
    number = min(len(held), max(LEAST_HELD, int(most / a_row)))
    return number, number * a_row


def part_of(encoded: EncodedSplits, num_rows: int, num_held: int | None, *, seed: int) -> EncodedSplits:
    """Return the splits with so many conversations of training and validation, drawn with a seed; in their order."""
    rows, held = (
        _drawn(len(part), number, seed) for part, number in ((encoded.train, num_rows), (encoded.validation, num_held))
    )
    return replace(
        encoded,
        train=encoded.train if rows is None else encoded.train.part(rows),
        ids=encoded.ids if rows is None else tuple(encoded.ids[row] for row in rows),
        validation=encoded.validation if held is None else encoded.validation.part(held),
    )


def _drawn(total: int, number: int | None, seed: int) -> npt.NDArray[np.int64] | None:
    if number is None or number >= total:
        return None
    return np.sort(np.random.default_rng(seed).permutation(total)[:number])


def _never() -> NoReturn:
    raise AssertionError("a trial is not validated")
