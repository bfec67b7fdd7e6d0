"""One timeline of two trainings: milestones of pre-training, then epochs of fine-tuning. Shared by terminal and report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pretune.records import Guess, History, Milestone, PretrainHistory, Step, Validation
from pretune.report.terminal.plot import Curve, make_curve
from pretune.report.words import UNDEFINED, describe_epoch, number
from pretune.wording.tokens import show_token

Item = TypeVar("Item")

PRETRAINING, FINETUNING = "pre-training", "fine-tuning"
NEXT_WORDS = "next words"  # what a masked model predicts first, as its milestones call it
OBJECTIVES = {"masked": "masked words", "causal": "the next word"}  # what is guessed
# Milestones in a table of the report, and on a terminal; more are thinned evenly, and that is said.
MAX_ROWS, MAX_LINES = 16, 12
MAX_GUESS_ROWS = 8


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A milestone of pre-training, or an epoch of fine-tuning."""

    phase: str
    place: str  # "1.2M tokens", "epoch 3"
    training_loss: float | None
    loss: float | None
    accuracy: float | None
    perplexity: float | None
    bits_per_byte: float | None
    tokens_per_second: float | None
    observation: str
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that the report shows of the way up to the task."""

    title: str
    rows: tuple[TimelineRow, ...]
    remarks: tuple[str, ...]
    guesses: tuple[tuple[str, list[tuple[str, str]]], ...]

    @property
    def has_bits(self) -> bool:
        """Whether bits per byte were measured."""
        return any(row.bits_per_byte is not None for row in self.rows)


def short_count(count: float) -> str:
    """Write a large count in few characters.

    Example:
        >>> [short_count(count) for count in (950, 12_345, 1_234_567, 25_000_000, 3_100_000_000)]
        ['950', '12K', '1.2M', '25M', '3.1B']
    """
    for size, mark in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= 0.9995 * size:
            value = count / size
            return f"{value:.0f}{mark}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0") + mark
    return f"{count:.0f}"


def pretraining_curve(history: PretrainHistory, steps: Sequence[Step] = (), task: str = "") -> Curve:
    """Collect the losses of a pre-training; x in steps, marked by the tokens seen.

    Args:
        history: Its milestones.
        steps: Every update, where they are known; without them training is drawn by its milestones' means.
        task: What the losses are of, where a model learned two things: ``next words``, or what it is for.
    """
    milestones = [item for item in history.milestones if item.task == task]
    steps = [step for step in steps if (step.index < history.num_first_steps) == bool(task)]
    by_step = tuple((float(step.index), step.loss) for step in steps if _is_finite(step.loss))
    by_milestone = tuple((float(item.step), item.training_loss) for item in milestones if _is_finite(item.training_loss))
    return Curve(
        training=by_step if len(by_step) > 1 else by_milestone,
        validation=tuple((float(item.step), item.loss) for item in milestones if _is_finite(item.loss)),
        epochs=tuple((float(item.step), short_count(item.num_tokens)) for item in milestones),
        by_step=len(by_step) > 1,
        axis="tokens",
    )


def timeline_curves(
    pretraining: PretrainHistory | None, history: History | None, steps: Sequence[Step] = ()
) -> list[tuple[str, Curve, int | None]]:
    """Return what is drawn beside each other: a name, the curve, and the epoch that was kept."""
    curves: list[tuple[str, Curve, int | None]] = []
    if pretraining is not None:
        guessed = OBJECTIVES.get(pretraining.objective, pretraining.objective)
        if any(item.task for item in pretraining.milestones):
            curves.append((f"{PRETRAINING}: loss of {NEXT_WORDS}", pretraining_curve(pretraining, steps, NEXT_WORDS), None))
        curves.append((f"{PRETRAINING}: loss of {guessed}", pretraining_curve(pretraining, steps), None))
    if history is not None:
        curves.append((f"{FINETUNING}: loss of the task", make_curve(history.steps, history.validations), history.best_epoch))
    return [item for item in curves if item[1].training or item[1].validation]


def make_timeline(pretraining: PretrainHistory | None, history: History | None) -> Timeline | None:
    """Collect the timeline of a model that pretune pre-trained; ``None`` for any other."""
    if pretraining is None:
        return None
    remarks = (describe_change(pretraining), describe_thinning(pretraining), describe_end(pretraining))
    return Timeline(
        title="From raw text to the task" if history is not None else "Learning",
        rows=tuple(timeline_rows(pretraining, history)),
        remarks=tuple(remark for remark in remarks if remark),
        guesses=tuple(guess_rows(pretraining)),
    )


def timeline_rows(pretraining: PretrainHistory | None, history: History | None, limit: int = MAX_ROWS) -> list[TimelineRow]:
    """Return the table: at most ``limit`` milestones, then the epochs."""
    milestones = thin(pretraining.milestones, limit) if pretraining is not None else []
    epochs = history.validations if history is not None else ()
    return [*map(_milestone_row, milestones), *(_epoch_row(item, history) for item in epochs if history is not None)]


def describe_thinning(pretraining: PretrainHistory | None, limit: int = MAX_ROWS) -> str:
    """Say that milestones are left out of the table, where some are."""
    num = len(pretraining.milestones) if pretraining is not None else 0
    return f"{limit} of {num} milestones shown; run.json has all" if num > limit else ""


def describe_end(pretraining: PretrainHistory) -> str:
    """Say why pre-training stopped."""
    return f"pre-training stopped: {pretraining.stopped_because}" if pretraining.stopped_because else ""


def describe_change(pretraining: PretrainHistory) -> str:
    """Say what pre-training came to, from the first milestone to the last."""
    if not pretraining.milestones:
        return f"{pretraining.num_tokens:,} tokens seen; nothing was measured on held-out text"
    first, last = pretraining.milestones[0], pretraining.milestones[-1]
    guessed = OBJECTIVES.get(pretraining.objective, pretraining.objective)
    said = f"loss {number(last.loss)} nats on held-out text after {pretraining.num_tokens:,} tokens"
    if len(pretraining.milestones) > 1:
        said += f", from {number(first.loss)} {f'after {first.num_tokens:,}' if first.num_tokens else 'before the first step'}"
    bits = "" if last.bits_per_byte is None else f", {number(last.bits_per_byte)} bits per byte"
    return f"{said}; {guessed}: {percent_of(last.accuracy)} guessed right{bits}"


def percent_of(share: float | None) -> str:
    """Write a share as a percentage, or a dash."""
    return UNDEFINED if share is None or not math.isfinite(share) else f"{100 * share:.1f} %"


def guess_rows(pretraining: PretrainHistory) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return for each prompt how the likeliest guesses changed: the place in training, and the guesses in words."""
    measured = thin([item for item in pretraining.milestones if item.guesses], MAX_GUESS_ROWS)
    prompts = list(dict.fromkeys(guess.prompt for item in measured for guess in item.guesses))
    return [
        (
            prompt,
            [
                (
                    f"{short_count(item.num_tokens)} tokens",
                    list_guesses(found.guesses),
                )
                for item in measured
                for found in item.guesses
                if found.prompt == prompt
            ],
        )
        for prompt in prompts
    ]


def list_guesses(guesses: Sequence[Guess]) -> str:
    """Write guesses with their probabilities, parted by a sign that is seldom guessed itself.

    Example:
        >>> list_guesses([Guess(token="east", probability=0.31), Guess(token=",", probability=0.2)])
        'east 0.31 · , 0.20'
    """
    return " · ".join(f"{show_token(one.token)} {one.probability:.2f}" for one in guesses)


def thin(items: Sequence[Item], limit: int) -> list[Item]:
    """Keep the first, the last and evenly spaced ones between.

    Example:
        >>> thin(range(10), 4)
        [0, 3, 6, 9]
    """
    if len(items) <= limit:
        return list(items)
    return [items[round(index * (len(items) - 1) / (limit - 1))] for index in range(limit)]


def _milestone_row(item: Milestone) -> TimelineRow:
    return TimelineRow(
        phase=f"{PRETRAINING}: {item.task}" if item.task else PRETRAINING,
        place=f"{short_count(item.num_tokens)} tokens",
        training_loss=item.training_loss,
        loss=item.loss,
        accuracy=item.accuracy,
        perplexity=item.perplexity,
        bits_per_byte=item.bits_per_byte,
        tokens_per_second=item.tokens_per_second,
        observation=item.observation,
    )


def _epoch_row(item: Validation, history: History) -> TimelineRow:
    return TimelineRow(
        phase=FINETUNING,
        place=f"epoch {item.epoch}",
        training_loss=item.training_loss,
        loss=item.loss,
        accuracy=item.accuracy,
        perplexity=None,
        bits_per_byte=None,
        tokens_per_second=None,
        observation=describe_epoch(history, item),
        is_kept=item.epoch == history.best_epoch,
    )


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
