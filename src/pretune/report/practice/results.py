"""Results: every answer that was given, in the user's data folder, and what they say of each topic."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pretune import storage
from pretune.errors import DamagedError
from pretune.records import RunRecord
from pretune.records.base import SCHEMA, Record
from pretune.report.practice.question import Question, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Record):
    """One answer to one question of one run."""

    schema: int = SCHEMA
    time: str  # ISO 8601, UTC
    run: str  # its name
    identity: str  # the digest of its inputs
    seed: int
    template: str
    topic: str
    level: str
    given: str
    right: str  # the answer
    is_right: bool
    mistake: str = ""
    is_hinted: bool = False


def results_file() -> Path:
    """Return the file of all answers of this user."""
    return storage.data_folder() / "practice.jsonl"


def keep_answer(record: RunRecord, question: Question, reply: Reply, *, seed: int, is_hinted: bool) -> Answered:
    """Put one answer on the disk, at once, so that Ctrl-C loses none.

    Raises:
        StorageError: The disk refused.
    """
    answered = Answered(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        run=record.run,
        identity=record.identity,
        seed=seed,
        template=question.template,
        topic=question.topic,
        level=question.level,
        given=reply.given,
        right=question.answer,
        is_right=reply.is_right,
        mistake=reply.mistake,
        is_hinted=is_hinted,
    )
    storage.append(results_file(), json.dumps(answered.to_json(), ensure_ascii=False))
    return answered


def read_answers(record: RunRecord | None = None) -> tuple[Answered, ...]:
    """Return the answers kept, of one run or of all; lines that are damaged are left out.

    Raises:
        StorageError: The file cannot be read.
    """
    answers = [found for line in storage.read_lines(results_file()) if (found := _parse(line)) is not None]
    if record is None:
        return tuple(answers)
    return tuple(item for item in answers if (item.run, item.identity) == (record.run, record.identity))


def _parse(line: str) -> Answered | None:
    try:
        return Answered.from_json(json.loads(line))
    except (ValueError, DamagedError):
        return None


def next_seed(answers: Sequence[Answered]) -> int:
    """Return a seed whose questions were not asked yet."""
    return max((item.seed for item in answers), default=-1) + 1


def by_topic(answers: Sequence[Answered]) -> dict[str, tuple[int, int]]:
    """Return right answers and all answers of each topic."""
    topics = dict.fromkeys(item.topic for item in answers)
    held = {topic: [item.is_right for item in answers if item.topic == topic] for topic in topics}
    return {topic: (sum(marks), len(marks)) for topic, marks in held.items()}
