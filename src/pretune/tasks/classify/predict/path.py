"""From a table of texts to a table of answers: an answer for every row, in order, however many there are."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from typing import Any

from pretune.data.read.streamed import Item
from pretune.errors import StoppedError
from pretune.run.trace import Trace
from pretune.storage import GrowingFile
from pretune.tasks.classify.predict.answering import Answering
from pretune.tasks.classify.predict.answers import CHUNK, FIRST_CHUNK, Answer, answer_items
from pretune.tasks.classify.predict.output import Shape, shape_of
from pretune.tasks.classify.predict.questions import Questions

# A resumed command answers again what was answered in about this many seconds before a kill.
SECONDS_BETWEEN_MARKS = 2.0


@dataclass(slots=True, kw_only=True)
class Answered:
    """What became of the rows of one command.

    Args:
        num_rows: Rows of the table.
        resumed_at: Rows that an earlier command had answered.
        classes: How often each class was the answer.
        reasons: How often there was none, by reason.
        seconds: How long it took.
    """

    num_rows: int = 0
    resumed_at: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def count(self, answers: Iterable[Answer]) -> None:
        """Take note of answers."""
        for answer in answers:
            if answer.predicted is None:
                self.reasons[answer.reason.partition(":")[0]] += 1
            else:
                self.classes[answer.predicted] += 1

    @property
    def num_empty(self) -> int:
        """Rows of this command that have no answer."""
        return sum(self.reasons.values())

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "num_rows": self.num_rows,
            "resumed_at": self.resumed_at,
            "num_answered": sum(self.classes.values()),
            "num_empty": self.num_empty,
            "predicted": dict(self.classes),
            "reasons": dict(self.reasons),
            "seconds": round(self.seconds, 1),
        }


def answer_file(answering: Answering, questions: Questions, tally: Answered, trace: Trace) -> Iterator[list[Answer]]:
    """Yield an answer for every row as soon as it is there, a few at first and then more at a time."""
    start, size, items = time.perf_counter(), FIRST_CHUNK, questions.stream.items()
    while chunk := list(islice(items, size)):
        answers = answer_items(answering, questions, chunk)
        tally.count(answers)
        tally.num_rows += len(answers)
        _tell(tally.num_rows, questions, trace)
        yield answers
        size = min(2 * size, CHUNK)
    tally.seconds = time.perf_counter() - start


def write_answers(
    answering: Answering, questions: Questions, output: str, trace: Trace, *, overwrite: bool = False
) -> Answered:
    """Write an answer for every row to a file, which is there when it is whole; a command that was killed is resumed.

    Args:
        answering: Who answers.
        questions: The table.
        output: The file; its name says the format.
        trace: Receives progress and notes.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        UsageError: The file is there, or another command began it.
        StorageError: The disk refused.
        StoppedError: Ctrl-C came; what was answered is kept.
    """
    start = time.perf_counter()
    shape = shape_of(output, [name for name, _ in questions.kept], answering.classes)
    file = GrowingFile(shape.path, _about(answering, questions, shape), overwrite=overwrite)
    tally = Answered(num_rows=questions.stream.num_rows, resumed_at=file.num_rows)
    if file.is_new:
        file.write(shape.header())
    else:
        trace.note(f"resumed at row {file.num_rows:,} of {tally.num_rows:,}: {file.part} has the rows before it")
    try:
        _write_all(answering, questions, shape, file, tally, trace)
    except KeyboardInterrupt as error:
        raise StoppedError(
            f"interrupted: {file.num_rows:,} of {tally.num_rows:,} rows are answered, in {file.part}",
            fix="the same command resumes there",
        ) from error
    finally:
        file.close()
    tally.seconds = time.perf_counter() - start
    return tally


def _write_all(
    answering: Answering, questions: Questions, shape: Shape, file: GrowingFile, tally: Answered, trace: Trace
) -> None:
    done, marked = file.num_rows, time.perf_counter()
    items: Iterator[Item] = islice(questions.stream.items(), done, None)
    while chunk := list(islice(items, CHUNK)):
        answers = answer_items(answering, questions, chunk)
        file.write(shape.encode(answers))
        tally.count(answers)
        done += len(answers)
        if time.perf_counter() - marked > SECONDS_BETWEEN_MARKS:
            file.mark(done)
            marked = time.perf_counter()
        _tell(done, questions, trace)
    file.mark(done)
    file.finish(shape.convert)


def _tell(done: int, questions: Questions, trace: Trace) -> None:
    trace.progress(f"answering {questions.stream.origin.name}", done, questions.stream.num_rows, "rows")


def _about(answering: Answering, questions: Questions, shape: Shape) -> dict[str, str]:
    """Return what the answers depend on: going on is the same to the byte only where all of it is the same."""
    origin = questions.stream.origin
    return {
        "data": origin.sha256 or "",
        "model": answering.digest(),
        "text columns": ", ".join(map(repr, questions.columns)),
        "columns": ", ".join(map(repr, shape.names)),
        "format": shape.path.name,
        "encoding": origin.encoding or "",
        "rows": str(questions.stream.num_rows),
        "pretune": version("pretune"),
    }
