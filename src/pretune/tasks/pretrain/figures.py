"""Figures of language modelling as scores: on the domain and on general text, before and after."""

import math
from dataclasses import replace

from pretune.records import Score
from pretune.train.windows import Text
from pretune.train.words import WordObjective


def domain_scores(run: WordObjective) -> tuple[Score, ...]:
    """Return the figures on held-out text of the corpus, before the first step and after the last.

    A checkpoint without a head for words has no figures before: a later milestone stands for them, and the method says so.
    """
    first, last = run.history.first_fair, run.history.milestones[-1]
    before = (
        () if first is None else _scores(first.loss, first.accuracy, text=run.text, split="domain", source="before", run=run)
    )
    return (
        *_say_when(before, run),
        *_scores(last.loss, last.accuracy, text=run.text, split="domain", source="pretrained", run=run),
    )


def general_scores(run: WordObjective) -> tuple[Score, ...]:
    """Return the same of general text, before the layers learned and after; nothing where none was named.

    Before has no figures where the layers learned with a fresh head from the first step: they had none for words.
    """
    if run.plan.general is None:
        return ()
    history = run.history
    found: list[Score] = []
    for milestone, source in ((history.first_fair, "before"), (history.milestones[-1], "pretrained")):
        if milestone is None or milestone.general_loss is None or milestone.general_accuracy is None:
            continue
        if source == "before" and history.has_fresh_head and not history.num_head_steps:
            continue
        figures = milestone.general_loss, milestone.general_accuracy
        scores = _scores(*figures, text=run.plan.general, split="general", source=source, run=run)
        found += _say_when(scores, run) if source == "before" else scores
    return tuple(found)


def _say_when(scores: tuple[Score, ...], run: WordObjective) -> tuple[Score, ...]:
    """Add to the method of figures before training what the head for words had learned by then, where it was new."""
    history = run.history
    if not history.has_fresh_head or history.first_fair is None:
        return scores
    tokens = f"{history.first_fair.num_tokens:,} tokens"
    alone = f"; after the new head for words alone had learned from {tokens}, and no other weight"
    late = f"; after the first {tokens}, as the head for words was new"
    return tuple(replace(item, method=item.method + (alone if history.num_head_steps else late)) for item in scores)


def _scores(loss: float, accuracy: float, *, text: Text, split: str, source: str, run: WordObjective) -> tuple[Score, ...]:
    is_causal = run.network.is_causal
    values = {"loss": loss, "next_accuracy" if is_causal else "masked_accuracy": accuracy}
    if is_causal:
        values["bits_per_byte"] = loss / math.log(2) / text.validation_bytes
    number = min(text.validation.num_tokens, run.config.validation_tokens)
    return tuple(
        Score(
            metric=metric,
            label=None,
            split=split,
            source=source,
            value=value,
            low=None,
            high=None,
            confidence=0.95,
            method=f"{number:,} tokens of held-out text; no interval",
            num_examples=number,
        )
        for metric, value in values.items()
    )
