"""Cleaning: what is removed from a corpus document, beyond what is removed from any text."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from pretune.data.clean import MAX_ROUNDS, clean_noting, drop_between

# Elements whose content no reader sees as text, and notes of wiki markup.
_HIDDEN = ("script", "style", "noscript", "template", "ref", "math", "gallery", "timeline")
_OPENING = re.compile(rf"<({'|'.join(_HIDDEN)})\b[^<>]*?(/?)>", re.I)
_CLOSING = {name: re.compile(rf"</{name}\s*>", re.I) for name in _HIDDEN}
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")  # from the inside out
_FILE_LINK = re.compile(
    r"\[\[(?:File|Image|Category|Datei|Kategorie|Fichier|Catégorie):(?:[^\[\]]|\[\[[^\[\]]*\]\])*\]\]", re.I
)
_PIPED_LINK = re.compile(r"\[\[[^\[\]|]*\|([^\[\]|]*)\]\]")
_LINK = re.compile(r"\[\[([^\[\]|]*)\]\]")
_WEB_LINK = re.compile(r"\[(?:https?|ftp)://[^\s\[\]]+ ([^\[\]]+)\]")
_QUOTES = re.compile(r"'{2,5}([^'\n]+(?:'[^'\n]+)*)'{2,5}")
# A number counts after punctuation only: "a[1]" may be code.
_MARKS = re.compile(r"\[(?:edit|citation needed|clarification needed|who\?|when\?)\]|(?<=[.,;:!?)\"’”'])\[\d{1,3}\]", re.I)
_EMPTY_BRACKETS = re.compile(r" ?\(\s*(?:[;,]\s*)?\)")
_ESCAPES = re.compile(r" @([-,.])@ ")  # WikiText parts numbers and compounds so
_HEADING = re.compile(r"^ ?(={2,6}) ?([^=\n].*?) ?\1 ?$", re.M)
_SPACED_HEADING = re.compile(r"^ ?(?:= ){1,6}([^=\n][^\n]*?)(?: =){1,6} ?$", re.M)  # WikiText: " = = Plot = = "


# What markup is made of, for a document that is nothing else.
_NEST = str.maketrans("<>&[]{}()|='@", " " * 13)


def _drop_hidden(text: str) -> str:
    """Drop elements with what is in them; where one is never closed, no later one of its name is looked for."""
    parts, place, unclosed = list[str](), 0, set[str]()
    for opening in _OPENING.finditer(text):
        name = opening[1].lower()
        if opening.start() < place or (name in unclosed and not opening[2]):
            continue
        found = opening if opening[2] else _CLOSING[name].search(text, opening.end())
        if found is None:
            unclosed.add(name)
        else:
            parts.extend((text[place : opening.start()], " "))
            place = found.end()
    return "".join((*parts, text[place:])) if parts else text


def _drop_templates(text: str) -> str:
    for _ in range(MAX_ROUNDS):
        if (after := _TEMPLATE.sub("", text)) == text:
            break
        text = after
    return text


def _drop_links(text: str) -> str:
    text = _LINK.sub(r"\1", _PIPED_LINK.sub(r"\1", _FILE_LINK.sub("", text)))
    return _WEB_LINK.sub(r"\1", text)


# What a text must hold for the step to be worth trying, name as the receipt prints it, and what is done; in this order.
STEPS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("<", "hidden elements", _drop_hidden),
    ("{|", "wiki tables", lambda text: drop_between(text, "{|", "|}", "")),
    ("{{", "wiki templates", _drop_templates),
    ("[", "wiki links", _drop_links),
    ("''", "wiki quotes", lambda text: _QUOTES.sub(r"\1", text)),
    ("[", "editors' marks", lambda text: _MARKS.sub("", text)),
    ("==", "wiki headings", lambda text: _HEADING.sub(r"\2", text)),
    ("= ", "wiki headings", lambda text: _SPACED_HEADING.sub(r"\1", text)),
    ("(", "empty brackets", lambda text: _EMPTY_BRACKETS.sub("", text)),
    (" @", "WikiText escapes", lambda text: _ESCAPES.sub(r"\1", text)),
)


def clean_document(text: str, done: set[str]) -> str:
    """Return a document as a model will learn from it, and add to ``done`` what was changed.

    What ``clean_text`` takes out of any text goes; so do elements that hide their content, wiki markup, and brackets that
    markup left empty. Cleaning it again changes nothing.

    Example:
        >>> clean_document("<ref>x</ref>'''Tea''' () is a [[Drink|drink]].", set())
        'Tea is a drink.'
    """
    num_rounds = 0
    while True:
        before, num_rounds = text, num_rounds + 1
        if num_rounds == MAX_ROUNDS:
            done.add("nested markup")
            text = text.translate(_NEST)
        text = clean_noting(_drop_markup(text, done), done)
        if text == before:
            return text


def clean_block(texts: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Clean documents.

    Returns:
        The texts in their order, and how many each kind of cleaning changed.
    """
    counts: Counter[str] = Counter()
    cleaned = []
    for text in texts:
        done: set[str] = set()
        cleaned.append(clean_document(text, done))
        if done:
            counts.update(done)
    return cleaned, dict(counts)


def _drop_markup(text: str, done: set[str]) -> str:
    for needle, name, step in STEPS:
        if needle in text and (after := step(text)) != text:
            done.add(name)
            text = after
    return text
