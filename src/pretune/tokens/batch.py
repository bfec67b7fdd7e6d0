"""Which texts share a batch: alike in length, so that little of it is padding."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pretune.tokens.encode import Encoded

# Batches within which shuffled texts are sorted by length: wide enough that padding nearly vanishes,
# narrow enough that an epoch still mixes. (Sorting the whole epoch would show short texts together.)
WINDOW = 50


def plan_batches(
    lengths: npt.NDArray[np.int64], batch_size: int, *, generator: np.random.Generator | None = None
) -> list[npt.NDArray[np.int64]]:
    """Return row numbers batch by batch; every row once.

    Args:
        lengths: Tokens a text, shape (num_texts,).
        batch_size: Rows a batch; the last may be smaller.
        generator: Shuffles rows, then batches; ``None`` plans for scoring, longest first.
    """
    if generator is None:
        order = np.argsort(-lengths, kind="stable")
        return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    order = generator.permutation(len(lengths))
    batches: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(order), batch_size * WINDOW):
        window = order[start : start + batch_size * WINDOW]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[first : first + batch_size] for first in range(0, len(window), batch_size)]
    return [batches[index] for index in generator.permutation(len(batches))]


def pad(encoded: Encoded, rows: Sequence[int] | npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return ids and mask, each (batch, time), padded on the right to the longest text."""
    pieces = [encoded.ids[encoded.offsets[row] : encoded.offsets[row + 1]] for row in rows]
    width = max((len(piece) for piece in pieces), default=0)
    ids = np.full((len(pieces), width), encoded.padding_id, dtype=np.int64)
    mask = np.zeros((len(pieces), width), dtype=np.int64)
    for index, piece in enumerate(pieces):
        ids[index, : len(piece)] = piece
        mask[index, : len(piece)] = 1
    return ids, mask
