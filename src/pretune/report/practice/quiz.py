"""Quiz: questions as a small piece of HTML for a page, which works without script: answers are folded away."""

from collections.abc import Sequence
from html import escape

from pretune.report.practice.question import LETTERS, Question

HEADING = "h3"


def render_quiz(questions: Sequence[Question]) -> str:
    """Return a ``<section class="quiz">``: each question with its options, hint and folded solution; no script, no style.

    Every text is escaped. ``pretune practice RUN --json`` has the same as data.
    """
    return f'<section class="quiz">\n{"".join(map(_question, range(1, len(questions) + 1), questions))}</section>\n'


def _question(place: int, question: Question) -> str:
    options = "".join(f"<li>{escape(option.text)}</li>" for option in question.options)
    listed = f'<ol class="options" type="a">{options}</ol>' if options else '<p class="number">Answer with a number.</p>'
    steps = "".join(f"<li>{escape(step)}</li>" for step in question.steps)
    wrong = [option for option in (*question.options, *question.slips) if not option.is_right]
    slips = "".join(f"<li>{escape(option.text)}: {escape(option.why)}</li>" for option in wrong)
    return (
        f'<article class="question" data-template="{escape(question.template)}" data-level="{escape(question.level)}">\n'
        f"<{HEADING}>{place}. {escape(question.text)}</{HEADING}>\n{listed}\n"
        f"<details><summary>Hint</summary><p>{escape(question.hint)}</p></details>\n"
        f"<details><summary>Answer</summary><p>{escape(answer_of(question))}</p><ol>{steps}</ol>"
        f"<p>{escape(question.check)}</p>{f'<ul>{slips}</ul>' if slips else ''}</details>\n</article>\n"
    )


def answer_of(question: Question) -> str:
    """Return the right answer, with its letter where there are options."""
    place = next((place for place, option in enumerate(question.options) if option.is_right), None)
    return question.answer if place is None else f"{LETTERS[place]}) {question.answer}"
