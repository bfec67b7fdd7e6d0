"""The course as a page: one file without network or script, with every lesson as far as it has come."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pretune import storage
from pretune.report.page.html import digest_in_policy, make_environment, read_part
from pretune.report.page.plot import Axis, Plot, Series, make_plot, round_axis
from pretune.report.practice.quiz import render_quiz
from pretune.tasks.learn.lesson import Curve, Lesson, Step, fill, put
from pretune.tasks.learn.progress import Progress, course_folder, read_progress
from pretune.wording.glossary import load_terms

TEMPLATE = "course.html.jinja"


def write_page(lessons: Sequence[Lesson]) -> Path:
    """Write ``course.html`` and return its place.

    Raises:
        StorageError: The disk refused.
    """
    place = course_folder() / "course.html"
    storage.make_folder(place.parent)
    page = render_course(lessons, [read_progress(lesson.name) for lesson in lessons])
    storage.replace(place, page)
    return place


def render_course(lessons: Sequence[Lesson], known: Sequence[Progress]) -> str:
    """Return the page; steps that were not reached yet are not on it, so that it gives no answer away."""
    style = read_part("report.css")
    shown = [_lesson(lesson, progress) for lesson, progress in zip(lessons, known, strict=True)]
    reached = {term for lesson in shown for step in lesson["steps"] for term in step["terms"]}
    terms = [term for term in load_terms().values() if term.name in reached]
    policy = f"default-src 'none'; style-src {digest_in_policy(style)}; base-uri 'none'; form-action 'none'"
    return make_environment().get_template(TEMPLATE).render(lessons=shown, terms=terms, style=Markup(style), policy=policy)


def _lesson(lesson: Lesson, progress: Progress) -> dict[str, Any]:
    reached = [step for step in lesson.steps if step.name in progress.done or step.name in progress.found]
    return {
        "name": lesson.name,
        "title": lesson.title,
        "minutes": lesson.minutes,
        "done": f"{len(progress.done)} of {len(lesson.steps)} steps done",
        "right": f"{progress.num_right()} of {len(progress.answers)} answers right" if progress.answers else "",
        "is_over": progress.is_over(lesson),
        "steps": [_step(lesson, step, progress) for step in reached],
    }


def _step(lesson: Lesson, step: Step, progress: Progress) -> dict[str, Any]:
    facts, found = progress.facts, progress.found.get(step.name)
    answered = {answer.question for answer in progress.answers}
    asked = [put(lesson.questions[name], facts) for name in step.ask if name in answered]
    quiz = render_quiz([question for question in asked if question is not None], f"questions: {lesson.name}, {step.name}")
    return {
        "name": step.name,
        "say": fill(step.say, facts).split("\n\n") if step.say else [],
        "then": fill(step.then, facts).split("\n\n") if step.then else [],
        "tables": found.tables if found is not None else (),
        "plots": [plot_curve(curve) for curve in found.curves if len(curve.validation) > 1] if found is not None else [],
        "terms": [load_terms()[name].name for name in step.terms],
        "anchors": {name: load_terms()[name].anchor for name in step.terms},
        "quiz": Markup(quiz) if asked else "",  # every text in it is escaped
    }


def plot_curve(curve: Curve) -> Plot:
    """Draw accuracy while learning and on validation, epoch by epoch."""
    epochs = range(1, len(curve.validation) + 1)
    lines = [
        Series(name, style, tuple(zip(map(float, epochs), values, strict=True)), radius=3.5)
        for name, style, values in (
            ("training accuracy", "training", curve.training),
            ("validation accuracy", "validation", curve.validation),
        )
    ]
    last = max(float(len(epochs)), 2.0)
    x = Axis("epoch", 1.0, last, tuple((float(epoch), str(epoch)) for epoch in epochs))
    y = round_axis("", [*curve.training, *curve.validation])
    said = "; ".join(f"{line.name} {', '.join(f'{value:.3f}' for _, value in line.points)}" for line in lines)
    return make_plot(lines, x, y, title=curve.title, label=f"{curve.title}, by epoch: {said}")
