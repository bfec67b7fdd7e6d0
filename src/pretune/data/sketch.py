"""A sketch of a pre-training corpus: enough to say later which texts were in it, without keeping the corpus."""

from collections.abc import Iterable
from hashlib import blake2b

from pretune.data.duplicates import WORD
from pretune.hashing import fold
from pretune.records import CorpusSketch

# Words in a row that two texts hardly share by chance; quotations and idioms are shorter.
WINDOW = 8


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
    """Return 63-bit hashes of every eight words in a row, case, spacing and punctuation aside; none for no words."""
    words = WORD.findall(fold(text))
    windows = {" ".join(words[start : start + WINDOW]) for start in range(max(1, len(words) - WINDOW + 1))} - {""}
    return {int.from_bytes(blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1 for item in windows}
