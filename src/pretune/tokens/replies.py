"""Conversations of a split as token ids, with marks at the replies: what is learned, what is cut, and what is left out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pretune.configs import MAX_REJECTED_SHARE
from pretune.errors import DataError, ModelLoadError
from pretune.records import Conversation, ReplyCounts, TokenCounts
from pretune.tokens.chat import ChatTemplate, EncodedConversation, Ids, Reply
from pretune.tokens.encode import Encoded

# Text that is rendered and tokenized at once, in characters: what the libraries make of it takes a hundred times its size.
CHUNK = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedReplies:
    """Conversations as ids laid end to end, and which of these ids are learned.

    Args:
        tokens: Ids and offsets; ``pad`` and ``plan_batches`` take it, its rows are those of ``rows``.
        rows: Of each row here, which of the conversations it is, shape (num_rows,); some may have been left out.
        starts: Of each reply, the place of its first token among all ids, shape (num_replies,).
        ends: Of each reply, the place behind its last token, the one that ends it included where it was not cut off.
        counts: What became of the conversations.
    """

    tokens: Encoded
    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    counts: ReplyCounts

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def marks(self) -> npt.NDArray[np.bool_]:
        """Whether each token is one of a reply, shape (num_tokens,)."""
        changes = np.zeros(len(self.tokens.ids) + 1, dtype=np.int32)
        np.add.at(changes, self.starts, 1)
        np.add.at(changes, self.ends, -1)
        return np.cumsum(changes[:-1]).astype(bool)

    def part(self, rows: npt.NDArray[np.int64]) -> "EncodedReplies":
        """Return some of the rows, in this order; ``counts`` stays that of all."""
        offsets, lengths = self.tokens.offsets, self.tokens.lengths[rows]
        own = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in rows])
        marks, moved = self.marks[own], np.concatenate([[0], np.cumsum(lengths)])
        is_first = marks & ~np.concatenate([[False], marks[:-1]])
        is_first |= marks & np.isin(np.arange(len(own)), moved)
        is_last = marks & ~np.concatenate([marks[1:], [False]])
        is_last |= marks & np.isin(np.arange(len(own)) + 1, moved)
        return EncodedReplies(
            tokens=replace(self.tokens, ids=self.tokens.ids[own], offsets=moved),
            rows=self.rows[rows],
            starts=np.flatnonzero(is_first),
            ends=np.flatnonzero(is_last) + 1,
            counts=self.counts,
        )


def encode_replies(
    conversations: Sequence[Conversation], template: ChatTemplate, *, max_length: int, split: str = ""
) -> EncodedReplies:
    """Return conversations as ids, cut at ``max_length``, with their replies.

    A reply that is cut teaches no end: its span ends at the cut. A conversation whose first reply begins beyond the cut teaches
    nothing and is left out, and so is one that the template refuses; both are counted.

    Args:
        conversations: Of one split.
        template: Of the model.
        max_length: Tokens that are kept of each, from its beginning.
        split: Name for the counts.

    Raises:
        DataError: Nothing is left, or the template refuses over 1 % of the conversations.
    """
    kept = list[tuple[int, Ids, tuple[Reply, ...]]]()
    tally, refused, num_cut_tokens = Counter[str](), list[tuple[Conversation, ModelLoadError]](), 0
    place = 0
    for part in _chunks(conversations):
        for found in template.encode_all([item.turns for item in part]):
            if isinstance(found, ModelLoadError):
                refused.append((conversations[place], found))
            elif replies := _within(found, max_length):
                kept.append((place, found.ids[:max_length], replies))
                tally["cut"] += found.replies[-1].end > max_length
                num_cut_tokens += max(0, len(found.ids) - max_length)
            else:
                tally["beyond"] += 1
            place += 1
    _check_refused(refused, len(conversations), split)
    if not kept:
        raise _nothing(len(conversations), tally["beyond"], max_length, split)
    return _joined(kept, template, num_cut_tokens, _counts(kept, tally, len(refused), len(conversations), max_length, split))


def _chunks(conversations: Sequence[Conversation]) -> Iterator[Sequence[Conversation]]:
    start = size = 0
    for place, item in enumerate(conversations):
        size += sum(len(turn.text) for turn in item.turns)
        if size >= CHUNK:
            yield conversations[start : place + 1]
            start, size = place + 1, 0
    if start < len(conversations):
        yield conversations[start:]


def _within(found: EncodedConversation, max_length: int) -> tuple[Reply, ...]:
    """The replies that begin before the cut; one that it parts ends there."""
    return tuple(Reply(reply.start, min(reply.end, max_length)) for reply in found.replies if reply.start < max_length)


def _counts(
    kept: Sequence[tuple[int, Ids, tuple[Reply, ...]]],
    tally: Counter[str],
    num_refused: int,
    num_conversations: int,
    max_length: int,
    split: str,
) -> ReplyCounts:
    return ReplyCounts(
        split=split,
        num_conversations=num_conversations,
        num_used=len(kept),
        num_replies=sum(len(replies) for _, _, replies in kept),
        num_tokens=sum(len(ids) for _, ids, _ in kept),
        num_targets=sum(reply.end - reply.start for _, _, replies in kept for reply in replies),
        num_cut=tally["cut"],
        num_beyond=tally["beyond"],
        num_refused=num_refused,
        max_length=max_length,
    )


def _joined(
    kept: Sequence[tuple[int, Ids, tuple[Reply, ...]]], template: ChatTemplate, num_cut_tokens: int, counts: ReplyCounts
) -> EncodedReplies:
    lengths = np.array([len(ids) for _, ids, _ in kept], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    spans = [
        (first + start, first + end)
        for first, (_, _, replies) in zip(offsets.tolist(), kept, strict=False)
        for start, end in replies
    ]
    places = np.array(spans, dtype=np.int64).reshape(-1, 2)
    tokens = TokenCounts(
        split=counts.split,
        num_texts=len(kept),
        num_tokens=counts.num_tokens,
        num_cut_texts=counts.num_cut,
        num_cut_tokens=num_cut_tokens,
        num_unknown=0,
        max_length=counts.max_length,
    )
    return EncodedReplies(
        tokens=Encoded(
            ids=np.concatenate([ids for _, ids, _ in kept]), offsets=offsets, padding_id=template.padding_id, counts=tokens
        ),
        rows=np.array([place for place, _, _ in kept], dtype=np.int64),
        starts=places[:, 0],
        ends=places[:, 1],
        counts=counts,
    )


def _check_refused(refused: Sequence[tuple[Conversation, ModelLoadError]], total: int, split: str) -> None:
    if not refused or (len(refused) <= MAX_REJECTED_SHARE * total and len(refused) < total):
        return
    first, error = refused[0]
    raise DataError(
        f"{len(refused):,} of {total:,} conversations of {split or 'the data'} do not fit the chat template, "
        f"such as {first.id}: {error.got}",
        expected=error.expected,
        fix=error.fix,
    )


def _nothing(total: int, num_beyond: int, max_length: int, split: str) -> DataError:
    return DataError(
        f"no reply of {split or 'the data'} is left: {num_beyond:,} of {total:,} begin beyond {max_length:,} tokens",
        expected="replies that begin within --max-length",
        fix="raise --max-length",
    )
