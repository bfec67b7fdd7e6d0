"""Glossary: every word of pretune, in one sentence, and where it stands in the record of a run."""

import re
import tomllib
from collections.abc import Iterator
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
        also: How it is written in short.
        written: How it is written in texts, where its name alone has other senses; ``#`` is a number.
        elsewhere: Phrases in which its name has another sense.
    """

    name: str
    topic: str
    means: str
    formula: str = ""
    source: str = ""
    places: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    avoided: str = ""
    also: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

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
    given = {"places": "at", "apart": "apart", "also": "also", "written": "written", "elsewhere": "elsewhere"}
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
    others = ((word, term) for term in load_terms().values() for word in (*term.also, *term.avoided.split(", ")) if word)
    terms |= {_folded(word): term for word, term in others} | terms
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


def find_terms(text: str, *, is_list: bool = False) -> Iterator[tuple[re.Match[str], Term]]:
    """Yield every term that stands in a text, also in the plural, with its place; the longest where several begin.

    A word in another sense is left out, as ``written`` and ``elsewhere`` of its term tell, and so are commands between
    backticks.

    Args:
        text: Any.
        is_list: Its words are names of terms, so that none has another sense.

    Example:
        >>> [(found[0], term.name) for found, term in find_terms("PR area and Near copies of runs")]
        [('PR area', 'precision-recall area'), ('Near copies', 'near copy'), ('runs', 'run')]
        >>> [found[0] for found, _ in find_terms("This was look 2: look at the label, or label more rows.")]
        ['look 2', 'label']
    """
    pattern, terms = _patterns(is_list)
    for found in pattern.finditer(text):
        term = terms[int(str(found.lastgroup)[1:])]
        if term is not None:
            yield found, term


@cache
def _patterns(is_list: bool) -> tuple[re.Pattern[str], list[Term | None]]:
    """Return the pattern of all terms, a named group for each way to write one, and whose each group is, if anybody's."""
    known = load_terms().values()
    names: list[tuple[str, Term | None]] = []
    for term in known:
        forms = (term.name,) if is_list or not term.written else term.written
        names += [(form, term) for form in (*forms, *term.also)]
        names += [] if is_list else [(phrase, None) for phrase in term.elsewhere]
    names.sort(key=lambda pair: -len(pair[0]))
    written = "|".join(f"(?P<_{place}>{_in_text(name)})" for place, (name, _) in enumerate(names))
    command = f"(?P<_{len(names)}>`[^`]*`)"
    pattern = rf"{command}|(?<![\w.-])(?:{written})(?!\.?[\w-])"
    return re.compile(pattern, re.IGNORECASE), [*(term for _, term in names), None]


def _in_text(name: str) -> str:
    """Write a name as a pattern: spaces may be hyphens or line ends, and the last word may be in the plural."""
    stem, ending = (name[:-1], "(?:y|ies)") if name.endswith("y") else (name, "(?:s|es)?")
    return re.sub(r"\\[ -]", r"[\\s-]", re.escape(stem)).replace(r"\#", r"\d+(?:[.,]\d+)*") + ending


def _folded(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
