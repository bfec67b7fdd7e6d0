"""Texts as token ids, and ids as batches."""

from pretune.tokens.batch import pad, plan_batches, plan_scoring
from pretune.tokens.encode import Encoded, encode

__all__ = ["Encoded", "encode", "pad", "plan_batches", "plan_scoring"]
