"""Where a figure stands: reads one place of a run's record, named by a path such as ``scores[metric=recall].value``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pretune.report.words import one_line
from pretune.wording.glossary import Term

JUDGED = "$judged"  # in a path: the source that is judged
_PART = re.compile(r"([A-Za-z_]\w*)|\[([^\]]*)\]")
MAX_SHOWN = 80
_DIGEST = re.compile(r"[0-9a-f]{32,}")
NUM_OF_DIGEST = 12  # signs of a digest that are shown


def read_at(record: Mapping[str, Any], path: str, *, judged: str = "finetuned") -> Any:
    """Return what stands at a path; ``None`` where the record has no such place.

    Args:
        record: The record as JSON.
        path: Names parted by dots; ``[2]`` and ``[-1]`` take an item of a list, ``[a=x,b=y]`` the first item whose fields
            are written so.
        judged: What ``$judged`` stands for.

    Example:
        >>> read_at({"scores": [{"metric": "recall", "value": 0.9}]}, "scores[metric=recall].value")
        0.9
    """
    value: Any = record
    for name, choice in _PART.findall(path.replace(JUDGED, judged)):
        value = _field(value, name) if name else _item(value, choice)
        if value is None:
            return None
    return value


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _item(value: Any, choice: str) -> Any:
    if not isinstance(value, Sequence):
        return None
    if "=" not in choice:
        place = int(choice)
        return value[place] if -len(value) <= place < len(value) else None
    wanted = dict(part.split("=", 1) for part in choice.split(","))
    return next((item for item in value if all(str(item.get(name)) == text for name, text in wanted.items())), None)


def stands_at(record: Mapping[str, Any], term: Term, *, judged: str = "finetuned") -> tuple[str, Any] | None:
    """Return the first place of a term that the record has, and what stands there; ``None`` where it has none.

    Figures of replies are about conversations only, though others have the same names.
    """
    if term.topic == "conversation" and record.get("chat") is None:
        return None
    for path in term.places:
        value = read_at(record, path, judged=judged)
        if value is not None and value not in ("", [], {}):
            return path.replace(JUDGED, judged), value
    return None


def say_value(value: Any) -> str:
    """Write what stands somewhere in one short line.

    Example:
        >>> say_value(0.85714), say_value(168), say_value([[18, 0], [2, 16]]), say_value({"bad": 84})
        ('0.857', '168', '18, 0; 2, 16', 'bad 84')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}" if 0 < abs(value) < 0.0995 else f"{value:,.3f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return one_line(", ".join(f"{key} {say_value(item)}" for key, item in value.items()), MAX_SHOWN)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and isinstance(value[0], Mapping):
            return f"{len(value)} of them"
        between = "; " if value and isinstance(value[0], Sequence) and not isinstance(value[0], str) else ", "
        return one_line(between.join(say_value(item) for item in value), MAX_SHOWN)
    text = str(value)
    return one_line(f"{text[:NUM_OF_DIGEST]}…" if _DIGEST.fullmatch(text) else text, MAX_SHOWN)
