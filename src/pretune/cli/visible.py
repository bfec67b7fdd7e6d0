"""Makes foreign text, such as a label or a file name, visible to people and harmless to terminals."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Control characters but for tab and line feed, marks that turn the reading order of what follows, and halves of characters
# that no terminal can print.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return a text with a picture in place of every character that a terminal would obey; line ends and tabs stay.

    Example:
        >>> visible("a\x1b[31mred\r\n\u202eb")
        'a␛[31mred␍\n�b'
    """
    return _UNSAFE.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    character = match[0]
    if character < " ":
        return chr(0x2400 + ord(character))
    return "␡" if character == "\x7f" else "\ufffd"


class Inert:
    """A stream of text on which nothing that is written is obeyed, whoever writes: us, a library, a warning.

    ``inner`` is the stream itself, for a drawing that brings its own colours. There is no ``buffer``: bytes would pass by.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        """Write a text, made visible."""
        return int(self.inner.write(visible(text)))

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.inner, name)


@contextmanager
def inert_output(system: Any) -> Iterator[None]:
    """Make standard output and standard error inert for as long as the block runs.

    Args:
        system: The module ``sys``, or whatever has its two streams.
    """
    before = system.stdout, system.stderr
    system.stdout, system.stderr = map(Inert, before)
    try:
        yield
    finally:
        system.stdout, system.stderr = before
