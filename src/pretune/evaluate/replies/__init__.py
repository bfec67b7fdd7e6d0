"""Figures of replies: each with an interval over units, and paired with the same of every rival."""

from pretune.evaluate.replies.assess import FORM, MAIN, NOT_COMPARED, assess_forms, assess_replies
from pretune.evaluate.replies.forgetting import FORGETTING, GENERAL, INSTRUCTIONS

__all__ = [
    "FORGETTING",
    "FORM",
    "GENERAL",
    "INSTRUCTIONS",
    "MAIN",
    "NOT_COMPARED",
    "assess_forms",
    "assess_replies",
]
