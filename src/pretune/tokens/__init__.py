"""Texts as token ids, and ids as batches.

What chats, corpora and new tokenizers need is resolved on first use: who only asks a classifier loads numpy alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pretune.tokens.batch import (
    MAX_TOKENS_A_PART,
    pad,
    padded_width,
    plan_batches,
    plan_scoring,
    split_batch,
)
from pretune.tokens.encode import Encoded, encode

# Name → the module of this package that defines it.
_HOMES = {
    "ChatTemplate": "chat",
    "EncodedConversation": "chat",
    "EncodedReplies": "replies",
    "Masked": "masking",
    "Reply": "chat",
    "TokenStore": "store",
    "Vocabulary": "masking",
    "assess_tokenizer": "quality",
    "encode_replies": "replies",
    "fit_of_file": "quality",
    "mask_tokens": "masking",
    "next_tokens": "masking",
    "train_tokenizer": "train",
    "vocabulary_of": "masking",
    "write_store": "write",
}

__all__ = [
    "MAX_TOKENS_A_PART",
    "Encoded",
    "encode",
    "pad",
    "padded_width",
    "plan_batches",
    "plan_scoring",
    "split_batch",
    *_HOMES,
]

if TYPE_CHECKING:  # what type checkers and editors see
    from pretune.tokens.chat import ChatTemplate as ChatTemplate, EncodedConversation as EncodedConversation, Reply as Reply
    from pretune.tokens.masking import (
        Masked as Masked,
        Vocabulary as Vocabulary,
        mask_tokens as mask_tokens,
        next_tokens as next_tokens,
        vocabulary_of as vocabulary_of,
    )
    from pretune.tokens.quality import assess_tokenizer as assess_tokenizer, fit_of_file as fit_of_file
    from pretune.tokens.replies import EncodedReplies as EncodedReplies, encode_replies as encode_replies
    from pretune.tokens.store import TokenStore as TokenStore
    from pretune.tokens.train import train_tokenizer as train_tokenizer
    from pretune.tokens.write import write_store as write_store


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
