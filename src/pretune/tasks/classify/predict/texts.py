"""Texts from arguments, a table, or standard input, and their answers, all at once."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TextIO

from pretune.configs import ReadConfig
from pretune.data.read.path import read_table
from pretune.errors import DataError, UsageError
from pretune.tasks.classify.predict.answering import by_classifier, open_answering
from pretune.tasks.classify.predict.answers import Answer, answer_all, line_of

logger = logging.getLogger(__name__)

HOW = '`pretune predict RUN "a text"`'


def read_lines(stdin: TextIO) -> Iterator[str]:
    """Yield the lines of standard input as they come.

    Raises:
        UsageError: Nobody has put anything there.
        DataError: It is not text.
    """
    if stdin.isatty():
        raise UsageError("no text", expected="TEXT arguments, --file, or lines on standard input", fix=HOW)
    lines = iter(stdin)
    while True:
        try:
            line = next(lines, None)
        except UnicodeDecodeError as error:
            raise DataError(f"standard input is not text: {error}", expected="UTF-8", fix="save the lines as UTF-8") from error
        if line is None:
            return
        yield line.rstrip("\n")


def read_texts(texts: list[str] | None, file: str | None, stdin: TextIO, config: ReadConfig) -> list[tuple[str, str]]:
    """Return (id, text) pairs from arguments, a table, or the lines of standard input; blank ones are left out.

    The command line answers blank ones too (``predicting.path``); this is for those who want a list.

    Raises:
        UsageError: There are none.
    """
    if texts and file:
        raise UsageError("texts and --file were both given", expected="one of them")
    if file:
        return [(row.id, row.text) for row in read_table(file, replace(config, require_labels=False)).examples]
    lines = texts or list(read_lines(stdin))
    rows = [(f"text {index}", line) for index, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise UsageError("no text: every line is empty", expected="at least one text", fix=HOW)
    return rows


def predict_texts(run: str, rows: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return one JSON object a text: id, text, predicted, probabilities, error. ``RUN/linear`` works as well."""
    answering = open_answering(run, open_network=by_classifier)
    asked = [replace(line_of(0, text), id=name) for name, text in rows]
    return [describe(answer, answering.classes) for answer in answer_all(answering, asked)]


def describe(answer: Answer, classes: tuple[str, ...], kept: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an answer as ``--json`` prints it."""
    shares = dict(zip(classes, map(float, answer.shares), strict=True)) if answer.shares else None
    keeps = {"kept": dict(zip(kept, answer.kept, strict=True))} if kept else {}
    said = {"predicted": answer.predicted, "probabilities": shares, "error": answer.reason or None}
    return {"id": answer.id, "text": answer.text, **keeps, **said}
