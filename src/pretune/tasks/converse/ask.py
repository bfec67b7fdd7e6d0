"""Asking a chat model: single questions, files of them, other conversations with references, a question layer by layer."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pretune import storage
from pretune.configs import ReadConfig
from pretune.data.alike.units import find_copies, with_units
from pretune.data.conversations import read_conversations
from pretune.data.read.path import read_table
from pretune.data.seal.known import known_rows
from pretune.data.seal.ledger import record_opening
from pretune.errors import UsageError
from pretune.evaluate.replies import assess_replies
from pretune.intervals import confidence_at
from pretune.models import Windows
from pretune.predict.masked import follow_windows
from pretune.predict.replies import Generator
from pretune.records import Conversation, Evaluation, Guess, Replies, ReplyTrace, Terms, Turn
from pretune.records.conversation import ASSISTANT, USER
from pretune.run import RunFolder, check_run
from pretune.run.trace import Trace
from pretune.storage.cells import csv_writer, neutral_row
from pretune.tasks.converse.estimator import ChatModel


class Answer(NamedTuple):
    """A reply to one question."""

    text: str
    ended: bool


def open_model(run: str) -> ChatModel:
    """Return the chat model of a run or a folder.

    Raises:
        StorageError: A file of its model is not what was written.
    """
    folder = RunFolder(Path(run))
    if folder.is_begun:
        check_run(folder, folder.read_record(), "model")
    return ChatModel.load(run)


def reply_to(model: ChatModel, text: str) -> Answer:
    """Return the reply to one question."""
    found = _replies(model, [_asked("0", text)])
    return Answer(found.texts[0], found.ended[0])


def reply_to_file(
    run: str, file: str, read: ReadConfig, output: str | None, *, overwrite: bool, trace: Trace
) -> list[dict[str, Any]]:
    """Return a reply to every row of a table of questions, and write them where a file is named, whole or not at all.

    Args:
        run: A run on conversations, or a folder with a chat model.
        file: The table.
        read: Which column has the questions.
        output: A file that ends in ``.jsonl``, ``.csv`` or ``.tsv``.
        overwrite: Whether it may be there.
        trace: Receives progress.

    Raises:
        UsageError: The output is there, or of another form.
        DataError: The table cannot be read.
    """
    place = None if output is None else Path(output)
    if place is not None and place.suffix not in (".jsonl", ".csv", ".tsv"):
        raise UsageError(f"--output {output}", expected="a name that ends in .jsonl, .csv or .tsv for replies")
    if place is not None and place.exists() and not overwrite:
        raise UsageError(f"{output} exists", expected="a new file", fix="pass --overwrite to replace it")
    table = read_table(file, replace(read, require_labels=False))
    for note in table.notes:
        trace.note(note)
    model = open_model(run)
    found = _replies(model, [_asked(row.id, row.text) for row in table.examples], trace)
    rows = [
        {"id": row.id, "text": row.text, "reply": text, "ended": ended}
        for row, text, ended in zip(table.examples, found.texts, found.ended, strict=True)
    ]
    if place is not None:
        storage.replace(place, _written(rows, place.suffix))
    return rows


def evaluate_on(run: str, source: str, read: ReadConfig, trace: Trace) -> Evaluation:
    """Score a chat model on other conversations; a look at them, counted before anything is shown.

    Raises:
        DataError: They cannot be read.
    """
    model, table = open_model(run), read_conversations(source, read)
    for note in table.table.notes:
        trace.note(note)
    rows = list(table.conversations)
    known = known_rows([row.text for row in rows]).describe()
    replies = model.answers(rows)
    entry = record_opening([row.text for row in rows], run=Path(run).resolve().name, purpose="evaluate")
    trace.note(f"look {entry.look} at these rows, counted in the ledger" + (f"; {known}" if known else ""))
    examples = [row.as_example() for row in rows]
    terms = with_units(
        Terms(confidence=confidence_at(entry.look), look=entry.look), examples, find_copies(examples, by_name=True)
    )
    folder = RunFolder(Path(run))
    train = [Conversation.from_example(row) for row in folder.read_examples("train")] if folder.is_begun else []
    return assess_replies([replies], terms, train=train)


def follow(run: str, text: str) -> ReplyTrace:
    """Follow one question: the prompt as tokens, what comes first in the reply after every layer, and the reply.

    Raises:
        StorageError: A file of the model is not what was written.
    """
    model = open_model(run)
    ids = torch.as_tensor(model.template_.prompt(_asked("0", text).asked), dtype=torch.int64)[None]
    windows = Windows(ids=ids, targets=torch.tensor([ids.shape[1] - 1]), looks_back=True)
    words = replace(follow_windows(model.network_, model.tokenizer_, windows, text), model=run)
    model.network_.eval()
    generator = Generator(model.network_, model.tokenizer_, stop_ids=model.template_.stop_ids, decoding=model.decoding_)
    pieces = list(generator.stream(ids[0].tolist()))
    shown = [str(model.tokenizer_.decode([piece.id])) for piece in pieces]
    tokens = tuple(
        Guess(token=token, probability=round(piece.probability, 6)) for token, piece in zip(shown, pieces, strict=True)
    )
    reply = "".join(piece.text for piece in pieces).strip()
    return ReplyTrace(text=text, words=words, reply=reply, tokens=tokens, ended=bool(pieces and pieces[-1].ended))


def _asked(name: str, text: str) -> Conversation:
    return Conversation(id=name, turns=(Turn(role=USER, text=text), Turn(role=ASSISTANT, text="")))


def _replies(model: ChatModel, rows: Sequence[Conversation], trace: Trace | None = None) -> Replies:
    return model.asker(trace).reply(rows, "given", model.decoding_)


def _written(rows: Sequence[dict[str, Any]], suffix: str) -> str:
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out = io.StringIO()
    writer = csv_writer(out) if suffix == ".csv" else csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(["id", "text", "reply", "ended"])
    for row in rows:
        writer.writerow(neutral_row([row["id"], row["text"], row["reply"], str(row["ended"]).lower()]))
    return out.getvalue()
