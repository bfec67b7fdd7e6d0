"""Quiz: questions as a piece of HTML for a page. Answers are folded away; ``page/quiz.js`` lets them be answered."""

from collections.abc import Sequence
from html import escape
from itertools import cycle

from pretune.report.practice.question import LETTERS, Option, Question
from pretune.wording.glossary import TOPICS

HEADING = "h3"


def render_quiz(questions: Sequence[Question], label: str = "questions") -> str:
    """Return a ``<section class="quiz">``: each question with its options, hint and folded solution; no script, no style.

    What a script needs to judge a reply stands in ``data-`` attributes. Every text is escaped. ``pretune practice RUN --json``
    has the same as data. Of several on a page each has a label of its own.
    """
    asked = "".join(map(_question, range(1, len(questions) + 1), questions))
    return f'<section class="quiz" aria-label="{escape(label)}">\n{asked}</section>\n'


def _question(place: int, question: Question) -> str:
    options = "".join(f"<li>{_marked(option.text)}</li>" for option in question.options)
    asked = f'<p class="number">Answer with {question.reply_with}.</p>'
    listed = f'<ol class="options" type="a">{options}</ol>' if options else asked
    steps = "".join(f"<li>{_marked(step)}</li>" for step in question.steps)
    return (
        f'<article class="question" data-template="{escape(question.template)}" data-level="{escape(question.level)}" '
        f'data-topic="{escape(TOPICS[question.topic])}"{_judged_by(question)}>\n'
        f"<{HEADING}>{place}. {_marked(question.text)}</{HEADING}>\n{listed}\n"
        f"<details><summary>Hint</summary><p>{_marked(question.hint)}</p></details>\n"
        f"<details><summary>Answer</summary><p><strong>{escape(_answer(question))}</strong></p><ol>{steps}</ol>"
        f"<p>Check: {_marked(question.check)}</p>{_mistakes(question)}"
        f"{_terms(question)}</details>\n</article>\n"
    )


def _judged_by(question: Question) -> str:
    """Write what a reply is compared with: the place of the right option, or the number."""
    if question.number is None:
        return f' data-right="{[option.is_right for option in question.options].index(True)}"'
    return f' data-number="{question.number!r}" data-tolerance="{question.tolerance!r}"'


def _mistakes(question: Question) -> str:
    wrong = [(place, option) for place, option in enumerate(question.options) if not option.is_right]
    slips = [*(_mistake(option, place) for place, option in wrong), *map(_mistake, question.slips)]
    return f'<p>Common mistakes</p><ul class="mistakes">{"".join(slips)}</ul>' if slips else ""


def _mistake(option: Option, place: int | None = None) -> str:
    """Write what a wrong answer overlooks; that of an option is found by its place, that of a number by its value."""
    found = f'data-value="{option.value!r}"' if place is None else f'data-place="{place}"'
    name = f"{option.text}:" if place is None else f"{LETTERS[place]})"
    return f"<li {found}>{escape(name)} <span>{_marked(option.why)}</span></li>"


def _terms(question: Question) -> str:
    return f'<p class="terms">Terms: {escape(", ".join(question.terms))}</p>' if question.terms else ""


def _marked(text: str) -> str:
    """Escape a text, and set what stands between backticks as code."""
    parts = zip(text.split("`"), cycle(("{}", "<code>{}</code>")), strict=False)
    return "".join(shape.format(escape(part)) for part, shape in parts)


def _answer(question: Question) -> str:
    """Name the right answer where its options stand above."""
    return answer_of(question).partition(" ")[0] if question.options else question.answer


def answer_of(question: Question) -> str:
    """Return the right answer, with its letter where there are options."""
    place = next((place for place, option in enumerate(question.options) if option.is_right), None)
    return question.answer if place is None else f"{LETTERS[place]}) {question.answer}"
