"""Blocks: work on many documents at once, in this process or another; every task here is a pure function."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretune.data.alike.words import Words, hash_words
from pretune.data.corpus.boilerplate import RepeatedLines, lines_of
from pretune.data.corpus.cleaning import clean_block
from pretune.data.corpus.minhash import keys_of
from pretune.data.corpus.spool import Spool
from pretune.hashing import fold

# A block ends at so many documents, or so many characters.
MAX_DOCUMENTS = 4_096
MAX_BLOCK_CHARACTERS = 2_000_000


@dataclass(slots=True)
class Message:
    """What goes to a task and comes back: plain values, and arrays."""

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def in_blocks(documents: Iterable[str]) -> Iterator[list[str]]:
    """Yield documents in lists of a size that is worth sending elsewhere."""
    block: list[str] = []
    size = 0
    for document in documents:
        block.append(document)
        size += len(document)
        if len(block) >= MAX_DOCUMENTS or size >= MAX_BLOCK_CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block


def ranges_of(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the same blocks, as first and last (not included) row, of texts that lie in a spool."""
    first, num_texts = 0, len(starts) - 1
    while first < num_texts:
        last = int(np.searchsorted(starts, starts[first] + MAX_BLOCK_CHARACTERS, side="left"))
        last = min(max(last, first + 1), first + MAX_DOCUMENTS, num_texts)
        yield first, last
        first = last


def pack_texts(texts: Sequence[str]) -> Message:
    """Return texts as one array of bytes and one of lengths; lone surrogates survive."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    sizes = np.fromiter(map(len, parts), dtype=np.uint64, count=len(parts))
    return Message(arrays={"data": np.frombuffer(b"".join(parts), dtype=np.uint8), "sizes": sizes})


def unpack_texts(message: Message) -> list[str]:
    """Return the texts that ``pack_texts`` packed."""
    data = message.arrays["data"].tobytes()
    ends = np.cumsum(message.arrays["sizes"]).tolist()
    return [data[left:right].decode("utf-8", "surrogatepass") for left, right in zip([0, *ends], ends, strict=False)]


def clean(message: Message) -> Message:
    """Clean documents: texts in; texts, counts of what was changed, and hashes of lines that may be boilerplate out."""
    texts, changed = clean_block(unpack_texts(message))
    packed = pack_texts(texts)
    return Message({"changed": changed}, {**packed.arrays, "lines": lines_of(texts)})


def describe(message: Message) -> Message:
    """Trim documents of a spool and describe what is left.

    Values in: ``spool``, ``first``, ``last``, ``lines`` (a file of counts), ``limit``, ``num_minima`` (0 for no keys).
    Arrays out, one row a document: ``exact`` (hash of the folded text), ``words`` (number of words), ``keys``, ``trimmed``,
    ``empty``; and ``hashes``, one a word.
    """
    values = message.values
    counts = _counts(values["lines"], values["limit"])
    texts = list(_spool(values["spool"]).texts(values["first"], values["last"]))
    trimmed = [counts.trim(text) for text in texts]
    folded = [fold(text) for text in trimmed]
    words = hash_words(folded)
    digests = b"".join(blake2b(text.encode("utf-8"), digest_size=8).digest() for text in folded)
    return Message(
        arrays={
            "empty": np.array([not text for text in trimmed], dtype=np.bool_),
            "exact": np.frombuffer(digests, dtype="<u8"),
            "words": words.sizes.astype(np.int32),
            "hashes": words.hashes,
            "keys": _keys(words, values["num_minima"]),
            "trimmed": np.array([after != before for before, after in zip(texts, trimmed, strict=True)], dtype=np.bool_),
        }
    )


TASKS: dict[str, Callable[[Message], Message]] = {"clean": clean, "describe": describe}


def _keys(words: Words, num_minima: int) -> NDArray[np.uint32]:
    if not num_minima:
        return np.zeros((len(words), 0), dtype=np.uint32)
    filled = words.sizes > 0
    compact = Words(words.hashes, np.concatenate((words.starts[:-1][filled], words.starts[-1:])))
    found = keys_of(compact, num_minima)
    keys = np.zeros((len(words), found.shape[1]), dtype=np.uint32)
    keys[filled] = found
    return keys


@lru_cache(maxsize=1)
def _spool(path: str) -> Spool:
    return Spool(Path(path))


@lru_cache(maxsize=1)
def _counts(path: str, limit: int) -> RepeatedLines:
    return RepeatedLines.read(Path(path), limit)
