"""A prepared corpus: texts on disk that are streamed and never held in memory, with their receipt."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pretune import storage
from pretune.data.corpus.sketch import SketchFile
from pretune.data.corpus.spool import Spool
from pretune.errors import StorageError, UsageError
from pretune.records import CorpusReceipt

# What a folder of a run holds of its corpus.
FOLDER = "corpus"
RECEIPT, SKETCH = "receipt.json", "sketch.hashes"
SPLITS = ("train", "validation")


@dataclass(frozen=True)
class Corpus:
    """Texts to pre-train on.

    Args:
        folder: With the texts, the sketch, the receipt and their digests.
        receipt: What became of every document.
    """

    folder: Path
    receipt: CorpusReceipt

    def texts(self, split: str) -> Iterator[str]:
        """Yield the texts of ``train`` or ``validation``, streamed from disk, always in the same order."""
        return self.spool(split).texts()

    def num_texts(self, split: str) -> int:
        """Return the number of texts of ``train`` or ``validation``."""
        return len(self.spool(split))

    def spool(self, split: str) -> Spool:
        """Return the texts of a split by their number.

        Raises:
            UsageError: There is no such split.
        """
        if split not in SPLITS:
            raise UsageError(f"a corpus has no split {split!r}", expected=" or ".join(SPLITS))
        return self._spools[split]

    @cached_property
    def _spools(self) -> dict[str, Spool]:
        return {split: Spool(self.folder / split) for split in SPLITS}

    @property
    def sketch(self) -> SketchFile:
        """The hashes of what is learned from: every eight words in a row, shorter texts whole."""
        num_texts = self.receipt.num_kept - self.receipt.num_validation
        return SketchFile(name=self.receipt.name, num_texts=num_texts, path=self.folder / SKETCH)


def load_corpus(folder: Path) -> Corpus:
    """Return the corpus that ``prepare_corpus`` put into a folder; its digests are checked.

    Raises:
        StorageError: There is none, or it is not what was written.
    """
    place = folder / FOLDER
    if not place.is_dir():
        raise StorageError(f"there is no prepared corpus in {folder}", fix="prepare it again")
    storage.check_digests(place)
    return Corpus(folder=place, receipt=CorpusReceipt.from_json(storage.read_json(place / RECEIPT)))
