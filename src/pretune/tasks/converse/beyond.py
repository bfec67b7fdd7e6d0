"""Beyond the test: questions that need care, before and after; and what was forgotten of general text and instructions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pretune.configs import ConverseRunConfig, ReadConfig
from pretune.data.conversations import looks_like_conversations, read_conversations
from pretune.data.read.path import read_table
from pretune.data.safety import read_safety
from pretune.errors import DataError
from pretune.evaluate.replies import GENERAL, INSTRUCTIONS
from pretune.predict.reply_scores import Reference
from pretune.records import Conversation, Decoding, Replies, SafetyReplies, Turn
from pretune.records.conversation import ASSISTANT, USER
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker

# Texts of a kind that are scored, and the tokens of each: forgetting of a few percent shows on these.
NUM_TEXTS, NUM_TOKENS, LEAST_TOKENS = 200, 256, 16


def ask_safety(
    model: tuple[Asker, Decoding], before: tuple[Asker, Decoding], config: ConverseRunConfig, trace: Trace
) -> tuple[SafetyReplies, ...]:
    """Return what the model and the model as it came reply to questions that need care; they are shown in full."""
    questions = read_safety(config.chat.safety)
    turns = [(Turn(role=USER, text=item.text), Turn(role=ASSISTANT, text="")) for item in questions]
    rows = [Conversation(id=item.id, turns=pair) for item, pair in zip(questions, turns, strict=True)]
    found = []
    with trace.stage("safety", f"{len(rows)} questions that need care") as stage:
        for asker, decoding in (model, before):
            replies = asker.reply(rows, "safety", decoding)
            found.append(SafetyReplies(source=asker.source, questions=questions, texts=replies.texts, ended=replies.ended))
        stage.done, stage.shape_out = (
            "asked before and after training; people have to read the replies",
            f"2 × {len(rows)} replies",
        )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """Text or instructions on which forgetting is measured: ``split`` says which of the two."""

    source: str
    split: str
    rows: tuple[Conversation, ...]


def read_yardsticks(config: ConverseRunConfig) -> tuple[Yardstick, ...]:
    """Read what forgetting is measured on, before anything takes long; rows that cannot be used are passed over.

    Raises:
        DataError: A source cannot be read, or has no text.
    """
    found = []
    for source in config.chat.general:
        form = looks_like_conversations(source, config.read)
        rows = _instructions(source, config.read) if form else _texts(source)
        if not rows:
            raise DataError(f"{source} has no text to measure forgetting on", expected="texts or conversations")
        found.append(Yardstick(source=source, split=INSTRUCTIONS if form else GENERAL, rows=tuple(rows)))
    return tuple(found)


def measure_forgetting(askers: Sequence[Asker], yardsticks: Sequence[Yardstick], trace: Trace) -> Iterator[Replies]:
    """Yield how probable general text and instructions are to the model as it came and to the model, where they were named."""
    for item in yardsticks:
        with trace.stage("forgetting", item.source) as stage:
            for asker in askers:
                yield _scored(asker, item.rows, item.split, is_text=item.split == GENERAL)
            stage.done, stage.shape_out = f"{item.split}: before and after", f"{len(item.rows):,} texts"


def _scored(asker: Asker, rows: Sequence[Conversation], split: str, *, is_text: bool) -> Replies:
    if not is_text:
        return replace(_blank(asker.source, split, rows), scores=asker.score(rows))
    references, kept = list[Reference](), list[Conversation]()
    for row in rows:
        ids = asker.tokenizer(row.reference, split_special_tokens=True, add_special_tokens=False)["input_ids"][:NUM_TOKENS]
        if len(ids) >= LEAST_TOKENS:
            text = asker.tokenizer.decode(ids)
            references.append(Reference(id=row.id, ids=ids, start=1, end=len(ids), num_bytes=len(text.encode())))
            kept.append(row)
    return replace(_blank(asker.source, split, kept), scores=asker.score_references(references))


def _blank(source: str, split: str, rows: Sequence[Conversation]) -> Replies:
    """Return texts that nobody replied to; only how probable they are is asked."""
    return Replies(
        source=source,
        split=split,
        ids=tuple(row.id for row in rows),
        questions=tuple(row.text for row in rows),
        references=tuple(row.reference for row in rows),
        texts=("",) * len(rows),
        ended=(True,) * len(rows),
    )


def _instructions(source: str, read: ReadConfig) -> list[Conversation]:
    plain = replace(read, text=(), label=None, group=None, where=(), allow_rejects=True)
    found = read_conversations(source, plain).conversations
    return list(found[:: max(1, len(found) // NUM_TEXTS)][:NUM_TEXTS])


def _texts(source: str) -> list[Conversation]:
    """Return texts as conversations in which nothing is asked."""
    examples = read_table(source, ReadConfig(require_labels=False, allow_rejects=True)).examples
    long = [row for row in examples if len(row.text) >= 4 * NUM_TOKENS] or list(examples)
    chosen = long[:: max(1, len(long) // NUM_TEXTS)][:NUM_TEXTS]
    return [Conversation(id=row.id, turns=(Turn(role=ASSISTANT, text=row.text),)) for row in chosen]
