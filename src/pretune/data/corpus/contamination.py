"""Contamination: which documents of a corpus share text with a sealed test?"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.words import Words, windows_of, words_of
from pretune.data.corpus.sketch import SHARED, WINDOW, are_in

# A sealed text of fewer words is looked for as a whole inside documents where it has as many as a window of the sketch.
# Below that it may be a phrase that anybody says, and only a document that is nothing else counts.
MIN_INSIDE = WINDOW
_WORDS = 400_000  # looked at in one go

Sealed = dict[int, NDArray[np.uint64]]  # by number of words in a row: sorted hashes


def hash_sealed(texts: Iterable[str]) -> Sealed:
    """Return what to look for: every 13 words in a row, and shorter texts whole."""
    words = words_of(texts)
    sizes = words.sizes
    found = {SHARED: np.unique(windows_of(words, SHARED).hashes)}
    for length in range(MIN_INSIDE, SHARED):
        rows = np.flatnonzero(sizes == length)
        if len(rows):
            windows = windows_of(words, length)
            found[length] = np.unique(windows.hashes[windows.starts[rows]])
    return found


def find_contaminated(words: Words, sealed: Sealed) -> NDArray[np.bool_]:
    """Return which documents share text with the sealed ones, shape (num_documents,)."""
    found = np.zeros(len(words), dtype=np.bool_)
    for first, last, block in blocks_of(words):
        for length, hashes in sealed.items():
            windows = windows_of(block, length)
            hits = np.concatenate(([0], np.cumsum(are_in(windows.hashes, hashes))))
            found[first:last] |= hits[windows.starts[1:]] > hits[windows.starts[:-1]]
    return found


def window_hashes(words: Words, rows: NDArray[np.bool_]) -> Iterator[NDArray[np.uint64]]:
    """Yield the sketch's hashes of the documents wanted."""
    for first, last, block in blocks_of(words):
        windows = windows_of(block, WINDOW)
        yield windows.hashes[np.repeat(rows[first:last], windows.sizes)]


def blocks_of(words: Words) -> Iterator[tuple[int, int, Words]]:
    """Yield first and last row (not included), and the words of the documents between."""
    first, starts = 0, words.starts
    while first < len(words):
        last = max(int(np.searchsorted(starts, starts[first] + _WORDS, side="right")) - 1, first + 1)
        yield first, last, Words(np.array(words.hashes[starts[first] : starts[last]]), starts[first : last + 1] - starts[first])
        first = last
