"""Turns: what stands in a cell, such as a list of messages, as who said what."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pretune.data.conversations.names import ASSISTANTS, CONTENT_KEYS, ROLE_KEYS, SYSTEMS, USERS
from pretune.data.read.table import Cell, Nested
from pretune.records.conversation import ASSISTANT, SYSTEM, USER

MAX_TURNS = 10_000  # of one conversation: more is a corpus in a cell
MAX_WRITTEN = 5_000_000  # characters of a list that was written as text
_SHOWN = 40
_DEEPEST = 4  # lists of turns of parts

# Transcripts in one text, as preference data have them.
_TURN_MARK = re.compile(r"(?:\A|\n\n)(Human|User|Assistant|System): ?")


class Said(NamedTuple):
    """One turn as it stands, the text not looked at yet."""

    role: str
    text: Cell


class TurnError(ValueError):
    """Why a cell is no conversation."""


def role_of(name: object) -> str:
    """Return the role that a speaker's name stands for.

    Raises:
        TurnError: It stands for none.

    Example:
        >>> role_of("human"), role_of("GPT"), role_of("model")
        ('user', 'assistant', 'assistant')
    """
    folded = name.strip().casefold() if isinstance(name, str) else ""
    for role, names in ((USER, USERS), (ASSISTANT, ASSISTANTS), (SYSTEM, SYSTEMS)):
        if folded in names:
            return role
    shown = repr(name)[: _SHOWN + 2]
    raise TurnError(f"has a turn of {shown}, which is neither user, assistant nor system")


def value_of(cell: Cell) -> Any:
    """Return what stands in a cell: the list itself, or the list that its text is, as JSON or as Python writes it."""
    if isinstance(cell, Nested):
        return _plain(cell.value)
    if cell is None or cell.lstrip()[:1] not in ("[", "{") or len(cell) > MAX_WRITTEN:
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return cell


def _plain(value: Any, depth: int = 0) -> Any:
    """The same in lists of Python, in place of the arrays that data frames have."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    return value


def are_turns(value: Any) -> bool:
    """Whether a value is a list of turns: objects with who and what, or texts that take turns."""
    if are_objects(value):
        return True
    is_list = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    return is_list and len(value) > 1 and all(isinstance(item, str) for item in value[:3])


def are_objects(value: Any) -> bool:
    """Whether a value is a list of objects that each say who and what."""
    if isinstance(value, Mapping):
        try:
            value = _as_list(value)
        except TurnError:  # it is meant to be one
            return True
    is_list = isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and len(value) > 0
    return is_list and all(
        isinstance(item, Mapping) and _key_in(item, ROLE_KEYS) is not None and _key_in(item, CONTENT_KEYS) is not None
        for item in value[:3]
    )


def turns_of(value: Any) -> list[Said]:
    """Return the turns that a value is.

    Args:
        value: A list of objects with who and what, or of texts of which the first asks; or an object of two lists, as
            data frames have it.

    Raises:
        TurnError: It is something else, or a speaker is unknown.
    """
    if isinstance(value, Mapping):
        value = _as_list(value)
    if isinstance(value, str):
        return _transcript(value)
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise TurnError("is no list of turns" if value is not None else "is missing")
    if len(value) > MAX_TURNS:
        raise TurnError(f"has {len(value):,} turns; a conversation may have {MAX_TURNS:,}")
    if value and all(isinstance(item, str) for item in value):
        return [Said((USER, ASSISTANT)[place % 2], text) for place, text in enumerate(value)]
    return [_turn(item, number) for number, item in enumerate(value, 1)]


def _turn(item: Any, number: int) -> Said:
    if not isinstance(item, Mapping):
        raise TurnError(f"turn {number} is no object with a role and a content")
    role, content = _key_in(item, ROLE_KEYS), _key_in(item, CONTENT_KEYS)
    if role is None or content is None:
        keys = ", ".join(repr(str(key)[:_SHOWN]) for key in list(item)[:5])
        raise TurnError(f"turn {number} has no {'role' if role is None else 'content'}, only {keys or 'nothing'}")
    return Said(role_of(item[role]), _content(item[content], number))


def _content(value: Any, number: int) -> Cell:
    """The text of a turn; parts are joined, as interfaces for pictures and texts write them."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Sequence) and all(isinstance(part, (str, Mapping)) for part in value):
        parts = []
        for part in value:
            text = part if isinstance(part, str) else part.get("text")
            if not isinstance(text, str):
                kind = part.get("type", "unknown") if isinstance(part, Mapping) else "unknown"
                raise TurnError(f"turn {number} has a part that is no text: {str(kind)[:_SHOWN]!r}")
            parts.append(text)
        return "\n".join(parts)
    if isinstance(value, (bool, int, float)):
        return str(value)
    raise TurnError(f"the content of turn {number} is {'an object' if isinstance(value, Mapping) else 'no text'}")


def _as_list(value: Mapping[str, Any]) -> Any:
    """An object of two lists, which Arrow and pandas make of lists of objects, as the list; or the list inside of it."""
    for inner in ("messages", "conversations"):
        if isinstance(value.get(inner), Sequence):
            return value[inner]
    role, content = _key_in(value, ROLE_KEYS), _key_in(value, CONTENT_KEYS)
    if role is None or content is None or not all(isinstance(value[key], (list, tuple)) for key in (role, content)):
        return [value] if role is not None and content is not None else value
    if len(value[role]) != len(value[content]):
        raise TurnError(f"has {len(value[role]):,} roles and {len(value[content]):,} contents")
    return [{role: who, content: what} for who, what in zip(value[role], value[content], strict=True)]


def _key_in(item: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in item), None)


def _transcript(text: str) -> list[Said]:
    """The turns of one text in which ``Human:`` and ``Assistant:`` begin them."""
    marks = list(_TURN_MARK.finditer(text))
    if len(marks) < 2 or text[: marks[0].start()].strip():
        raise TurnError("is one text, no list of turns")
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [Said(role_of(mark[1]), text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]
