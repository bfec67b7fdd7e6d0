"""The course: its lessons in their order."""

from pretune.errors import UsageError
from pretune.tasks.learn.lesson import Lesson
from pretune.tasks.learn.lessons.chat import CHAT
from pretune.tasks.learn.lessons.domain import DOMAIN_LESSON
from pretune.tasks.learn.lessons.evaluation import EVALUATION
from pretune.tasks.learn.lessons.finetuning import FINETUNING
from pretune.tasks.learn.lessons.overfitting import OVERFITTING
from pretune.tasks.learn.lessons.pretraining import PRETRAINING
from pretune.tasks.learn.progress import read_progress

LESSONS: tuple[Lesson, ...] = (PRETRAINING, FINETUNING, OVERFITTING, EVALUATION, DOMAIN_LESSON, CHAT)


def find_lesson(name: str) -> Lesson:
    """Return the lesson of this name, or of this number.

    Raises:
        UsageError: There is none.

    Example:
        >>> find_lesson("3").name
        'overfitting'
    """
    known = [lesson.name for lesson in LESSONS]
    folded = name.strip().lower()
    if folded.isdecimal() and 1 <= int(folded) <= len(known):
        return LESSONS[int(folded) - 1]
    if folded not in known:
        raise UsageError(
            f"there is no lesson {name!r}", expected=f"one of {', '.join(known)}", fix="`pretune learn --list` tells more"
        )
    return LESSONS[known.index(folded)]


def next_lesson() -> Lesson | None:
    """Return the first lesson that is not over; ``None`` where all are."""
    return next((lesson for lesson in LESSONS if not read_progress(lesson.name).is_over(lesson)), None)
