"""Told apart: a linear classifier that learns to tell two sets of texts from each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from pretune.intervals import Floats

NUM_FEATURES = 1 << 16


def hashed(texts: Sequence[str]) -> csr_matrix:
    """Return how often each word and pair of words is in each text, (num_texts, 65,536), by the hash of its name."""
    words = HashingVectorizer(
        n_features=NUM_FEATURES, ngram_range=(1, 2), token_pattern=r"(?u)\w+|[^\w\s]", alternate_sign=False
    )
    return csr_matrix(words.transform(texts))


def weighing() -> TfidfTransformer:
    """Return what weighs the counts, unfitted."""
    return TfidfTransformer(sublinear_tf=True)


def telling() -> LogisticRegression:
    """Return the classifier, unfitted; both sets weigh the same."""
    return LogisticRegression(C=1.0, max_iter=200, tol=1e-4, class_weight="balanced")


def tell_apart(learned: tuple[Sequence[str], Sequence[str]], asked: Sequence[str]) -> Floats:
    """Return how much texts look like the second set to a classifier that learned from others of both.

    Args:
        learned: Texts of the two sets, none of which is asked about.
        asked: Texts.

    Source:
        Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests; Kim, Ramdas, Singh and Wasserman (2021),
        Classification accuracy as a proxy for two-sample testing (one split, so that the test is exact given the classifier).
    """
    weigh, model = weighing(), telling()
    features: Any = weigh.fit_transform(hashed([*learned[0], *learned[1]]))
    model.fit(features, np.arange(features.shape[0]) >= len(learned[0]))
    scores: Floats = model.decision_function(weigh.transform(hashed(asked)))
    return scores
