"""A sketch of a pre-training corpus: enough to say later which texts were in it, without keeping the corpus."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.words import distinct, windows_of, words_of
from pretune.records import CorpusSketch

# Words in a row that two texts hardly share by chance; quotations and idioms are shorter.
WINDOW = 8
# Words in a row that two texts share as one has copied the other: GPT-3 was audited so (Brown et al. 2020, appendix C). Six
# windows one after the other are so many words, so that one sketch answers for both.
SHARED = 13
# Hashes are parted by their first bits before they are sorted, so that a part fits in memory whatever the corpus.
_PARTS = 64


def sketch_corpus(name: str, texts: Iterable[str]) -> CorpusSketch:
    """Return the hashes of every eight words in a row of a corpus; a shorter text counts whole.

    Example:
        >>> sketch_corpus("two", ["A short text.", "a SHORT text"]).num_texts
        2
    """
    hashes, count = set[int](), 0
    for text in texts:
        hashes |= hash_windows(text)
        count += 1
    return CorpusSketch(name=name, num_texts=count, hashes=tuple(sorted(hashes)))


def hash_windows(text: str) -> set[int]:
    """Return 64-bit hashes of every eight words in a row, case, spacing and punctuation aside; none for no words."""
    return set(windows_of(words_of([text]), WINDOW).hashes.tolist())


def are_in(values: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which values are among ``known``, which is sorted and may be mapped from a file."""
    if not len(known):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: NDArray[np.bool_] = known[places] == values
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SketchFile:
    """The sketch of a large corpus, which stays on disk.

    Args:
        name: Of the corpus.
        num_texts: That it was made of.
        path: Of the hashes: 64 bits each, little-endian, rising, each once.
    """

    name: str
    num_texts: int
    path: Path

    def hashes(self) -> NDArray[np.uint64]:
        """Return all hashes, mapped from the file."""
        if not self.path.stat().st_size:
            return np.zeros(0, dtype=np.uint64)
        return np.memmap(self.path, dtype="<u8", mode="r")

    def within(self, texts: Iterable[str]) -> CorpusSketch:
        """Return what the sketch knows of these texts: the hashes that they and the corpus have in common.

        To whoever asks about these texts that is all there is to know, and it is small enough to be kept with a run.
        """
        asked = np.unique(windows_of(words_of(texts), WINDOW).hashes)
        common = asked[are_in(asked, self.hashes())]
        return CorpusSketch(name=self.name, num_texts=self.num_texts, hashes=tuple(common.tolist()))


def write_sketch(path: Path, hashes: Iterable[NDArray[np.uint64]], scratch: Path) -> int:
    """Write the hashes of a corpus, sorted and each once.

    Args:
        path: Of the file.
        hashes: In any order, an array at a time.
        scratch: An empty folder to sort in.

    Returns:
        How many hashes the sketch has.
    """
    files = [(scratch / f"{part}.hashes").open("w+b") for part in range(_PARTS)]
    try:
        for block in hashes:
            ordered = np.sort(block)
            edges = np.searchsorted(ordered, (np.arange(1, _PARTS, dtype=np.uint64) << np.uint64(58)))
            for file, part in zip(files, np.split(ordered, edges), strict=True):
                file.write(part.astype("<u8").tobytes())
        num_hashes = 0
        with path.open("wb") as target:
            for part in _sorted_parts(scratch, files):
                target.write(part.astype("<u8").tobytes())
                num_hashes += len(part)
    finally:
        for file in files:
            file.close()
    return num_hashes


def _sorted_parts(scratch: Path, files: Sequence[IO[bytes]]) -> Iterator[NDArray[np.uint64]]:
    for part, file in enumerate(files):
        file.flush()
        path = scratch / f"{part}.hashes"
        yield distinct(np.fromfile(path, dtype="<u8"))
        path.unlink()
