"""Sharing a judged model on the hub: what would be sent, and sending it."""

from pretune.production.push.contents import KINDS, Item, Shared, choose_items
from pretune.production.push.send import check_reach, check_repository, endpoint, send

__all__ = ["KINDS", "Item", "Shared", "check_reach", "check_repository", "choose_items", "endpoint", "send"]
