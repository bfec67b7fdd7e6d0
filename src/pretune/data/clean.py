"""Clean: removes from a text only what no reader would miss; case, punctuation and emoji stay."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from html.entities import html5

from pretune.records import Example

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE_TAG = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h[1-6]|hr)(?:\s[^<>]*|\s*/)?>", re.IGNORECASE)
# Only names that HTML has, so that "a < b", "<3" and "<unk>" stay.
_TAG = re.compile(
    r"<(?:/?(?:a|abbr|b|big|blockquote|body|center|cite|code|dd|del|dl|dt|em|font|form|head|html|i|iframe|img|input|ins"
    r"|link|meta|nobr|ol|option|pre|q|s|script|select|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|title|tt"
    r"|u|ul)(?:\s[^<>]*|\s*/)?>)",
    re.IGNORECASE,
)
# An ampersand that was escaped many times over: one step for them all, however many there are.
_AMPERSANDS = re.compile("&(?:(?:amp|#0{0,5}38|#x0{0,4}26);)+", re.IGNORECASE)
# Rounds after which a text is no text but a nest of markup, made so that each round uncovers one level more.
MAX_ROUNDS = 8
_MARKUP = str.maketrans("<>&", "   ")
# Combining marks in a row, before the joiner that Unicode has for this is put between them. No language needs half as many.
MAX_MARKS = 30
# Left by Windows-1252 text that was read as Latin-1: control characters where punctuation was meant.
_WINDOWS = {
    code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_WINDOWS_CHARACTERS = re.compile("[" + "".join(map(chr, _WINDOWS)) + "]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# Zero-width space, word joiner, byte-order mark, soft hyphen, direction marks. The two joiners stay: emoji
# sequences and several scripts are spelled with them.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|\u2028|\u2029")
_ODD_SPACE = re.compile(r"[^\S\n ]")
_SPACES = re.compile("  +")
_SPACED_LINE_END = re.compile(r" *\n *")
_EMPTY_LINES = re.compile(r"\n{3,}")
_VISIBLE = re.compile("[^\\s\u200c\u200d\ufe0e\ufe0f]")


def _is_plain(text: str) -> bool:
    """Whether a text is printable ASCII without markup and with single spaces inside: nothing to do. Most texts are."""
    is_printable = text.isascii() and text.isprintable()
    return is_printable and not ("<" in text or "&" in text or "  " in text or text[:1] == " " or text[-1:] == " ")


def writable(text: str) -> str:
    """Return a text that can be written: halves of characters, of which JSON may hold one, become U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    text = _AMPERSANDS.sub("&", text)
    return _ENTITY.sub(lambda match: html.unescape(match[0]) if match[0][1] == "#" or match[0][1:] in html5 else match[0], text)


def _drop_tags(text: str) -> str:
    return _TAG.sub(" ", drop_between(_LINE_TAG.sub("\n", text), "<!--", "-->")) if "<" in text else text


def drop_between(text: str, begin: str, end: str, put: str = " ") -> str:
    """Return ``text`` with ``put`` in place of each stretch from ``begin`` to the next ``end``; one that never ends stays.

    A pattern such as ``<!--.*?-->`` would look through the rest of the text at each beginning without an end.

    Example:
        >>> drop_between("a <!-- b --> c <!-- d", "<!--", "-->")
        'a   c <!-- d'
    """
    parts, place = list[str](), 0
    while (first := text.find(begin, place)) >= 0 and (last := text.find(end, first + len(begin))) >= 0:
        parts.extend((text[place:first], put))
        place = last + len(end)
    return "".join((*parts, text[place:])) if parts else text


def _space(text: str) -> str:
    text = _SPACES.sub(" ", _ODD_SPACE.sub(" ", text))
    if "\n " in text or " \n" in text:
        text = _SPACED_LINE_END.sub("\n", text)
    return _EMPTY_LINES.sub("\n\n", text).strip()


def _compose(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", _safe(text))


def _safe(text: str) -> str:
    """Part long runs of combining marks, which are ordered in a time that grows with the square (UAX #15, stream-safe text)."""
    return text if len(text) <= MAX_MARKS else _long_runs().sub("\\g<0>\u034f", text)


@lru_cache(maxsize=1)
def _long_runs() -> re.Pattern[str]:
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.combining(chr(code)))
    return re.compile(f"[{marks}]{{{MAX_MARKS}}}(?=[{marks}])")


# Name, as the receipt prints it, and what is done; in this order.
STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("lone surrogates", writable),
    ("HTML entities", _unescape),
    ("HTML tags", _drop_tags),
    ("line ends", lambda text: _LINE_END.sub("\n", text)),
    ("Windows-1252 punctuation", lambda text: _WINDOWS_CHARACTERS.sub(lambda match: _WINDOWS[ord(match[0])], text)),
    ("control characters", lambda text: _CONTROL.sub("", text)),
    ("invisible characters", lambda text: _INVISIBLE.sub("", text)),
    ("Unicode form", _compose),
    ("spacing", _space),
)


# What a name, such as that of a class, is cleaned of: markup and runs of spaces are its own.
_NAME_STEPS = ("line ends", "Windows-1252 punctuation", "control characters", "invisible characters", "Unicode form")


def clean_name(name: str) -> str:
    """Return a name without what no reader would see in it, and with plain spaces; case, markup and punctuation stay."""
    if name.isascii() and name.isprintable():
        return name.strip()
    for step, apply in STEPS:
        if step in _NAME_STEPS:
            name = apply(name)
    return _ODD_SPACE.sub(" ", name).strip()


def clean_unseen(text: str, done: set[str]) -> str:
    """Return a text without what no reader would see in it; markup and spacing stay. Add to ``done`` what changed."""
    if text.isascii() and "\r" not in text and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    for step, apply in STEPS:
        if step in _NAME_STEPS and (after := apply(text)) != text:
            done.add(step)
            text = after
    return text


def clean_text(text: str) -> str:
    r"""Return ``text`` as the tokenizer will see it; cleaning it again changes nothing.

    HTML tags and entities become what they show; line ends become ``\n``; control and invisible characters go;
    Unicode is composed (NFC); runs of spaces become one, and more than one empty line becomes one. Case,
    punctuation, emoji, and anything that only looks like markup (``<3``, ``a < b``) stay. A text of nothing
    visible becomes empty.

    Example:
        >>> clean_text("A <b>great</b>&nbsp;film!<br />Tom &amp; Jerry <3  ")
        'A great film!\nTom & Jerry <3'
    """
    return clean_noting(text, set())


def has_content(text: str) -> bool:
    """Whether anything visible is left of ``text`` once it is cleaned."""
    return text[:1].isalnum() or bool(clean_text(text))


def clean_examples(examples: Iterable[Example]) -> tuple[tuple[Example, ...], dict[str, int]]:
    """Clean the texts of examples.

    Returns:
        The examples in their order, and how many texts each kind of cleaning changed, most frequent first.
    """
    counts: Counter[str] = Counter()
    cleaned = []
    for example in examples:
        done: set[str] = set()
        text = clean_noting(example.text, done)
        cleaned.append(replace(example, text=text) if done else example)
        counts.update(done)
    return tuple(cleaned), dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def clean_noting(text: str, done: set[str]) -> str:
    """Clean as ``clean_text`` does, and add to ``done`` what kinds of cleaning changed the text."""
    if _is_plain(text):
        return text
    changed, num_rounds = True, 0
    while changed:  # what one step uncovers (an escaped tag, say) is for the next round
        before, num_rounds = text, num_rounds + 1
        if num_rounds == MAX_ROUNDS:
            done.add("nested markup")
            text = text.translate(_MARKUP)
        for name, step in STEPS:
            if (after := step(text)) != text:
                done.add(name)
                text = after
        changed = text != before
    return text if _VISIBLE.search(text) else ""
