"""Conversation: fine-tune a chat model on the conversations of a domain, and judge what it replies."""
