"""Which texts share a batch: texts of similar length, so that little of it is padding."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pretune.tokens.encode import Encoded

# Batches within which shuffled texts are sorted by length: wide enough that padding nearly vanishes,
# narrow enough that an epoch still mixes. (Sorting the whole epoch would show short texts together.)
WINDOW = 50
# Tokens a batch of scoring: its hidden states stay in the processor's cache. On two cores, minilm at 256 tokens, 2,048 tokens a
# batch scored 4,900 tokens/s, 16,384 tokens a batch 3,900.
MAX_TOKENS = 2_048
# Tokens of a part of a training batch, by device. On a processor 1,024 to 8,192 are about equally fast, and what a step
# remembers grows with them: at 4,096 the widest batches of movie-reviews, 32 texts of 72 or 80 tokens, were the peak of its
# memory (docs/log.md). A GPU has room for more, and wants fewer launches.
MAX_TOKENS_A_PART = {"cpu": 2_048, "cuda": 32_768}


def plan_scoring(
    lengths: npt.NDArray[np.int64], *, max_tokens: int = MAX_TOKENS, max_rows: int | None = None, evenly: bool = False
) -> list[npt.NDArray[np.int64]]:
    """Return row numbers batch by batch for a forward pass without learning: every row once, longest first.

    Args:
        lengths: Tokens a text, shape (num_texts,).
        max_tokens: Tokens a batch, padding included; a longer text is a batch of its own.
        max_rows: Rows a batch; ``None`` sets no limit.
        evenly: Make no batch fuller than it need be for the number of batches: halves in place of a whole and a rest.
    """
    order, batches, start = np.argsort(-lengths, kind="stable"), [], 0
    while start < len(order):
        num_rows = max(1, max_tokens // padded_width(max(1, int(lengths[order[start]])), max_tokens))
        num_rows = num_rows if max_rows is None else min(num_rows, max_rows)
        if evenly:
            left = len(order) - start
            num_rows = math.ceil(left / math.ceil(left / num_rows))
        batches.append(order[start : start + num_rows])
        start += num_rows
    return batches


def split_batch(
    rows: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], *, max_tokens: int, max_rows: int | None = None
) -> list[npt.NDArray[np.int64]]:
    """Divide the rows of one update into even parts that are computed one after the other, longest first.

    Half of the texts at twice the width have the shapes of products that are there already.

    Args:
        rows: Row numbers.
        lengths: Tokens of every text.
        max_tokens: Tokens a part, padding included; a longer text is a part of its own.
        max_rows: Rows a part; ``None`` sets no limit.
    """
    return [rows[part] for part in plan_scoring(lengths[rows], max_tokens=max_tokens, max_rows=max_rows, evenly=True)]


def plan_batches(
    lengths: npt.NDArray[np.int64], batch_size: int, *, generator: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """Return row numbers batch by batch for an epoch of training; every row once.

    Args:
        lengths: Tokens a text, shape (num_texts,).
        batch_size: Rows a batch; the last of a window may be smaller.
        generator: Shuffles rows, then batches.
    """
    order = generator.permutation(len(lengths))
    batches: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(order), batch_size * WINDOW):
        window = order[start : start + batch_size * WINDOW]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[first : first + batch_size] for first in range(0, len(window), batch_size)]
    return [batches[index] for index in generator.permutation(len(batches))]


def padded_width(longest: int, limit: int) -> int:
    """Return to how many tokens a batch is padded: an even one, one of about eight between a power of two and the next.

    A processor's library prepares every shape of matrix product and keeps what it prepared, 0.6 MB a product and two dozen
    products a width; with few widths there are few shapes, for 2 % more tokens (docs/log.md).

    Args:
        longest: Tokens of the longest text in the batch.
        limit: Tokens that the model can take.

    Example:
        >>> [padded_width(longest, 128) for longest in (7, 17, 33, 65, 127)]
        [8, 18, 36, 72, 128]
    """
    grain = max(2, 1 << longest.bit_length() >> 4)
    return max(longest, min(limit, -(-longest // grain) * grain))


def pad(
    encoded: Encoded, rows: Sequence[int] | npt.NDArray[np.int64], *, width: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return ids and mask, each (batch, time), padded on the right to the longest text, or to ``width`` if that is more."""
    pieces = [encoded.ids[encoded.offsets[row] : encoded.offsets[row + 1]] for row in rows]
    width = max(width, max((len(piece) for piece in pieces), default=0))
    ids = np.full((len(pieces), width), encoded.padding_id, dtype=np.int64)
    mask = np.zeros((len(pieces), width), dtype=np.int64)
    for index, piece in enumerate(pieces):
        ids[index, : len(piece)] = piece
        mask[index, : len(piece)] = 1
    return ids, mask
