"""Lines: how foreign text is made fit to be shown in one of them."""

import unicodedata

# Word separators that would break a row, and marks that turn the reading order of what follows: a file name must not be
# able to draw outside of its cell or make the next column read backwards.
_SPACES = "\t\n\r\v\f\x85\u2028\u2029"
_REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"


def one_line(text: str, limit: int | None = None) -> str:
    r"""Make any text fit to be shown: one line, no control characters, at most ``limit`` characters.

    White space becomes one space; an escape character becomes its picture, so that a colour code in a file name is
    seen and not obeyed; half a surrogate pair, which no terminal can print, becomes the replacement character.

    Example:
        >>> one_line("red\x1b[31m\n  alert")
        'red␛[31m alert'
        >>> one_line("a long sentence", limit=7)
        'a long…'
    """
    # A cell may hold megabytes of which one line is wanted; spaces that fold together make it shorter yet.
    near = text if limit is None else text[: 8 * limit]
    line = " ".join("".join(map(_visible, near)).split())
    return line if limit is None or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _visible(character: str) -> str:
    if character in _SPACES:
        return " "
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "␡"
    refused = character in _REORDERING or unicodedata.category(character) in ("Cc", "Cs")
    return "\ufffd" if refused else character
