"""A lesson: text as data, and small functions that do the work and compute the answers."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

from pretune.errors import UsageError
from pretune.records.base import Record
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import Question, Reply
from pretune.report.practice.template import Template, say
from pretune.run.trace import Trace

TEXTS = Path(__file__).parent / "lessons"


class Left(Exception):  # noqa: N818 - no error: the learner stops here, or input has ended
    """The learner wants no more for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Record):
    """A few figures side by side."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve(Record):
    """What a training was like, epoch by epoch."""

    title: str
    training: tuple[float, ...]  # accuracy while it learned, one an epoch
    validation: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Record):
    """What the work of one step came to.

    Args:
        facts: Numbers and words that texts name and questions are about.
        tables: For the terminal and the page.
        curves: For the page.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a lesson, in this order: ``say``, ``do``, ``then``, ``ask``.

    Args:
        name: Unique in its lesson.
        say: Paragraphs; ``{names}`` are facts of the steps before.
        do: The name of the work; empty where there is none.
        then: Paragraphs after the work, with its facts.
        ask: Names of questions.
        terms: Of the glossary.
    """

    name: str
    say: str = ""
    do: str = ""
    then: str = ""
    ask: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


class Teacher(Protocol):
    """Who speaks with the learner: a terminal, or a test."""

    def say(self, text: str) -> None:
        """Show paragraphs."""

    def show(self, table: Table) -> None:
        """Show a table."""

    def ask(self, question: Question, place: int, total: int) -> Reply | None:
        """Ask a question; ``None`` where it was skipped. Raises ``Left``."""

    def read(self, prompt: str) -> str:
        """Read one line. Raises ``Left`` where there is none."""

    def wait(self) -> None:
        """Let the learner read. Raises ``Left``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What the work of a step is given.

    Args:
        folder: Of the lesson: what is made lies here.
        trace: Hears of progress.
        facts: Of the steps before.
        teacher: Speaks with the learner, where work needs decisions.
    """

    folder: Path
    trace: Trace
    facts: Mapping[str, Any]
    teacher: Teacher


Work = Callable[[Lab], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One lesson.

    Args:
        name: As it is entered.
        title: One line.
        minutes: That it takes on two cores, about.
        needs: Names of the catalogue that it uses.
        steps: In their order.
        work: Name → function.
        questions: Name → template.
    """

    name: str
    title: str
    minutes: int
    needs: tuple[str, ...]
    steps: tuple[Step, ...]
    work: Mapping[str, Work]
    questions: Mapping[str, Template]


def read_lesson(name: str, *, work: Sequence[Work] = (), questions: Sequence[Template] = ()) -> Lesson:
    """Return the lesson of this name: its text from ``lessons/NAME.toml``, with its functions.

    Args:
        name: Of the lesson.
        work: Functions; steps name them as they are named.
        questions: Templates; steps name them as they are named.

    Raises:
        UsageError: A step names something that is not there.
    """
    held = tomllib.loads((TEXTS / f"{name}.toml").read_text(encoding="utf-8"))
    steps = tuple(_step(item) for item in held["steps"])
    lesson = Lesson(
        name=name,
        title=held["title"],
        minutes=held["minutes"],
        needs=tuple(held["needs"]),
        steps=steps,
        work={item.__name__: item for item in work},
        questions={item.name: item for item in questions},
    )
    missing = [step.do for step in steps if step.do and step.do not in lesson.work]
    missing += [asked for step in steps for asked in step.ask if asked not in lesson.questions]
    if missing:
        raise UsageError(f"the lesson {name} names {missing[0]!r}", expected="a function or a question of its module")
    return lesson


def _step(item: Mapping[str, Any]) -> Step:
    say, do, then = (str(item.get(key, "")) for key in ("say", "do", "then"))
    ask, terms = (tuple(item.get(key, ())) for key in ("ask", "terms"))
    return Step(name=str(item["name"]), say=say, do=do, then=then, ask=ask, terms=terms)


def fill(text: str, facts: Mapping[str, Any]) -> str:
    """Fill facts into a text; lines of a paragraph become one.

    Example:
        >>> fill("The {name} is {value}.", {"name": "gap", "value": 0.0312})
        'The gap is 0.031.'
    """
    said = {
        name: value if isinstance(value, str) else say(value)  # sentences are whole, however long
        for name, value in facts.items()
        if not isinstance(value, (list, dict))
    }
    return "\n\n".join(" ".join(part.split()) for part in text.format_map(said).strip().split("\n\n"))


def put(template: Template, facts: Mapping[str, Any], seed: int = 0) -> Question | None:
    """Return a question about facts; ``None`` where they have nothing to ask about."""
    return template.put(Facts(None, Random(f"{seed} {template.name}"), facts))
