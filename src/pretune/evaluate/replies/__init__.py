"""Figures of replies: each with an interval over units, and paired with the same of every rival."""

from pretune.evaluate.replies.assess import MAIN, NOT_COMPARED, assess_replies
from pretune.evaluate.replies.forgetting import FORGETTING, GENERAL, INSTRUCTIONS

__all__ = ["FORGETTING", "GENERAL", "INSTRUCTIONS", "MAIN", "NOT_COMPARED", "assess_replies"]
