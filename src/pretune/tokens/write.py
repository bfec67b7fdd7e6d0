"""Write a token store shard by shard, each whole or absent, so that it can be resumed after a kill."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune import storage
from pretune.errors import StorageError, UsageError
from pretune.hashing import digest_of, digest_of_lines
from pretune.run.trace import Trace
from pretune.tokens.encode import reading_control_tokens, uncut
from pretune.tokens.store import (
    IDS,
    INDEX,
    LENGTH_TYPE,
    LENGTHS,
    SHARD,
    VERSION,
    Layout,
    Shard,
    TokenStore,
    check_shard,
    no_texts,
)
from pretune.wording.counts import counted

# A shard ends after this much text, so that it is known from the texts alone which of them it holds. About 8 M tokens, some ten
# seconds: that is what a killed writing repeats at most.
SHARD_BYTES = 32_000_000
# Text handed to the tokenizer at once: enough for all cores to share; what the library makes of it takes about a hundred times
# its size until the ids are taken out. On two busy cores 0.1, 0.5, 2 and 8 MB gave 303, 331, 273 and 261 thousand tokens/s, and
# 97 % or more of the time is the library's.
CHUNK_BYTES = 500_000


def write_store(
    texts: Iterable[str], tokenizer: Any, folder: Path, *, trace: Trace | None = None, num_texts: int = 0
) -> TokenStore:
    """Tokenize texts on all cores, and pack their ids into ``folder``.

    Each document carries its special tokens: those of the tokenizer's template, or, where that ends no text, the ids and then
    the end-of-text token. A special token that is spelled out in a text is read as text. What is in the folder already is kept
    as far as it was made from the same texts by the same tokenizer.

    Args:
        texts: Read once, in an order that stays; each must fit into memory.
        tokenizer: A fast tokenizer of transformers.
        folder: Such as ``RUN/data/tokens.train``.
        trace: Told the stage with its shapes, and progress.
        num_texts: How many there are, for the progress; 0 where that is not known.

    Raises:
        DataError: There are no texts.
        UsageError: The tokenizer has neither a template that ends texts nor an end-of-text token.
        StorageError: The disk refused; what was written before stays.
    """
    trace, layout, backend = trace or Trace(), describe_layout(tokenizer), tokenizer.backend_tokenizer
    with trace.stage("tokenize") as stage, uncut(backend), reading_control_tokens(backend, as_text=True):
        shards: list[Shard] = []
        num_bytes = num_kept = num_done = 0
        for number, part in enumerate(_parts(texts)):
            shard = _kept(folder, f"shard-{number:05}", layout, part)
            num_kept += shard is not None
            shards.append(shard or _write_shard(folder, f"shard-{number:05}", layout, part, backend))
            num_bytes, num_done = num_bytes + sum(map(_size, part)), num_done + len(part)
            trace.progress("tokenizing", num_done, max(num_texts, num_done), "texts")
        if not shards:
            raise no_texts(folder)
        _finish(folder, layout, shards)
        store = TokenStore.open(folder, check=False)  # every file was read back when it was written
        stage.shape_in = f"{store.num_documents:,} texts, {num_bytes / 1e6:,.1f} MB"
        stage.done = f"tokenized and packed into {folder.name}, {8 * layout.dtype.itemsize} bits per id"
        stage.shape_out = f"{store.num_tokens:,} tokens in {len(shards):,} shard{'s' * (len(shards) > 1)}"
        stage.notes += [f"taken from an interrupted attempt: {counted(num_kept, 'shard')}"] if num_kept else []
        stage.notes += [f"{store.num_unknown:,} tokens unknown to the vocabulary"] if store.num_unknown else []
    return store


def describe_layout(tokenizer: Any) -> Layout:
    """Say how this tokenizer makes documents of texts.

    Raises:
        UsageError: It cannot end a document.
    """
    backend = tokenizer.backend_tokenizer
    with uncut(backend):
        special = backend.encode("a").special_tokens_mask
        about = backend.to_str()
    num_closing = next((index for index, flag in enumerate(reversed(special)) if not flag), 0)
    end_id = None if num_closing else tokenizer.eos_token_id
    if not num_closing and end_id is None:
        raise UsageError(
            "the tokenizer has neither a template that ends a text nor an end-of-text token",
            expected="one of them, so that documents can be told apart",
            fix="set tokenizer.eos_token, or use a model whose tokenizer has one",
        )
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end_id
    return Layout(
        vocab_size=len(tokenizer),
        padding_id=int(padding or 0),
        unknown_id=tokenizer.unk_token_id,
        end_id=end_id,
        num_closing=num_closing,
        tokenizer=digest_of_lines([about, str(end_id)]),
    )


def _parts(texts: Iterable[str]) -> Iterator[list[str]]:
    """Divide the texts into those of one shard each."""
    return _runs(texts, SHARD_BYTES)


def _runs(texts: Iterable[str], max_bytes: int) -> Iterator[list[str]]:
    run: list[str] = []
    num_bytes = 0
    for text in texts:
        run.append(text)
        num_bytes += _size(text)
        if num_bytes >= max_bytes:
            yield run
            run, num_bytes = [], 0
    if run:
        yield run


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _kept(folder: Path, name: str, layout: Layout, texts: Sequence[str]) -> Shard | None:
    """Return the shard that is there already, if it is whole and was made from these texts by this tokenizer."""
    try:
        value = storage.read_json(folder / name / SHARD)
        shard = Shard(**value["shard"])
        if value["layout"] != layout._asdict() or shard.digest_of_texts != digest_of_lines(texts):
            return None
        check_shard(folder, shard, layout, is_thorough=True)
    except (StorageError, TypeError, KeyError):
        return None
    return shard


def _write_shard(folder: Path, name: str, layout: Layout, texts: Sequence[str], backend: Any) -> Shard:
    pieces, lengths = [], []
    for chunk in _runs(texts, CHUNK_BYTES):
        ids, sizes = _encode(backend, chunk, layout)
        pieces.append(ids)
        lengths.append(sizes)
    ids, sizes = np.concatenate(pieces), np.concatenate(lengths)
    shard = Shard(
        name=name,
        num_documents=len(sizes),
        num_tokens=len(ids),
        digest_of_texts=digest_of_lines(texts),
        num_unknown=0 if layout.unknown_id is None else int((ids == layout.unknown_id).sum()),
        digest_of_ids=_digest(ids),
        digest_of_lengths=_digest(sizes),
    )

    def fill(aside: Path) -> None:
        ids.tofile(aside / IDS)
        sizes.tofile(aside / LENGTHS)
        storage.replace_json(aside / SHARD, {"layout": layout._asdict(), "shard": shard._asdict()})

    storage.replace(folder / name, fill)
    return shard


def _encode(backend: Any, texts: list[str], layout: Layout) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the ids of some texts end to end, and how many each has."""
    end = [] if layout.end_id is None else [layout.end_id]
    rows = [encoding.ids + end for encoding in backend.encode_batch_fast(texts)]
    sizes = np.fromiter(map(len, rows), dtype=LENGTH_TYPE, count=len(rows))
    ids = np.fromiter(chain.from_iterable(rows), dtype=layout.dtype, count=int(sizes.sum()))
    return ids, sizes


def _finish(folder: Path, layout: Layout, shards: Sequence[Shard]) -> None:
    """Write the index, which makes the store whole, and remove what another corpus has left in the folder."""
    named = {shard.name for shard in shards}
    for item in folder.glob("shard-*"):
        if item.name not in named:
            shutil.rmtree(item)
    storage.sweep(folder)
    value = {"layout": layout._asdict(), "shards": [shard._asdict() for shard in shards]}
    storage.replace_json(folder / INDEX, {"version": VERSION, **value, "digest": digest_of([value["layout"], value["shards"]])})


def _digest(values: npt.NDArray[Any]) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()
