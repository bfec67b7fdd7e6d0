"""Texts of turns: cleaned of what no reader sees; control tokens that end a reply are taken away, and counted.

Unlike texts to classify, replies are written again by the model, so markup, entities and indentation stay as they are.
"""

import re
from collections import Counter

from pretune.data.clean import clean_unseen

# A control token as models write them, spelled out: what other tools leave at the end of replies.
_TOKEN = r"<\|[A-Za-z_]{2,40}\|>|<｜[^｜<>\n]{2,40}｜>|</?s>|<[be]os>|<(?:start|end)_of_turn>|<pad>|\[EOS\]"
_ENDING = re.compile(rf"\s*({_TOKEN})\s*\Z", re.IGNORECASE)
_BEGINNING = re.compile(rf"\s*({_TOKEN})\s*", re.IGNORECASE)
_ANYWHERE = re.compile(_TOKEN, re.IGNORECASE)
_STRUCK_OUT = re.compile("<s>(?:(?!<s>).)*</s>\\Z", re.DOTALL)
_SPACED_LINE_END = re.compile(r"[^\S\n]+\n")
_EMPTY_LINES = re.compile(r"\n{3,}")
_MAX_ENDING = 200  # characters at the end in which a control token is looked for


def clean_turn(text: str, cleaned: Counter[str]) -> str:
    """Return what a turn says, without what no reader sees and without spaces around it; count what was done."""
    done: set[str] = set()
    text = clean_unseen(text, done).strip()
    if "\n" in text:
        spaced = _EMPTY_LINES.sub("\n\n", _SPACED_LINE_END.sub("\n", text))
        done |= {"spaces at line ends"} if spaced != text else set()
        text = spaced
    cleaned.update(done)
    return text


def without_control(reply: str, found: Counter[str]) -> str:
    """Return a reply without the control tokens that it begins and ends with; count them.

    Example:
        >>> found = Counter()
        >>> without_control("Paris.<|endoftext|>", found), dict(found)
        ('Paris.', {'<|endoftext|>': 1})
    """
    if reply[-1:] not in (">", "]") and reply[:1] not in ("<", "["):
        return reply
    start, end, is_struck_out = 0, len(reply), _is_struck_out(reply)
    while (match := _ENDING.search(reply, max(start, end - _MAX_ENDING), end)) and not (is_struck_out and match[1] == "</s>"):
        found[match[1]] += 1
        end = match.start()
    has_end = reply.find("</s>", start, end) >= 0
    while (match := _BEGINNING.match(reply, start, end)) and not (has_end and match[1] == "<s>"):
        found[match[1]] += 1
        start = match.end()
    return reply[start:end].strip()


def spells_control(text: str) -> bool:
    """Whether a text spells a control token anywhere."""
    return ("<" in text or "[" in text) and _ANYWHERE.search(text) is not None


def _is_struck_out(reply: str) -> bool:
    """Whether a reply ends with a text that is struck out in HTML: its end is no control token."""
    return reply.endswith("</s>") and not reply.startswith("<s>") and _STRUCK_OUT.search(reply) is not None
