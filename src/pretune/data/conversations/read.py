"""Read: whatever the user named, as a table of conversations in which every row is accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.catalogue import fetch as catalog
from pretune.data.catalogue.entries import Entry
from pretune.data.conversations.folders import tables_in
from pretune.data.conversations.forms import PAIRS, Form, find_form
from pretune.data.conversations.rows import Done, build_conversations
from pretune.data.conversations.turns import are_turns
from pretune.data.read.decode import check_encoding
from pretune.data.read.locate import locate
from pretune.data.read.path import named_as, raw_of, raw_of_part, uncollected
from pretune.data.read.rows import check_rejected
from pretune.data.read.table import RawTable, Table, receipt_of, unusable
from pretune.data.read.where import keep_where, note_answers
from pretune.records import Columns, Conversation, FileReceipt
from pretune.wording.counts import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTable:
    """Conversations as they were read, and the table of what they ask, as splits and receipts know it.

    Args:
        conversations: All that can be used, in the order of their first rows.
        form: What the table is.
        done: What was done to the texts.
        table: Files, columns, source and notes; without examples.
    """

    conversations: tuple[Conversation, ...]
    form: Form
    done: Done
    table: Table


def read_conversations(
    source: Any,
    config: ReadConfig | None = None,
    *,
    role: str = "data",
    name: str | None = None,
    form: Form | None = None,
    is_further: bool = False,
) -> ConversationTable:
    """Read a table of conversations, clean its texts, and account for every row.

    Args:
        source: As for ``read_table``; also a list of conversations, each a list of messages.
        config: ``text`` names what is asked, ``label`` the reply; both are guessed otherwise, and the guess is noted.
        role: As for ``read_table``.
        name: As for ``read_table``.
        form: That of another file, which this one must have as well.
        is_further: As for ``read_table``.

    Raises:
        DataError: One message that names file, row and column where they exist; it carries the receipts.
        CatalogError: A catalogue entry could not be fetched.
        UsageError: ``source`` or the encoding is nothing that can be read.
    """
    config = replace(config or ReadConfig(), require_labels=False)
    check_encoding(config.encoding)
    with uncollected():
        is_named = isinstance(source, (str, Path))
        found = locate(source) if is_named else wrapped(source)
        if isinstance(found, Entry):
            return _read_entry(found, config, role, is_further=is_further)
        if isinstance(found, Path) and (files := tables_in(found, role)):
            raws = [raw_of(str(file), file, config, role) for file in files.read]
            named = [named_as(raw, raw.origin.name if name is None else f"{name}/{raw.origin.name}") for raw in raws]
            return _read(named, config, form, source=str(source), is_further=is_further, about=files.notes)
        raw = named_as(raw_of(source if is_named else found, found, config, role), name)
        shown = (found if isinstance(found, str) else str(source)) if is_named else raw.origin.format
        return _read([raw], config, form, source=shown, is_further=is_further)


def _read_entry(entry: Entry, config: ReadConfig, role: str, *, is_further: bool) -> ConversationTable:
    folder = catalog.fetch(entry)
    parts = {role: entry.parts[role]} if role in entry.parts else entry.parts
    roles = {part: part if len(parts) > 1 else role for part in parts}
    raws = [raw_of_part(entry, folder / file, roles[part]) for part, file in parts.items()]
    about = (f"{entry.name}: {entry.source}", f"licence: {entry.licence}")
    is_known = entry.reply is not None and not config.text and config.label is None
    form = Form(kind=PAIRS, prompt=entry.text, reply=str(entry.reply), guessed=False) if is_known else None
    return _read(raws, config, form, source=entry.name, is_further=is_further, about=about, licence=entry.licence)


def _read(
    raws: Sequence[RawTable],
    config: ReadConfig,
    form: Form | None,
    *,
    source: str,
    is_further: bool,
    about: tuple[str, ...] = (),
    licence: str | None = None,
) -> ConversationTable:
    for raw in raws:
        keep_where(raw, config.where, is_further=is_further)
        if not raw.rows:
            _refuse_empty(raw, config)
    form = form or find_form(raws[0], config)
    done, conversations, files, notes = Done(), list[Conversation](), list[FileReceipt](), list(about)
    for raw in raws:
        _check_columns(raw, form)
        found, receipt = build_conversations(raw, form, config, done)
        conversations.extend(found)
        files.append(receipt)
        notes += [*raw.notes, *note_answers(raw, config.where, (*form.taken, config.group))]
    notes += [*_describe_guess(form), *_describe_done(done, len(conversations))]
    columns = Columns(
        text=form.prompt or (form.reply,),
        label=form.reply if form.prompt else None,
        group=config.group,
        guessed=(("text", "label") if form.prompt else ("text",)) if form.guessed else (),
    )
    table = Table(
        examples=(), files=tuple(files), columns=columns, licence=licence, source=source, notes=tuple(dict.fromkeys(notes))
    )
    return ConversationTable(conversations=tuple(conversations), form=form, done=done, table=table)


def _check_columns(raw: RawTable, form: Form) -> None:
    """Raise where a further file has not the columns of the first."""
    lacking = sorted(form.taken - set(raw.columns))
    if lacking:
        raise unusable(
            raw.origin,
            f"has no column {lacking[0]!r}, which another file has",
            expected=f"the same form in every file: {form}",
            fix="rename its columns, or read it apart",
        )


def _describe_guess(form: Form) -> list[str]:
    if not form.guessed:
        return []
    return [f"read as {form} (guessed); --text PROMPT and --label REPLY name other columns"]


def _describe_done(done: Done, num_conversations: int) -> list[str]:
    notes = []
    if done.num_stripped:
        shown = ", ".join(f"{name} {count:,} times" for name, count in done.control.most_common(5))
        what = counted(done.num_stripped, "conversation")
        notes.append(f"control tokens that end or begin replies were taken away in {what}: {shown}")
    if done.num_spelled:
        notes.append(
            f"{counted(done.num_spelled, 'conversation spells', 'conversations spell')} a control token, which stays text"
        )
    if done.num_trailing:
        what = counted(done.num_trailing, "conversation ends", "conversations end")
        notes.append(f"{what} with turns that no reply follows; these turns are left out")
    if done.num_joined:
        notes.append(f"{counted(done.num_joined, 'row')} are the turns of {counted(num_conversations, 'conversation')}")
    return notes


def _refuse_empty(raw: RawTable, config: ReadConfig) -> None:
    num_rows = len(raw.rejected) + raw.num_filtered
    receipt = receipt_of(
        raw.origin, num_rows=num_rows, num_used=0, rejected=tuple(raw.rejected), num_filtered=raw.num_filtered, lines=raw.lines
    )
    check_rejected(raw.origin.shown, (receipt,), config.allow_rejects)


def wrapped(source: Any) -> Any:
    """Return a list of conversations, each a list of messages, as rows, and two lists as prompts and replies."""
    is_pair = isinstance(source, tuple) and len(source) == 2 and all(isinstance(part, (list, tuple)) for part in source)
    if is_pair and all(isinstance(item, str) or item is None for part in source for item in part):
        return {"prompt": list(source[0]), "response": list(source[1])}
    if isinstance(source, (list, tuple)) and source and all(_is_conversation(item) for item in source):
        return [{"messages": list(item)} for item in source]
    if isinstance(source, (list, tuple)) and source and all(isinstance(item, Conversation) for item in source):
        return [_as_row(item) for item in source]
    return source


def _is_conversation(item: Any) -> bool:
    return (
        isinstance(item, (list, tuple)) and bool(item) and all(isinstance(turn, Mapping) for turn in item) and are_turns(item)
    )


def _as_row(item: Conversation) -> dict[str, Any]:
    turns = [{"role": turn.role, "content": turn.text} for turn in item.turns]
    return {"messages": turns, **({} if item.group is None else {"group": item.group}), **item.extra}
