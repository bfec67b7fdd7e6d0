"""Token ids of a corpus on disk: packed into memory-mapped shards, read as windows or as whole documents."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pretune import storage
from pretune.errors import DataError, StorageError
from pretune.hashing import digest_of, digest_of_file

VERSION = 1
INDEX, IDS, LENGTHS, SHARD = "store.json", "ids.bin", "lengths.bin", "shard.json"
LENGTH_TYPE = np.dtype("<u4")

Ids = npt.NDArray[np.int64]


class Shard(NamedTuple):
    """What is known of one shard without reading it."""

    name: str  # of its folder
    num_documents: int
    num_tokens: int
    num_unknown: int
    digest_of_texts: str  # SHA-256 of what was tokenized, so that a writing which was cut off can go on
    digest_of_ids: str
    digest_of_lengths: str


class Layout(NamedTuple):
    """What all shards of a store have in common: how texts became ids."""

    vocab_size: int
    padding_id: int
    unknown_id: int | None
    end_id: int | None  # put after each document; None where the tokenizer's template ends it
    num_closing: int  # special tokens that the template puts at the end
    tokenizer: str  # digest

    @property
    def dtype(self) -> np.dtype[Any]:
        """Two bytes an id where the vocabulary allows, else four; little-endian."""
        return np.dtype("<u2" if self.vocab_size <= 1 << 16 else "<u4")


class TokenStore:
    """Token ids of a corpus, open for reading; nothing but the documents' lengths is held in memory.

    All documents stand in one stream, special tokens included, in the order in which they were written.

    Attributes:
        num_tokens: Of the stream.
        num_documents: In the stream; none is empty.
        num_unknown: Tokens that stand for what the vocabulary does not have.
        vocab_size: Ids are below this.
        layout: How texts became ids.
        digest: SHA-256 that stands for all ids and lengths.
        offsets: Where each document begins in the stream, and where the last one ends; shape (num_documents + 1,).
    """

    def __init__(self, folder: Path, layout: Layout, shards: Sequence[Shard]) -> None:
        self.folder, self.layout, self.shards = folder, layout, tuple(shards)
        self.num_documents = sum(shard.num_documents for shard in shards)
        self.num_unknown = sum(shard.num_unknown for shard in shards)
        self.vocab_size = layout.vocab_size
        self.digest = digest_of([layout.tokenizer, *((shard.digest_of_ids, shard.digest_of_lengths) for shard in shards)])
        lengths = [_mapped(folder / shard.name / LENGTHS, LENGTH_TYPE) for shard in shards]
        self.offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths), dtype=np.int64)])
        self._bounds = np.concatenate([[0], np.cumsum([shard.num_tokens for shard in shards], dtype=np.int64)])
        self._maps = [_mapped(folder / shard.name / IDS, layout.dtype) for shard in shards]
        self.num_tokens = int(self._bounds[-1])

    @classmethod
    def open(cls, folder: Path, *, check: bool = True) -> "TokenStore":
        """Open what ``write_store`` wrote.

        Args:
            folder: Such as ``RUN/data/tokens.train``.
            check: Whether to read every byte and compare digests (about a second for 500 M tokens): once in a run is enough.
                Names and sizes of files are compared in any case.

        Raises:
            StorageError: A file is missing, has another size, or is not what was written; the message names it.
        """
        if not (folder / INDEX).is_file():
            whole = "" if not folder.is_dir() else ", so its writing was cut off or the file was deleted"
            raise StorageError(
                f"{folder / INDEX} is missing{whole}", fix="run the same command again; it resumes where it stopped"
            )
        value = storage.read_json(folder / INDEX)
        try:
            layout, shards = Layout(**value["layout"]), [Shard(**item) for item in value["shards"]]
            is_known = value["version"] == VERSION and digest_of([value["layout"], value["shards"]]) == value["digest"]
        except (TypeError, KeyError):
            is_known = False
        if not is_known:
            raise _changed(folder / INDEX)
        for shard in shards:
            check_shard(folder, shard, layout, is_thorough=check)
        return cls(folder, layout, shards)

    def windows(self, starts: Sequence[int] | Ids, length: int) -> tuple[Ids, npt.NDArray[np.int32]]:
        """Cut the stream anywhere.

        Args:
            starts: Places in the stream, from 0 to ``num_tokens - length``; shape (n,).
            length: Tokens a window.

        Returns:
            The ids, and the number of the document that each token is of, both (n, length).

        Raises:
            IndexError: A window is not inside the stream.
        """
        begins = np.asarray(starts, dtype=np.int64)
        if length < 1 or (len(begins) and (begins.min() < 0 or begins.max() + length > self.num_tokens)):
            raise IndexError(f"windows of {length} tokens at {begins.tolist()[:4]}… in a stream of {self.num_tokens:,}")
        ids = np.empty((len(begins), length), dtype=np.int64)
        self._copy(begins, np.full(len(begins), length), ids)
        first = np.searchsorted(self.offsets, begins, side="right") - 1
        last = np.searchsorted(self.offsets, begins + (length - 1), side="right") - 1
        # One mark where a document begins inside of a window; their running sum is how many have begun.
        rows = np.repeat(np.arange(len(begins)), last - first)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
        marks = np.zeros((len(begins), length), dtype=np.int32)
        marks[rows, self.offsets[first[rows] + 1 + within] - begins[rows]] = 1
        return ids, np.cumsum(marks, axis=1, dtype=np.int32) + first[:, None].astype(np.int32)

    def documents(self, rows: Sequence[int] | Ids, max_length: int) -> tuple[Ids, Ids]:
        """Return whole documents, those that are too long without their end but with the template's closing tokens.

        Args:
            rows: Numbers of documents; shape (n,).
            max_length: Tokens a document.

        Returns:
            The ids, padded on the right to the longest, and the mask (1 where there is a token), both (n, time).

        Raises:
            IndexError: There is no such document.
        """
        numbers = np.asarray(rows, dtype=np.int64)
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= self.num_documents):
            raise IndexError(f"documents {numbers.tolist()[:4]}… of {self.num_documents:,}")
        begins, ends = self.offsets[numbers], self.offsets[numbers + 1]
        lengths = np.minimum(ends - begins, max_length)
        width = int(lengths.max(initial=0))
        mask = (np.arange(width) < lengths[:, None]).astype(np.int64)
        ids = np.full((len(numbers), width), self.layout.padding_id, dtype=np.int64)
        self._copy(begins, lengths, ids)
        closing = min(self.layout.num_closing, max_length)
        for row in np.flatnonzero(ends - begins > max_length) if closing else ():
            self._copy(ends[row : row + 1] - closing, np.array([closing]), ids[row : row + 1, max_length - closing :])
        return ids, mask

    def _copy(self, begins: Ids, lengths: Ids, into: Ids) -> None:
        """Fill the beginning of each row of ``into``. A slice a row is faster than one gather: windows are few, and long."""
        shards = np.searchsorted(self._bounds, begins, side="right") - 1
        inside = (begins - self._bounds[shards]).tolist()
        for row, (shard, begin, left) in enumerate(zip(shards.tolist(), inside, lengths.tolist(), strict=True)):
            done, number, place = 0, shard, begin
            while done < left:  # a window may go on in the next shard
                part = self._maps[number][place : place + left - done]
                into[row, done : done + len(part)] = part
                done, number, place = done + len(part), number + 1, 0


def check_shard(folder: Path, shard: Shard, layout: Layout, *, is_thorough: bool) -> None:
    """Compare a shard's files with what is known of them: sizes, and with ``is_thorough`` every byte.

    Raises:
        StorageError: A file is missing or differs; the message names it.
    """
    files = (
        (IDS, shard.num_tokens * layout.dtype.itemsize, shard.digest_of_ids),
        (LENGTHS, shard.num_documents * LENGTH_TYPE.itemsize, shard.digest_of_lengths),
    )
    for name, size, digest in files:
        path = folder / shard.name / name
        if not path.is_file() or path.is_symlink():
            raise StorageError(f"{path} is missing", fix="delete the folder, and run the same command again")
        if path.stat().st_size != size or (is_thorough and _read(digest_of_file, path) != digest):
            raise _changed(path)


def _mapped(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    # A plain array over the map: slices of ``np.memmap`` itself take ten times as long.
    return np.asarray(_read(lambda place: np.memmap(place, dtype=dtype, mode="r"), path)).view(np.ndarray)


def _read(act: Callable[[Path], Any], path: Path) -> Any:
    try:
        return act(path)
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {path}: {error}", fix="delete the folder, and run the same command again") from error


def _changed(path: Path) -> StorageError:
    return StorageError(f"{path} is not what was written", fix="delete its folder, and run the same command again")


def no_texts(folder: Path) -> DataError:
    """Make the error of a corpus that has no document left."""
    return DataError(
        f"no text is left for {folder.name}",
        expected="at least one document",
        fix="see in the receipt what cleaning dropped",
    )
