"""Explaining: with ``--explain`` a command ends with the terms of what it has shown, each in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from pretune.cli import show


@contextmanager
def explaining(*, is_asked: bool) -> Iterator[None]:
    """Remember what is shown while the block runs, and explain its terms in the end."""
    if not is_asked:
        yield
        return
    shown: list[str] = []
    token = show.SHOWN.set(shown)
    try:
        yield
    finally:
        show.SHOWN.reset(token)
    from pretune.report.terminal.practice import draw_terms
    from pretune.wording.glossary import find_terms, load_terms

    names = {term.name for text in shown for _, term in find_terms(text)}
    if names:
        show.show(draw_terms([term for term in load_terms().values() if term.name in names]))
