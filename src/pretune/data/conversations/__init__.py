"""Conversations: whatever the user named, as turns; forms are told apart by their columns, and every row is accounted for."""

from pretune.data.conversations.dataset import ConversationSet, TrainingConversations, load_conversations, prepare
from pretune.data.conversations.glance import looks_like_conversations
from pretune.data.conversations.read import ConversationTable, read_conversations

__all__ = [
    "ConversationSet",
    "ConversationTable",
    "TrainingConversations",
    "load_conversations",
    "looks_like_conversations",
    "prepare",
    "read_conversations",
]
