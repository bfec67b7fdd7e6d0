"""Text of a reply, whole and token by token: no half character is ever shown, and the parts make up the whole."""

from collections.abc import Sequence
from typing import Any

HALF = "\ufffd"  # what a decoder puts for bytes that are no character yet


def text_of(tokenizer: Any, ids: Sequence[int]) -> str:
    """Return the text of a reply, without control tokens, and without spaces around it."""
    return _decoded(tokenizer, ids).strip()


class StreamedText:
    """The text of a reply as it grows.

    Args:
        tokenizer: Of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer, self._ids, self._shown = tokenizer, list[int](), ""

    def add(self, token: int) -> str:
        """Return what can be shown now that this token has come; spaces and halves of characters wait for what follows."""
        self._ids.append(token)
        return self._show(_decoded(self._tokenizer, self._ids).rstrip(HALF).strip())

    def rest(self) -> str:
        """Return what is left at the end."""
        return self._show(text_of(self._tokenizer, self._ids))

    def _show(self, text: str) -> str:
        if not text.startswith(self._shown):  # a decoder that changes what it said: nothing more until it is back, or the end
            return ""
        new = text[len(self._shown) :]
        self._shown = text
        return new


def _decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(list(map(int, ids)), skip_special_tokens=True, clean_up_tokenization_spaces=False))
