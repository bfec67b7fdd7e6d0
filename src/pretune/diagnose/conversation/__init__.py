"""Checks of a chat model and of its conversations, one question each."""

from pretune.diagnose.conversation.checks import (
    CONVERSATION_CHECKS,
    CONVERSATION_DATA_CHECKS,
    ConversationCheck,
    diagnose_conversation,
)

__all__ = ["CONVERSATION_CHECKS", "CONVERSATION_DATA_CHECKS", "ConversationCheck", "diagnose_conversation"]
