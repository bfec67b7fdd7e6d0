"""Moved words: which words are in more texts than they were in the test, or in fewer."""

from collections import Counter
from collections.abc import Container, Sequence

import numpy as np

from pretune.data.alike.duplicates import words_in
from pretune.hashing import fold
from pretune.records import MovedWord

MAX_WORDS = 8
# Standard deviations from which a word is named: of 50,000 words that did not move, one in three looks.
MIN_SCORE = 4.5


def find_words(before: Sequence[str], now: Sequence[str], known: Container[str]) -> tuple[MovedWord, ...]:
    """Return the words that moved most surely; they explain an alarm and raise none.

    Args:
        before: Texts of the test, at least one.
        now: Texts of the window, at least one.
        known: Words of training.
    """
    counts = [Counter(word for text in texts for word in set(words_in(fold(text)))) for texts in (before, now)]
    words = sorted({*counts[0], *counts[1]})
    shares = [
        np.array([count[word] for word in words]) / len(texts) for count, texts in zip(counts, (before, now), strict=True)
    ]
    together = (shares[0] * len(before) + shares[1] * len(now)) / (len(before) + len(now))
    spread = np.sqrt(together * (1 - together) * (1 / len(before) + 1 / len(now)))
    scores = np.abs(shares[1] - shares[0]) / np.maximum(spread, 1e-12)
    order = [place for place in np.argsort(-scores, kind="stable")[:MAX_WORDS].tolist() if scores[place] >= MIN_SCORE]
    return tuple(
        MovedWord(
            word=words[place], before=float(shares[0][place]), now=float(shares[1][place]), is_known=words[place] in known
        )
        for place in order
    )
