"""Draw: which questions are asked about a run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from pretune.errors import UsageError
from pretune.records import RunRecord
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import LEVELS, Question
from pretune.report.practice.template import Template
from pretune.report.practice.topics import TEMPLATES
from pretune.wording.glossary import TOPICS

SHAPE_WORDS = 2  # by which questions begin alike


def draw_questions(
    record: RunRecord, *, number: int = 10, seed: int = 0, levels: Sequence[str] = (), topics: Sequence[str] = ()
) -> tuple[Question, ...]:
    """Return questions about a run: each template once, from easy to hard; the same seed gives the same questions.

    Args:
        record: Of any run.
        number: At most so many.
        seed: Of the draw; another one gives other questions.
        levels: Only these; all if empty.
        topics: Only these; all if empty.

    Raises:
        UsageError: No such level or topic, or the run has nothing to ask about.
    """
    _require("level", levels, LEVELS)
    _require("topic", topics, TOPICS)
    asked = [item for item in TEMPLATES if (not levels or item.level in levels) and (not topics or item.topic in topics)]
    possible = list(put_all(record, asked, seed))
    if not possible:
        raise UsageError(
            f"the run {record.run!r} has nothing to ask about{_of(levels, topics)}",
            expected="a run that is trained or judged, and a topic that it has",
            fix="`pretune practice RUN` asks about everything that it has",
        )
    kept = _of_many_shapes(possible, Random(f"{seed} which"))[:number]
    return tuple(sorted(kept, key=lambda question: (LEVELS.index(question.level), [*TOPICS].index(question.topic))))


def _of_many_shapes(questions: Sequence[Question], draw: Random) -> list[Question]:
    """Mix questions so that those of one shape, which begin with the same words, come as far apart as they can."""
    mixed, met = draw.sample(list(questions), len(questions)), Counter[str]()
    rank = {}
    for question in mixed:
        shape = " ".join(question.text.split()[:SHAPE_WORDS])
        rank[question.template] = met[shape]
        met[shape] += 1
    return sorted(mixed, key=lambda question: rank[question.template])


def put_all(record: RunRecord, templates: Sequence[Template], seed: int) -> Iterator[Question]:
    """Yield what each template asks about a run, where it asks anything."""
    json = record.to_json()
    for item in templates:
        question = item.put(Facts(record, Random(f"{seed} {item.name}"), json))
        if question is not None:
            yield question


def list_topics(record: RunRecord) -> dict[str, int]:
    """Return how many questions each topic has for a run, without those that have none."""
    found = [question.topic for question in put_all(record, TEMPLATES, 0)]
    return {topic: found.count(topic) for topic in TOPICS if topic in found}


def _require(what: str, given: Sequence[str], known: Sequence[str] | dict[str, str]) -> None:
    wrong = [name for name in given if name not in known]
    if wrong:
        raise UsageError(f"there is no {what} {wrong[0]!r}", expected=f"one of {', '.join(known)}")


def _of(levels: Sequence[str], topics: Sequence[str]) -> str:
    said = [*(f"level {name}" for name in levels), *(f"topic {name}" for name in topics)]
    return f" of {', '.join(said)}" if said else ""
