"""Markdown as all documents here have it: paragraphs of at most 120 columns; tables, headings and code as they are."""

import re
import textwrap

WIDTH = 120
LONGEST = 128  # what tests/contracts/test_docs.py allows
_APART = re.compile(r"\s*(?:[|#<]|!\[|```)")
_ITEM = re.compile(r"(?:[-*+]|\d+\.)\s+")
# Spaces that may not become line ends: inside code, and before what would start a list, a heading or a quotation.
_HELD = re.compile(r"`[^`]{1,60}`|\[[^\]]*\]\([^)]*\)| (?=(?:[-+*#>]|\d+\.)\s)")


def wrapped(page: str) -> str:
    r"""Return a page with its long paragraphs and list items in lines that fit.

    Example:
        >>> wrapped("# Head\n\n" + "word " * 40 + "\n| a row |").count("\n")
        4
    """
    lines, paragraph, is_code = list[str](), list[str](), False
    for line in page.split("\n"):
        is_code ^= line.startswith("```")
        is_apart = is_code or not line.strip() or _APART.match(line) is not None
        if is_apart or _ITEM.match(line):
            lines += _fill(paragraph)
            paragraph = []
        (lines if is_apart else paragraph).append(line)
    return "\n".join([*lines, *_fill(paragraph)])


def _fill(paragraph: list[str]) -> list[str]:
    if max(map(len, paragraph), default=0) <= LONGEST:
        return paragraph
    text = _HELD.sub(lambda found: found[0].replace(" ", "\0"), " ".join(paragraph))
    item = _ITEM.match(paragraph[0])
    indent = " " * len(item[0]) if item else ""
    filled = textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in filled]
