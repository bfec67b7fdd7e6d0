"""Words: one question a stage about a term, asked in one of three ways: what it means, which term is meant, its formula."""

from collections.abc import Mapping

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY
from pretune.report.practice.template import NUM_WRONG, Compute, Drawn, Template
from pretune.report.standing import say_value, stands_at
from pretune.wording.glossary import TOPICS, Term, load_terms

MEANING = "What does “{term}” mean in pretune?"
NAME = "Which term is meant? {means}"
FORMULA = "Which of these is the formula of the {term}?"


def ask_term(topic: str) -> Template:
    """Make the question about a term of a topic; the others are what is taken for it."""
    return Template(
        name=f"{topic}.term",
        level=EASY,
        ask=MEANING,
        hint="{hint}",
        steps=("{about}: {right}", "In this run it stands at {place}: {value}."),
        check="`pretune explain {term}` shows the sentence, the formula and the place in a run.",
        mistakes={},
        terms=(),
        compute=_compute(topic),
    )


def _compute(topic: str) -> Compute:
    def compute(facts: Facts) -> Drawn | None:
        terms = load_terms()
        of_topic = [term for term in terms.values() if term.topic == topic and len(term.apart) >= NUM_WRONG]
        standing = [(term, stands_at(facts.json, term, judged=facts.judged)) for term in of_topic]
        known = [(term, found) for term, found in standing if found is not None]
        if not known:
            return None
        term, found = facts.pick(known)
        facts.at(found[0])
        ways = [_ask_meaning, _ask_name, *([_ask_formula] if len(_with_formula(term)) >= NUM_WRONG else [])]
        return facts.pick(ways)(term, {"term": term.name, "place": found[0], "value": say_value(found[1])})

    return compute


def _ask_meaning(term: Term, given: Mapping[str, object]) -> Drawn:
    """From the term to its sentence."""
    others = [load_terms()[name] for name in term.apart]
    hint = f"The wrong answers are the meanings of {', '.join(sorted(term.apart))}."
    about = {**given, "hint": hint, "about": f"“{term.name}” in the glossary"}
    return _drawn(term.means, {other: other.means for other in others}, about, MEANING)


def _ask_name(term: Term, given: Mapping[str, object]) -> Drawn:
    """From the sentence to its term; a sentence that names the term itself has a gap there."""
    others = {load_terms()[name]: name for name in term.apart}
    hint = f"It belongs to the stage “{TOPICS[term.topic]}”, and in this run {given['value']} is about it."
    about = {**given, "hint": hint, "means": term.means.replace(term.name, "…"), "about": "The term that is meant"}
    return _drawn(term.name, others, about, NAME)


def _ask_formula(term: Term, given: Mapping[str, object]) -> Drawn:
    """From the term to its formula."""
    wrong = {other: other.formula for other in _with_formula(term)}
    return _drawn(term.formula, wrong, {**given, "hint": term.means, "about": f"Formula of the {term.name}"}, FORMULA)


def _with_formula(term: Term) -> list[Term]:
    """Return other terms with a formula of their own: what is taken for it first, then its stage."""
    known = load_terms()
    near = [known[name] for name in term.apart] + [other for other in known.values() if other.topic == term.topic]
    others = {other: None for other in near if other.formula and other is not term and other.formula != term.formula}
    return list(others) if term.formula else []


def _drawn(right: str, wrong: Mapping[Term, str], given: Mapping[str, object], text: str) -> Drawn:
    about = {other: f"{other.name}: {other.means}" if text == NAME else f"That is {other.name}." for other in wrong}
    why = {f"takes {other.name} for it": said for other, said in about.items()}
    return Drawn(right, {f"takes {other.name} for it": said for other, said in wrong.items()}, given, why, 3, text)


TERMS = tuple(map(ask_term, TOPICS))
