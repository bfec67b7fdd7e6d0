"""Playing: one lesson from where it was left; everything is kept at once, so that Ctrl-C loses at most the work under way."""

from collections.abc import Callable

from pretune.run.trace import Trace
from pretune.storage import make_folder
from pretune.tasks.learn.lesson import Lab, Lesson, Step, Teacher, fill, put
from pretune.tasks.learn.needs import require_needs
from pretune.tasks.learn.progress import Answer, Progress, keep_progress, lesson_folder, read_progress

Kept = Callable[[Progress], None]


def play(lesson: Lesson, teacher: Teacher, trace: Trace, *, on_kept: Kept = keep_progress) -> Progress:
    """Teach what is left of a lesson.

    Args:
        lesson: Which.
        teacher: Speaks with the learner.
        trace: Hears of the progress of work.
        on_kept: Puts progress on the disk.

    Returns:
        The progress at the end.

    Raises:
        Left: The learner stopped, or input ended; progress is kept.
        CatalogError: What the lesson needs is not there and cannot be fetched.
    """
    progress = read_progress(lesson.name)
    require_needs(lesson, trace)
    for step in lesson.steps:
        if step.name in progress.done:
            continue
        progress = _teach(lesson, step, progress, teacher, trace, on_kept)
        progress = progress.with_done(step.name)
        on_kept(progress)
        if step is not lesson.steps[-1]:
            teacher.wait()
    return progress


def _teach(lesson: Lesson, step: Step, progress: Progress, teacher: Teacher, trace: Trace, keep: Kept) -> Progress:
    if step.say:
        teacher.say(fill(step.say, progress.facts))
    if step.do and step.name not in progress.found:
        teacher.wait()
        folder = lesson_folder(lesson.name)
        make_folder(folder)
        lab = Lab(folder=folder, trace=trace, facts=progress.facts, teacher=teacher)
        progress = progress.with_found(step.name, lesson.work[step.do](lab))
        keep(progress)
    if step.name in progress.found:
        for table in progress.found[step.name].tables:
            teacher.show(table)
    if step.then:
        teacher.say(fill(step.then, progress.facts))
    if step.terms:
        teacher.say("Terms: " + ", ".join(step.terms) + " (type one to have it explained).")
    return _ask_all(lesson, step, progress, teacher, keep)


def _ask_all(lesson: Lesson, step: Step, progress: Progress, teacher: Teacher, keep: Kept) -> Progress:
    known = {answer.question for answer in progress.answers}
    asked = [put(lesson.questions[name], progress.facts) for name in step.ask]
    for place, question in enumerate(asked, start=1):
        if question is None or question.template in known:
            continue
        reply = teacher.ask(question, place, len(asked))
        if reply is not None:
            answer = Answer(question=question.template, given=reply.given, is_right=reply.is_right, mistake=reply.mistake)
            progress = progress.with_answer(answer)
            keep(progress)
    return progress
