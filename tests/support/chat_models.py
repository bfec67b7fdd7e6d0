"""The tiny chat model of the self-test, which is real in kind, and conversations for it."""

from pretune.selftest.talks import make_pairs, write_chat_model as save_chat_model

__all__ = ["make_pairs", "save_chat_model"]
