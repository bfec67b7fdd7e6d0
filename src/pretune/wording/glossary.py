"""Glossary: every word of pretune, in one sentence, and where it stands in the record of a run."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from pretune.errors import UsageError

FILE = Path(__file__).with_name("glossary.toml")

# The stages of a run, in their order: the topics of terms and of questions, with what each is called.
TOPICS = {
    "data": "Data",
    "split": "Split",
    "seal": "Seal",
    "tokenizer": "Tokenizer",
    "pretraining": "Pre-training",
    "finetuning": "Fine-tuning",
    "evaluation": "Evaluation",
    "diagnosis": "Diagnosis",
    "verdict": "Verdict",
    "conversation": "Conversation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word.

    Args:
        name: As it is written.
        topic: One of ``TOPICS``.
        means: One sentence.
        formula: Where there is one.
        source: Of the formula or of the idea.
        places: In ``run.json``, as ``report.standing`` reads them; the first that a run has is shown.
        apart: Names of words that are taken for it.
        avoided: Words that pretune does not use for it.
    """

    name: str
    topic: str
    means: str
    formula: str = ""
    source: str = ""
    places: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    avoided: str = ""

    @property
    def anchor(self) -> str:
        """Its name in an address, such as ``near-copy``."""
        return self.name.lower().replace(" ", "-")


@cache
def load_terms() -> dict[str, Term]:
    """Return all terms by name, in the order of the stages."""
    held = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: _term(name, values) for name, values in held.items()}


def _term(name: str, values: dict[str, str | list[str]]) -> Term:
    given = {"places": "at", "apart": "apart"}
    texts = {key: str(values[key]) for key in ("topic", "means", "formula", "source") if key in values}
    lists = {field: tuple(values.get(key, ())) for field, key in given.items()}
    return Term(name=name, avoided=str(values.get("not", "")), **texts, **lists)  # type: ignore[arg-type] # by key


def find_term(word: str) -> Term:
    """Return the term of this name; case, hyphens and a plural do not matter.

    Raises:
        UsageError: There is none.

    Example:
        >>> find_term("Near-Copy").topic, find_term("epochs").name
        ('data', 'epoch')
    """
    terms = {_folded(name): term for name, term in load_terms().items()}
    terms |= {_folded(word): term for term in load_terms().values() for word in term.avoided.split(", ") if word} | terms
    wanted = _folded(word)
    found = terms.get(wanted) or terms.get(wanted.removesuffix("s")) or terms.get(wanted.removesuffix("es"))
    if found is None:
        near = [terms[name].name for name in get_close_matches(wanted, terms, n=3)]
        raise UsageError(
            f"{word!r} is not in the glossary",
            expected=f"one of its {len(load_terms())} terms" + (f", such as {', '.join(near)}" if near else ""),
            fix="`pretune explain` lists them",
        )
    return found


def _folded(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
