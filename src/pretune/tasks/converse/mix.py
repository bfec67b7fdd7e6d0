"""Mixing: other text beside the conversations, so that what the model could do before is not forgotten."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pretune.configs import ReadConfig
from pretune.data.conversations import looks_like_conversations, read_conversations
from pretune.data.read.path import read_table
from pretune.errors import DataError
from pretune.records import TokenCounts
from pretune.run.trace import Trace
from pretune.tokens.chat import ChatTemplate
from pretune.tokens.encode import Encoded, encode
from pretune.tokens.replies import encode_replies
from pretune.train.replies import Talks

# Texts of fewer characters are titles and other scraps, where there are longer ones.
LEAST_LETTERS = 200


def read_mix(
    source: str, num_tokens: int, template: ChatTemplate, tokenizer: Any, *, max_length: int, seed: int, trace: Trace
) -> Talks:
    """Return about so many tokens of other text: of plain text every token is learned, of conversations the replies.

    Args:
        source: Raw text, or a table of conversations.
        num_tokens: To learn from.
        template: Of the model, for conversations.
        tokenizer: Of the model.
        max_length: Tokens per row.
        seed: Of the draw.
        trace: Receives the stage.

    Raises:
        DataError: The source cannot be read, or has no text.
    """
    with trace.stage("mix", f"{source}, {num_tokens:,} tokens") as stage:
        read = ReadConfig(require_labels=False)
        if looks_like_conversations(source, read):
            rows = _drawn(read_conversations(source, read).conversations, seed)
            found = encode_replies(_enough(rows, num_tokens), template, max_length=max_length, split="mix")
            talks = Talks(tokens=found.tokens, is_reply=found.marks)
        else:
            texts = [row.text for row in read_table(source, read).examples]
            long = [text for text in texts if len(text) >= LEAST_LETTERS] or texts
            chosen = [text[: 8 * max_length] for text in _drawn(long, seed)]
            tokens = encode(_some(chosen, num_tokens), tokenizer, max_length=max_length, split="mix")
            talks = Talks(tokens=tokens, is_reply=np.ones(len(tokens.ids), dtype=np.bool_))
        if not talks.is_reply.any():
            raise DataError(
                f"{source} has no text to mix in", expected="texts or conversations", fix="name another --mix-corpus"
            )
        talks = _cut(talks, num_tokens)
        stage.done = "learned beside the conversations, against forgetting"
        stage.shape_out = f"{len(talks):,} texts, {int(talks.is_reply.sum()):,} tokens learned"
    return talks


def join(first: Talks, second: Talks) -> Talks:
    """Return the rows of both, one after the other."""
    a, b = first.tokens, second.tokens
    tokens = Encoded(
        ids=np.concatenate([a.ids, b.ids]),
        offsets=np.concatenate([a.offsets, b.offsets[1:] + a.offsets[-1]]),
        padding_id=a.padding_id,
        counts=a.counts,
    )
    return Talks(tokens=tokens, is_reply=np.concatenate([first.is_reply, second.is_reply]))


def _drawn(items: Sequence[Any], seed: int) -> list[Any]:
    return [items[place] for place in np.random.default_rng(seed).permutation(len(items))]


def _enough(rows: Sequence[Any], num_tokens: int) -> list[Any]:
    """Return the first conversations that have so many tokens for certain: none is shorter than one."""
    letters, found = 0, list[Any]()
    for row in rows:
        found.append(row)
        letters += len(row.reference)
        if letters > 8 * num_tokens:
            break
    return found


def _some(texts: Sequence[str], num_tokens: int) -> list[str]:
    return list(_until(texts, 8 * num_tokens))


def _until(texts: Sequence[str], letters: int) -> Iterator[str]:
    for text in texts:
        if letters <= 0:
            return
        letters -= len(text)
        yield text


def _cut(talks: Talks, num_tokens: int) -> Talks:
    """Return the first rows, up to so many learned tokens; at least one."""
    ends = np.cumsum(talks.is_reply)[talks.tokens.offsets[1:] - 1]
    number = max(1, int(np.searchsorted(ends, num_tokens, side="right")))
    stop = int(talks.tokens.offsets[number]) if number < len(talks) else len(talks.tokens.ids)
    number = min(number, len(talks))
    counts: TokenCounts = talks.tokens.counts
    tokens = Encoded(
        ids=talks.tokens.ids[:stop],
        offsets=talks.tokens.offsets[: number + 1],
        padding_id=talks.tokens.padding_id,
        counts=counts,
    )
    return Talks(tokens=tokens, is_reply=talks.is_reply[:stop])
