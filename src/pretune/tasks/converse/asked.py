"""What a chat model may be asked from Python: a text, turns as dictionaries, or several of either."""

from collections.abc import Iterable, Sequence
from typing import Any

from pretune.errors import UsageError
from pretune.records import Turn
from pretune.records.conversation import ROLES, USER

Asked = str | Sequence[dict[str, str]]


def turns_of(asked: Asked | Iterable[Asked]) -> tuple[list[tuple[Turn, ...]], bool]:
    """Return the turns of every question, and whether there was one alone."""
    if isinstance(asked, str):
        return [(Turn(role=USER, text=asked),)], True
    items: list[Any] = list(asked)
    if items and all(isinstance(item, dict) for item in items):
        return [tuple(map(_turn, items))], True
    return [turns_of(item)[0][0] for item in items], False


def _turn(message: dict[str, Any]) -> Turn:
    role, text = message.get("role"), message.get("content")
    if role not in ROLES or not isinstance(text, str):
        raise UsageError(
            f"a message is {message!r:.80}", expected='such as {"role": "user", "content": "a question"}', fix="pass such turns"
        )
    return Turn(role=role, text=text)
