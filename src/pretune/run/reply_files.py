"""Reply files: what a source replied, as JSON lines of a run folder, and back, to the last digit and the last character."""

import json
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import PretuneError, StorageError, UsageError
from pretune.records import Decoding, Replies, ReplyScore


def write_replies(run: Path, replies: Replies) -> None:
    """Write ``predictions/SPLIT.SOURCE.jsonl`` of a run folder."""
    storage.replace(_file(run, replies.split, replies.source), replies_lines(replies))


def read_replies(run: Path, split: str, source: str) -> Replies:
    """Read replies back.

    Raises:
        UsageError: The run has none of that name.
        StorageError: They are damaged.
    """
    path = _file(run, split, source)
    if not path.is_file():
        raise UsageError(f"{path} does not exist", expected="a run that was judged", fix=f"`pretune judge {run}` makes it")
    try:
        return parse_replies(path.read_bytes().decode(), split=split, source=source)
    except (ValueError, KeyError, TypeError, AttributeError, PretuneError) as error:
        raise StorageError(
            f"{path} is damaged: {error}",
            expected="replies as pretune wrote them, one JSON object per line",
            fix="restore it, or make the run again",
        ) from error


def read_all_replies(run: Path) -> tuple[Replies, ...]:
    """Return every set of replies of a run, by the names of their files.

    Raises:
        StorageError: A file is damaged.
    """
    names = (path.name.removesuffix(".jsonl") for path in sorted((run / "predictions").glob("*.*.jsonl")))
    return tuple(read_replies(run, *name.split(".", 1)) for name in names)


def has_replies(run: Path, split: str, source: str) -> bool:
    """Whether this source's replies were written."""
    return _file(run, split, source).is_file()


def drop_replies(run: Path, split: str, source: str) -> None:
    """Remove what an earlier judging left of a source that is not there any more."""
    _file(run, split, source).unlink(missing_ok=True)


def _file(run: Path, split: str, source: str) -> Path:
    return run / "predictions" / f"{split}.{source}.jsonl"


def replies_lines(replies: Replies) -> str:
    """Return replies as JSON lines: the source and how it decodes, then one line per conversation."""
    decoding = None if replies.decoding is None else replies.decoding.to_json()
    head = {"schema": replies.schema, "task": replies.task, "decoding": decoding, "note": replies.note}
    rows = zip(replies.ids, replies.questions, replies.references, replies.texts, replies.ended, strict=True)
    lines = [dict(zip(("id", "question", "reference", "text", "ended"), row, strict=True)) for row in rows]
    if replies.scores is not None:
        for line, score in zip(lines, replies.scores, strict=True):
            line |= {"nats": score.nats, "tokens": score.tokens, "bytes": score.bytes}
    return "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in (head, *lines))


def parse_replies(text: str, *, split: str, source: str) -> Replies:
    """Read what ``replies_lines`` returned.

    Raises:
        ValueError, KeyError, TypeError: It is no such file.
    """
    head, *lines = [json.loads(line) for line in text.split("\n") if line]
    decoding = None if head["decoding"] is None else Decoding.from_json(head["decoding"])
    is_scored = bool(lines) and "nats" in lines[0]
    return Replies(
        source=source,
        split=split,
        ids=_column(lines, "id"),
        questions=_column(lines, "question"),
        references=_column(lines, "reference"),
        texts=_column(lines, "text"),
        ended=_column(lines, "ended"),
        scores=tuple(_score_of(line) for line in lines) if is_scored else None,
        decoding=decoding,
        note=head["note"],
    )


def _column(lines: list[dict[str, Any]], name: str) -> tuple[Any, ...]:
    return tuple(line[name] for line in lines)


def _score_of(line: dict[str, Any]) -> ReplyScore:
    return ReplyScore(id=line["id"], nats=float(line["nats"]), tokens=line["tokens"], bytes=line["bytes"])
