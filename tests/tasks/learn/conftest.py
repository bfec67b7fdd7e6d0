"""What tests of the course share: a lesson of two steps, a teacher that is no terminal, and rows that need no download."""

import pytest

from pretune.report.practice.question import judge_reply
from pretune.tasks.learn.lesson import Left, Lesson, Step


class Pupil:
    """Answers what it was given, then stops; remembers what it was shown."""

    def __init__(self, *replies):
        self.replies, self.said, self.tables, self.asked, self.waits = list(replies), [], [], [], 0

    def say(self, text):
        self.said.append(text)

    def show(self, table):
        self.tables.append(table)

    def ask(self, question, *_):
        self.asked.append(question.template)
        return judge_reply(question, self._next())

    def read(self, _prompt):
        return self._next()

    def wait(self):
        self.waits += 1

    def _next(self):
        if not self.replies:
            raise Left
        reply = self.replies.pop(0)
        if isinstance(reply, type):
            raise reply
        return reply


@pytest.fixture
def pupil():
    return Pupil


@pytest.fixture
def lesson_of():
    """Return ``make(work, questions)``: a lesson that needs nothing, with a step that works and asks, and one that tells."""

    def make(work, *questions):
        steps = (
            Step(name="first", say="Before.", do="work", then="It is {size}.", ask=tuple(item.name for item in questions)),
            Step(name="second", say="After {size}."),
        )
        named = {item.name: item for item in questions}
        return Lesson(name="small", title="Small", minutes=1, needs=(), steps=steps, work={"work": work}, questions=named)

    return make
