"""Write docs/glossary.md from the terms: ``python tools/glossary_page.py``."""

from pathlib import Path

from pretune.wording.glossary import TOPICS, Term, load_terms

PAGE = Path(__file__).parents[1] / "docs" / "glossary.md"
HEAD = """# Glossary

One word for one idea, in code, messages and documents. Written by `tools/glossary_page.py` from
`src/pretune/wording/glossary.toml`; `pretune explain TERM` shows a term, `pretune explain TERM RUN` also what it is in
that run, and `pretune practice RUN` asks about them. “In a run” is a place in its `run.json`.
"""


def page() -> str:
    """Return the page: a table for each stage."""
    terms = load_terms().values()
    return "\n".join(
        [HEAD, *(_table(title, [term for term in terms if term.topic == topic]) for topic, title in TOPICS.items())]
    )


def _table(title: str, terms: list[Term]) -> str:
    return "\n".join([f"## {title}", "", "| word | means | in a run | not |", "|---|---|---|---|", *map(_row, terms), ""])


def _row(term: Term) -> str:
    place = f"`{term.places[0]}`" if term.places else ""
    return f"| {term.name} | {_meaning(term)} | {place} | {term.avoided} |"


def _meaning(term: Term) -> str:
    formula = f" `{term.formula}`." if term.formula else ""
    return f"{term.means}{formula}{f' {term.source}.' if term.source else ''}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
