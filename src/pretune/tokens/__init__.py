"""Texts as token ids, and ids as batches."""

from pretune.tokens.batch import (
    MAX_TOKENS_A_PART,
    pad,
    padded_width,
    plan_batches,
    plan_scoring,
    split_batch,
)
from pretune.tokens.chat import ChatTemplate, EncodedConversation, Reply
from pretune.tokens.encode import Encoded, encode
from pretune.tokens.masking import Masked, Vocabulary, mask_tokens, next_tokens, vocabulary_of
from pretune.tokens.quality import assess_tokenizer, fit_of_file
from pretune.tokens.replies import EncodedReplies, encode_replies
from pretune.tokens.store import TokenStore
from pretune.tokens.train import train_tokenizer
from pretune.tokens.write import write_store

__all__ = [
    "MAX_TOKENS_A_PART",
    "ChatTemplate",
    "Encoded",
    "EncodedConversation",
    "EncodedReplies",
    "Masked",
    "Reply",
    "TokenStore",
    "Vocabulary",
    "assess_tokenizer",
    "encode",
    "encode_replies",
    "fit_of_file",
    "mask_tokens",
    "next_tokens",
    "pad",
    "padded_width",
    "plan_batches",
    "plan_scoring",
    "split_batch",
    "train_tokenizer",
    "vocabulary_of",
    "write_store",
]
