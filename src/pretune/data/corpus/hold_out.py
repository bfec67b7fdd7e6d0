"""Hold out: which documents the model must not learn from, chosen by their content and not by their place."""

import math

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.words import mix

# At most so many documents are held out: enough for a loss to three digits, and little to score.
MAX_HELD_OUT = 2_000
# At least so many where the corpus has ten times as many; a tenth of it otherwise.
MIN_HELD_OUT = 100


def num_held_out(num_documents: int, share: float) -> int:
    """Return how many documents are held out.

    Example:
        >>> num_held_out(1_000_000, 0.01), num_held_out(40_000, 0.01), num_held_out(600, 0.01), num_held_out(5, 0.01)
        (2000, 400, 60, 1)
    """
    least = min(MIN_HELD_OUT, math.ceil(num_documents / 10))
    return min(MAX_HELD_OUT, max(round(num_documents * share), least))


def choose_held_out(exact: NDArray[np.uint64], rows: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Return the documents to hold out, rising: those whose text has the smallest hash.

    Args:
        exact: Hash of every document's folded text.
        rows: The documents that are kept.
        share: Of them.
    """
    order = np.argsort(mix(exact[rows] + np.uint64(0x5EED)), kind="stable")
    return np.sort(rows[order[: num_held_out(len(rows), share)]])
