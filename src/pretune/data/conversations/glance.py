"""Glance: are these conversations, or texts to classify? The columns and the first rows tell, before anything is read whole."""

from itertools import islice
from pathlib import Path
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.catalogue.entries import Entry
from pretune.data.conversations import names
from pretune.data.conversations.folders import tables_in
from pretune.data.conversations.forms import PAIRS, Form, find_column, guess_form
from pretune.data.conversations.read import wrapped
from pretune.data.read.columns import LABEL_NAMES, look_at_all
from pretune.data.read.files import format_of, is_packed
from pretune.data.read.locate import locate
from pretune.data.read.memory import read_memory
from pretune.data.read.path import raw_of
from pretune.data.read.streamed import open_streamed
from pretune.data.read.table import Origin, RawTable, Row
from pretune.errors import PretuneError, UsageError

FIRST_ROWS = 300
# What only the class of a labelled text is called; a topic or a category may as well be told of a conversation.
CLEAR_LABELS = ("label", "labels", "class")


def looks_like_conversations(source: Any, config: ReadConfig | None = None) -> str | None:
    """Return the form of the conversations that the user named, in words, or ``None`` where it is a table for another task.

    A table with whole conversations, with a chosen and a rejected reply, or with a column of prompts and one of replies is one
    of conversations. Where the replies repeat as labels do, it is one of labelled texts.

    Args:
        source: As for ``read_conversations``.
        config: Columns that the user named.

    Raises:
        UsageError: It may be either; the message names ``--task``.
    """
    config = config or ReadConfig()
    raw = _first_rows(source, config)
    if raw is None or not raw.rows:
        return None
    form = guess_form(raw, exclude=config.group)
    if form is None:
        return None
    named = {*config.text, *([config.label] if config.label is not None else [])}
    if named and not named <= form.taken:  # the user has another column in mind
        return None
    if form.kind != PAIRS:
        return str(form)
    return _told_apart(raw, form, config)


def _told_apart(raw: RawTable, form: Form, config: ReadConfig) -> str | None:
    """Tell pairs of prompt and reply from texts and their labels."""
    is_clear = any(
        _is(form.prompt[-1], prompt) and any(_is(form.reply, reply) for reply in replies)
        for prompt, replies in names.CLEAR_PAIRS
    )
    looks = look_at_all(raw)[form.reply]
    left = [name for name in raw.columns if name not in form.taken and name != config.group]
    label = find_column(left, CLEAR_LABELS if is_clear else (*CLEAR_LABELS, *LABEL_NAMES[1]))
    if is_clear and (looks.like_label or label is not None):
        other = f"a column {label!r}" if label is not None else f"replies in {form.reply!r} that repeat as classes do"
        raise UsageError(
            f"{raw.origin.shown}: columns {form.prompt[-1]!r} and {form.reply!r} as of conversations, and {other}",
            expected="--task converse or --task classify",
            fix="pass one of them; for classify, name the columns with --text and --label",
        )
    return str(form) if is_clear or (looks.like_text and label is None and not looks.like_label) else None


def _is(column: str, name: str) -> bool:
    return column.strip().casefold() == name


def _first_rows(source: Any, config: ReadConfig) -> RawTable | None:
    """Return the first rows of a table; ``None`` where it cannot be read, which whoever reads it whole will say."""
    try:
        if not isinstance(source, (str, Path)):
            return read_memory(wrapped(source), "data")
        found = locate(source)
        if isinstance(found, Entry):
            return _described(found)
        if isinstance(found, Path) and (files := tables_in(found, "data")) is not None:
            found = files.read[0]
        kind = None if isinstance(found, str) else format_of(found)
        if isinstance(found, str) or found.is_dir() or kind is None or (kind == "parquet" and is_packed(found)):
            return None if kind == "text lines" else raw_of(str(found), found, config, "data")
        if kind == "text lines":
            return None
        file = open_streamed(found, Origin(shown=str(source), name=found.name, role="data", format=kind), config)
        rows = [item for item in islice(file.read(), FIRST_ROWS) if isinstance(item, Row)]
        return RawTable(origin=file.origin, columns=tuple(file.columns), rows=rows)
    except PretuneError:
        return None


def _described(entry: Entry) -> RawTable | None:
    """An entry of the catalogue as its description has it: nothing is fetched to tell."""
    if entry.reply is None:
        return None
    origin = Origin(shown=entry.name, name=entry.name, role="data", format="csv")
    return RawTable(
        origin=origin, columns=(*entry.text, entry.reply), rows=[Row(1, ["how are you today?", "fine, and how are you?"])]
    )
