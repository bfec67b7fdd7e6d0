"""Rivals: replies that need no model: one reply to everything, and the reply to the nearest question."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sklearn.feature_extraction.text import TfidfVectorizer

from pretune.errors import require
from pretune.hashing import fold
from pretune.records import Predictions

CONSTANT, RETRIEVAL = "constant", "retrieval"
# Replies that are tried as the one reply to everything, and replies on which each is tried.
MAX_CANDIDATES, MAX_TRIED = 20, 50
# Questions that are held against all others at a time.
CHUNK = 500

_WORD = re.compile(r"\w+")


def reply_always(judged: Predictions, replies: Sequence[str], *, seed: int = 0) -> Predictions:
    """Return one reply to every row: of the commonest replies and some drawn at random, the most like the others by chrF.

    Args:
        judged: The rows, with their references.
        replies: Those of training; the references themselves where there are none, which makes the rival a little stronger.
        seed: Seed of the draws.

    Raises:
        MissingPackageError: sacrebleu is not installed.
    """
    draw = random.Random(seed)
    common = [reply for reply, count in Counter(replies).most_common(MAX_CANDIDATES // 2) if count > 1]
    distinct = list(dict.fromkeys(replies))
    candidates = list(dict.fromkeys([*common, *draw.sample(distinct, min(len(distinct), MAX_CANDIDATES))]))[:MAX_CANDIDATES]
    tried = draw.sample(list(replies), min(len(replies), MAX_TRIED))
    metric = require("sacrebleu.metrics", extra="text-metrics").CHRF()
    best = max(candidates, key=lambda reply: metric.corpus_score([reply] * len(tried), [tried]).score)
    return replace(judged, source=CONSTANT, predicted=(best,) * len(judged.ids))


def reply_nearest(
    judged: Predictions, prompts: Sequence[str], known: Sequence[str], replies: Sequence[str]
) -> Predictions | None:
    """Return to every prompt the reply that the most similar prompt of training got; ``None`` where no prompt has a word.

    Args:
        judged: The rows, with their references.
        prompts: Their prompts, in the same order.
        known: Prompts of training.
        replies: Their replies.
    """
    if not any(map(_WORD.search, known)):
        return None
    words = TfidfVectorizer(preprocessor=fold, token_pattern=r"\w+", ngram_range=(1, 2), sublinear_tf=True)
    table = words.fit_transform(known).T.tocsr()
    asked = words.transform(prompts)
    nearest = [
        int(place)
        for start in range(0, len(prompts), CHUNK)
        for place in (asked[start : start + CHUNK] @ table).argmax(axis=1).A1
    ]
    return replace(judged, source=RETRIEVAL, predicted=tuple(replies[place] for place in nearest))
