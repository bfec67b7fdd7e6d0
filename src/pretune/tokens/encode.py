"""Texts to token ids: long texts are truncated, and every truncation is counted."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.records import TokenCounts

# Texts handed to the tokenizer at once: enough to use both cores, few enough to bound memory.
CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Token ids of many texts, laid end to end."""

    ids: npt.NDArray[np.int32]  # (num_tokens,)
    offsets: npt.NDArray[np.int64]  # (num_texts + 1,)
    padding_id: int
    counts: TokenCounts

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens a text, shape (num_texts,)."""
        return np.diff(self.offsets)


def encode(texts: Sequence[str], tokenizer: Any, *, max_length: int, split: str = "") -> Encoded:
    """Tokenize texts, special tokens included, keeping the first ``max_length`` tokens.

    Args:
        texts: Cleaned texts.
        tokenizer: A fast tokenizer of transformers; where its ``split_special_tokens`` is set, a control token that is spelled
            out in a text is text.
        max_length: Tokens a text; the closing special token is kept when a text is cut.
        split: Name for the counts.
    """
    backend, unknown, padding_id = tokenizer.backend_tokenizer, tokenizer.unk_token_id, int(tokenizer.pad_token_id or 0)
    nothing = np.array([padding_id if unknown is None else unknown], dtype=np.int32)  # a model needs a token to read
    chunks: list[npt.NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
    lengths = np.zeros(len(texts), dtype=np.int64)
    num_cut_texts = num_cut_tokens = 0
    with uncut(backend), reading_control_tokens(backend, as_text=bool(getattr(tokenizer, "split_special_tokens", False))):
        num_closing = _num_closing(backend)
        for start in range(0, len(texts), CHUNK):
            pieces = []  # joined at the end of a chunk: an array a text would take more than its numbers
            for place, encoding in enumerate(backend.encode_batch_fast(list(texts[start : start + CHUNK])), start):
                ids = np.asarray(encoding.ids, dtype=np.int32)
                if len(ids) > max_length:
                    num_cut_texts, num_cut_tokens = num_cut_texts + 1, num_cut_tokens + len(ids) - max_length
                    ids = np.concatenate([ids[: max_length - num_closing], ids[len(ids) - num_closing :]])
                pieces.append(ids if len(ids) else nothing)
                lengths[place] = len(pieces[-1])
            chunks.append(np.concatenate(pieces))
    flat = np.concatenate(chunks)
    counts = TokenCounts(
        split=split,
        num_texts=len(texts),
        num_tokens=len(flat),
        num_cut_texts=num_cut_texts,
        num_cut_tokens=num_cut_tokens,
        num_unknown=int((flat == unknown).sum()) if unknown is not None else 0,
        max_length=max_length,
    )
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Encoded(ids=flat, offsets=offsets, padding_id=padding_id, counts=counts)


@contextlib.contextmanager
def uncut(backend: Any) -> Iterator[None]:
    """Switch off the tokenizer's own truncation and padding, which its file may ask for, and put them back."""
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        yield
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)


@contextlib.contextmanager
def reading_control_tokens(backend: Any, *, as_text: bool) -> Iterator[None]:
    """Read control tokens that are spelled out in a text as text, or as what they stand for."""
    before = backend.encode_special_tokens
    backend.encode_special_tokens = as_text
    try:
        yield
    finally:
        backend.encode_special_tokens = before


def _num_closing(backend: Any) -> int:
    special = backend.encode("a").special_tokens_mask
    return next((index for index, flag in enumerate(reversed(special)) if not flag), 0)
