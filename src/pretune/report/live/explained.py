"""The live page with its terms linked to a glossary below."""

from functools import cache
from html import escape
from pathlib import Path

from markupsafe import Markup

from pretune.report.page.html import mark_commands
from pretune.report.page.terms import Terms
from pretune.wording.glossary import load_terms

PAGE = Path(__file__).parent / "page"
GLOSSARY = '<dl id="glossary"></dl>'  # in the page: where it goes


@cache
def explained_page() -> bytes:
    """Return ``page.html`` with every term of its own linked, and all terms in its glossary."""
    before, main, after = (PAGE / "page.html").read_text(encoding="utf-8").partition("<main>")
    terms = (
        f'<dt id="term-{term.anchor}">{escape(term.name)}</dt><dd>{mark_commands(term.means)}</dd>'
        for term in load_terms().values()
    )
    linked = Terms({}, "").link(Markup(after))  # a file of ours
    listed = GLOSSARY.replace("></", f">{''.join(terms)}</")
    return f"{before}{main}{linked}".replace(GLOSSARY, listed).encode()
