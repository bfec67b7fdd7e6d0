"""Pairs: prompts and their replies in the training rows, from any table."""

from dataclasses import dataclass

from pretune.configs import ReadConfig
from pretune.data.conversations.names import PROMPT_NAMES, REPLY_NAMES
from pretune.data.foreign.score_columns import find_named
from pretune.data.read.columns import shown_columns
from pretune.data.read.rows import check_rejected
from pretune.data.read.table import RawTable, receipt_of, unusable
from pretune.records import FileReceipt, Rejection


@dataclass(frozen=True, slots=True)
class PromptPairs:
    """Prompts with their replies, row by row."""

    prompts: tuple[str, ...]
    replies: tuple[str, ...]
    receipt: FileReceipt
    notes: tuple[str, ...]


def read_pairs(raw: RawTable, config: ReadConfig, *, prompt: str | None, reply: str) -> PromptPairs:
    """Return the rows that have both a prompt and a reply; the others are rejected, and counted.

    Args:
        raw: Rows of cells.
        config: Whether many rows may be rejected.
        prompt: What the judged table calls the column of prompts; taken where it is there, else guessed by name.
        reply: The same of the references.

    Raises:
        DataError: A column is not there, there are no rows, or over 1 % of them are rejected.
    """
    asked = prompt if prompt in raw.columns else find_named(raw.columns, PROMPT_NAMES)
    left = [name for name in raw.columns if name != asked]
    answer = reply if reply in left else find_named(left, REPLY_NAMES)
    if asked is None or answer is None:
        missing = "prompts" if asked is None else "replies"
        raise unusable(
            raw.origin,
            f"none of its columns looks like the {missing}: {shown_columns(raw.columns)}",
            expected=f"columns such as {PROMPT_NAMES[0]!r} and {REPLY_NAMES[0]!r}",
            fix="name its columns as the judged table does, or rename them",
        )
    places, kept, rejected = (raw.columns.index(asked), raw.columns.index(answer)), list[tuple[str, str]](), list(raw.rejected)
    for row in raw.rows:
        cells = [row.cells[place] for place in places]
        empty = next((name for name, cell in zip((asked, answer), cells, strict=True) if not _is_text(cell)), None)
        if empty is None:
            kept.append((str(cells[0]), str(cells[1])))
        else:
            rejected.append(Rejection(file=raw.origin.name, row=row.number, column=empty, reason="is empty, or no text"))
    receipt = receipt_of(
        raw.origin,
        num_rows=len(raw.rows) + len(raw.rejected) + raw.num_filtered,
        num_used=len(kept),
        rejected=tuple(rejected),
        num_filtered=raw.num_filtered,
        lines=raw.lines,
    )
    check_rejected(raw.origin.shown, (receipt,), config.allow_rejects)
    prompts, replies = (tuple(column) for column in zip(*kept, strict=True))
    return PromptPairs(prompts, replies, receipt, (*raw.notes, f"training: prompts in {asked!r}, replies in {answer!r}"))


def _is_text(cell: object) -> bool:
    return isinstance(cell, str) and bool(cell.strip())
