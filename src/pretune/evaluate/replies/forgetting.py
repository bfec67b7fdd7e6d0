"""Forgetting: by how much did the loss rise on texts and instructions that training was not about?"""

from functools import partial

import numpy as np

from pretune.evaluate.replies.ratios import Grouping, Ratio, interval_over
from pretune.evaluate.shares import MakeScore
from pretune.intervals import Floats
from pretune.records import Replies, ReplyScore, Score, Terms

# Splits whose rows training was not about: general text, and instructions of other kinds.
GENERAL, INSTRUCTIONS = "general", "instructions"
FORGETTING = "forgetting"
METHOD = "relative rise of the loss in nats per token over the model as it came"


def score_forgetting(before: Replies, after: Replies, terms: Terms) -> Score | None:
    """Return the relative rise of the loss on one split, with its interval over texts; ``None`` where one has no losses.

    Args:
        before: Of the model as it came: ``scores`` of the texts of ``general`` or ``instructions``.
        after: Of the fine-tuned model, of the same texts.
        terms: Confidence and look.
    """
    known = {item.id: item for item in before.scores or ()}
    pairs = [(item, known[item.id]) for item in after.scores or () if item.id in known]
    if not pairs:
        return None
    rows = np.array([[*_parts(mine), *_parts(theirs)] for mine, theirs in pairs], float)
    ratio = Ratio(rows, _rise)
    interval, how = interval_over(ratio.pulls, Grouping(name="texts"), terms.confidence)
    low, high = interval or (None, None)
    make: MakeScore = partial(Score, split=after.split, source=after.source, look=terms.look, confidence=terms.confidence)
    return make(
        metric=FORGETTING, label=None, value=ratio.value, low=low, high=high, method=f"{METHOD}; {how}", num_examples=len(pairs)
    )


def _parts(score: ReplyScore) -> tuple[float, float]:
    return score.nats, float(score.tokens)


def _rise(sums: Floats) -> Floats:
    after, before = (sums[:, start] / np.maximum(sums[:, start + 1], 1e-12) for start in (0, 2))
    return after / np.maximum(before, 1e-12) - 1
