"""Joining: a window of few texts is compared on its own and together with those before it, until they are enough."""

from collections.abc import Sequence

from pretune.production.watch.budget import ENOUGH, MAX_JOINED
from pretune.production.watch.measured import Measured


def joinable(before: Sequence[Measured], num_texts: int) -> tuple[Measured, ...]:
    """Return the looks that a window of so many texts is joined with, the newest last; none where it is enough by itself."""
    parts = list[Measured]()
    for part in reversed(before):
        if num_texts >= ENOUGH or len(parts) >= MAX_JOINED - 1:
            break
        parts.insert(0, part)
        num_texts += len(part)
    return tuple(parts)


def keep(before: Sequence[Measured], window: Measured) -> tuple[Measured, ...]:
    """Return what later windows may be joined with: nothing where this one is enough by itself."""
    return () if len(window) >= ENOUGH else joinable((*before, window), 0)
