"""Answers: one per row, in order; an empty one says why it is empty."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pretune.data.clean import clean_text
from pretune.data.read.streamed import Item
from pretune.records import Example, Rejection
from pretune.tasks.classify.predict.answering import Answering
from pretune.tasks.classify.predict.questions import Questions

# Rows that are scored together, the longest first. Half as many took a fifth longer, more were no faster and tell less often.
CHUNK = 2048
# Rows of the first chunk where somebody waits for an answer; each next one is twice as large.
FIRST_CHUNK = 16

BLANK = "the text is empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said of one row.

    Args:
        id: Of the row: file and number.
        text: As it stands in the table.
        kept: Cells that go with it.
        predicted: The class, or ``None``.
        shares: Probability of each class; empty where there is no answer.
        reason: Why there is none.
    """

    id: str
    text: str = ""
    kept: Sequence[str | None] = ()
    predicted: str | None = None
    shares: Sequence[float] = ()
    reason: str = ""


def answer_items(answering: Answering, questions: Questions, items: Iterable[Item]) -> list[Answer]:
    """Answer a chunk of rows of a table."""
    asked, name = [], questions.stream.origin.name
    for item in items:
        if isinstance(item, Rejection):
            asked.append(Answer(id=f"{name}:{item.row}", kept=[None] * len(questions.kept), reason=item.reason))
            continue
        text, reason = questions.text(item.cells)
        asked.append(Answer(id=f"{name}:{item.number}", text=text, kept=questions.keep(item.cells), reason=reason))
    return answer_all(answering, asked)


def answer_lines(answering: Answering, lines: Iterable[str]) -> Iterator[list[Answer]]:
    """Answer texts as they come, a few at first, so that whoever waits sees something."""
    size, start, waiting = FIRST_CHUNK, 1, iter(lines)
    while chunk := list(islice(waiting, size)):
        yield answer_all(answering, [line_of(number, line) for number, line in enumerate(chunk, start)])
        start, size = start + len(chunk), min(2 * size, CHUNK)


def answer_texts(answering: Answering, texts: Sequence[str]) -> list[Answer]:
    """Answer texts that stand alone, all at once: what a server asks."""
    return answer_all(answering, [line_of(number, text) for number, text in enumerate(texts, 1)])


def line_of(number: int, text: str) -> Answer:
    """Return what is asked about one text, which has a number for a name."""
    return Answer(id=f"text {number}", text=text, reason="" if clean_text(text) else BLANK)


def answer_all(answering: Answering, asked: Sequence[Answer]) -> list[Answer]:
    """Return the answers, those without a text as they are; the network sees each text once."""
    rows = [Example(id=item.id, text=clean_text(item.text)) for item in asked if not item.reason]
    if not rows:
        return list(asked)
    found = answering.ask(rows)
    said = iter(zip(found.predicted, found.probabilities or (), strict=True))
    answers = []
    for item in asked:
        if not item.reason:
            predicted, shares = next(said)
            item = Answer(id=item.id, text=item.text, kept=item.kept, predicted=predicted, shares=shares)
        answers.append(item)
    return answers
