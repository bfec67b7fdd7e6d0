"""What a term means: one question a stage, about a term that has a figure in the run."""

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY
from pretune.report.practice.template import Compute, Drawn, Template
from pretune.report.standing import say_value, stands_at
from pretune.wording.glossary import TOPICS, load_terms


def ask_term(topic: str) -> Template:
    """Make the question what a term of a topic means; the others are what is taken for it."""
    return Template(
        name=f"{topic}.term",
        level=EASY,
        ask="In this run, {place} is {value}. That is about the term “{term}”. What does it mean?",
        hint="The wrong answers are the meanings of {others}.",
        steps=("“{term}” in the glossary: {right}", "In this run it stands at {place}: {value}."),
        check="`pretune explain {term}` shows the sentence, the formula and the place in a run.",
        mistakes={},
        terms=(),
        compute=_compute(topic),
    )


def _compute(topic: str) -> Compute:
    def compute(facts: Facts) -> Drawn | None:
        terms = load_terms()
        of_topic = [term for term in terms.values() if term.topic == topic and len(term.apart) >= 3]
        standing = [(term, stands_at(facts.json, term, judged=facts.judged)) for term in of_topic]
        known = [(term, found) for term, found in standing if found is not None]
        if not known:
            return None
        term, found = facts.pick(known)
        facts.at(found[0])
        given = {
            "term": term.name,
            "place": found[0],
            "value": say_value(found[1]),
            "others": ", ".join(sorted(term.apart)),
        }
        wrong = {f"takes {name} for {term.name}": terms[name].means for name in term.apart}
        return Drawn(term.means, wrong, given, why={f"takes {name} for {term.name}": f"That is {name}." for name in term.apart})

    return compute


TERMS = tuple(map(ask_term, TOPICS))
