"""Progress: how far each lesson has come, in the user's data folder; whole or not at all, after every step and answer."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from pretune import storage
from pretune.errors import DamagedError, StorageError
from pretune.records.base import SCHEMA, Record
from pretune.tasks.learn.lesson import Found, Lesson


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Record):
    """One answer to a question of a lesson."""

    question: str
    given: str
    is_right: bool
    mistake: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Record):
    """How far one lesson has come.

    Args:
        lesson: Its name.
        done: Names of the steps that are over.
        found: Step → what its work came to.
        answers: To the questions, in the order in which they were given.
    """

    schema: int = SCHEMA
    lesson: str
    done: tuple[str, ...] = ()
    found: dict[str, Found] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()

    @property
    def facts(self) -> dict[str, object]:
        """Everything that was found, in one."""
        return {name: value for found in self.found.values() for name, value in found.facts.items()}

    def is_over(self, lesson: Lesson) -> bool:
        """Whether no step is left."""
        return all(step.name in self.done for step in lesson.steps)

    def num_right(self) -> int:
        """Return how many answers were right."""
        return sum(answer.is_right for answer in self.answers)

    def with_done(self, step: str) -> "Progress":
        """Return it with one more step that is over."""
        return replace(self, done=(*self.done, step))

    def with_found(self, step: str, found: Found) -> "Progress":
        """Return it with what the work of a step came to."""
        return replace(self, found=self.found | {step: found})

    def with_answer(self, answer: Answer) -> "Progress":
        """Return it with one more answer."""
        return replace(self, answers=(*self.answers, answer))


def course_folder() -> Path:
    """Return where the course keeps what it makes."""
    return storage.data_folder() / "learn"


def lesson_folder(name: str) -> Path:
    """Return where one lesson keeps what it makes: its progress, its runs."""
    return course_folder() / name


def read_progress(name: str) -> Progress:
    """Return how far a lesson has come; one whose file is damaged begins again.

    Raises:
        StorageError: The file is there and cannot be read.
    """
    path = _file(name)
    if not path.exists():
        return Progress(lesson=name)
    try:
        return Progress.from_json(storage.read_json(path))
    except (DamagedError, StorageError):
        return Progress(lesson=name)


def keep_progress(progress: Progress) -> None:
    """Put it on the disk.

    Raises:
        StorageError: The disk refused.
    """
    storage.make_folder(lesson_folder(progress.lesson))
    storage.replace_json(_file(progress.lesson), progress.to_json())


def forget(name: str) -> None:
    """Remove what a lesson has made, so that it begins again."""
    if lesson_folder(name).exists():
        storage.remove(lesson_folder(name))


def _file(name: str) -> Path:
    return lesson_folder(name) / "progress.json"
