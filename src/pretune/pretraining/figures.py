"""Figures of language modelling as scores: on the domain and on general text, before and after."""

import math
from dataclasses import replace

from pretune.records import Milestone, Score
from pretune.train.pretrain import Pretraining
from pretune.train.windows import Text


def domain_scores(run: Pretraining) -> tuple[Score, ...]:
    """Return the figures on held-out text of the corpus, before the first step and after the last.

    A checkpoint without a head for words has no figures before: the first milestone stands for them, and the method says so.
    """
    first, last = run.history.first_fair, run.history.milestones[-1]
    before = () if first is None else _of_milestone(first, run, "before")
    if run.plan.has_fresh_head and first is not None:
        late = f"; after the first {first.num_tokens:,} tokens, as the head for words was new"
        before = tuple(replace(item, method=item.method + late) for item in before)
    return (*before, *_of_milestone(last, run, "pretrained"))


def general_scores(run: Pretraining, general: Text | None, *, source: str) -> tuple[Score, ...]:
    """Score general text with the network as it stands; nothing where there is none, or no head for words before training."""
    if general is None or (source == "before" and run.plan.has_fresh_head):
        return ()
    domain, run.text = run.text, general
    try:
        loss, accuracy = run.score()
    finally:
        run.text = domain
    return _scores(loss, accuracy, text=general, split="general", source=source, run=run)


def _of_milestone(milestone: Milestone, run: Pretraining, source: str) -> tuple[Score, ...]:
    return _scores(milestone.loss, milestone.accuracy, text=run.text, split="domain", source=source, run=run)


def _scores(loss: float, accuracy: float, *, text: Text, split: str, source: str, run: Pretraining) -> tuple[Score, ...]:
    is_causal = run.network.family.is_causal
    values = {"loss": loss, "next_accuracy" if is_causal else "masked_accuracy": accuracy}
    if is_causal:
        values["bits_per_byte"] = loss / math.log(2) / text.validation_bytes
    number = min(text.validation.num_tokens, run.config.validation_tokens)
    return tuple(
        Score(
            metric=metric, label=None, split=split, source=source, value=value, low=None, high=None, confidence=0.95,
            method=f"{number:,} tokens of held-out text; no interval", num_examples=number,
        )
        for metric, value in values.items()
    )  # fmt: skip
