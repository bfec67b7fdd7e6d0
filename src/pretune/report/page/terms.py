"""Terms of the glossary on a page: linked where each first stands in a part, and explained in the page's last part."""

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pretune.report.standing import say_value, stands_at
from pretune.wording.glossary import TOPICS, Term, find_terms, load_terms

_PIECES = re.compile(r"<[^>]*>|[^<]+")  # of our own templates, where no attribute holds an angle bracket
_NAME = re.compile(r"</?([a-z0-9]+)")
# Where no link may stand, or where texts of the data stand, in which a word is just a word.
_TAGS = ("a", "button", "code", "h1", "h2", "h3", "h4", "script", "select", "style", "summary", "svg")
_MARKED = re.compile(r'data-sortable|class="[^"]*\b(?:deciders|example|matrix|options|replies|text)\b')
_CELL = re.compile(r'<td\b|<th scope="col"')
ALWAYS = re.compile(r'class="terms"')  # here each is linked, however often it was before


class Terms:
    """The terms of one page.

    Args:
        record: The run, as JSON.
        judged: The source that is judged.
    """

    def __init__(self, record: Mapping[str, Any], judged: str) -> None:
        self._record, self._judged = record, judged
        self._used: set[str] = set()

    def link(self, part: Markup) -> Markup:
        """Link each term where it first stands in a part of the page."""
        linked, seen = [], set[str]()
        closed_by, depth, before, is_listed = "", 0, "", False
        for piece in _PIECES.findall(str(part)):
            if not piece.startswith("<"):
                linked.append(piece if depth else self._link_text(piece, set() if is_listed else seen, is_list=is_listed))
                continue
            linked.append(piece)
            name = _NAME.match(piece)
            if name is None or piece.endswith("/>"):
                continue
            if depth:
                depth += (name[1] == closed_by) * (-1 if piece[1] == "/" else 1)
            elif piece[1] != "/" and (name[1] in _TAGS or _MARKED.search(piece) or (name[1] == "bdi" and _CELL.match(before))):
                closed_by, depth = name[1], 1
            is_listed = bool(ALWAYS.search(piece)) or (is_listed and piece != "</p>")
            before = piece if name[1] != "bdi" else before
        return Markup("".join(linked))  # what came in, and anchors of ours around words of it

    def _link_text(self, text: str, seen: set[str], *, is_list: bool) -> str:
        parts, end = [], 0
        for found, term in find_terms(text, is_list=is_list):
            if term.name not in seen:
                seen.add(term.name)
                self._used.add(term.name)
                parts += [text[end : found.start()], f'<a href="#term-{term.anchor}">{found[0]}</a>']
                end = found.end()
        return "".join((*parts, text[end:]))

    def used(self) -> list[tuple[str, list[tuple[Term, str]]]]:
        """Return the terms that were linked, by stage: each with what it is in this run, or an empty text."""
        stages: dict[str, list[tuple[Term, str]]] = {title: [] for title in TOPICS.values()}
        for term in load_terms().values():
            if term.name in self._used:
                found = stands_at(self._record, term, judged=self._judged)
                stages[TOPICS[term.topic]].append((term, say_value(found[1]) if found else ""))
        return [(title, terms) for title, terms in stages.items() if terms]
