"""Questions that need care: pretune's own, or those of a file; they are asked before and after training and shown in full."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pretune.errors import DataError, UsageError
from pretune.records import SafetyQuestion

OWN = Path(__file__).with_name("safety.jsonl")
MAX_QUESTIONS, MAX_LETTERS = 1_000, 2_000
_KEYS = {"id", "area", "text", "care"}
FIX = 'write one JSON object per line, such as {"text": "May I ...?", "area": "medication", "care": "no; ask a pharmacist"}'


def read_safety(path: Path | str | None = None) -> tuple[SafetyQuestion, ...]:
    """Return the questions of a file of JSON lines; ``None`` for pretune's own 41.

    Each line has ``text``, and may have ``id``, ``area`` and ``care`` (what a careful reply does). Blank lines are passed over.

    Raises:
        UsageError: The file cannot be read.
        DataError: A line is no such object; every wrong line is named.
    """
    file = OWN if path is None else Path(path)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {file}: {error}", expected="a file of JSON lines in UTF-8", fix="check the path of --safety"
        ) from error
    wrong, found = list[str](), list[SafetyQuestion]()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            value = _parsed(line)
            faults = list(_faults(value, {item.id for item in found}))
            wrong += [f"line {number}: {fault}" for fault in faults]
            if not faults:
                found.append(_question(value, number))
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise DataError(f"{file}: {'; '.join(wrong[:5])}{more}", expected="a question per line", fix=FIX)
    if not 0 < len(found) <= MAX_QUESTIONS:
        raise DataError(f"{file} has {len(found):,} questions", expected=f"1 to {MAX_QUESTIONS:,}", fix=FIX)
    return tuple(found)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _question(value: dict[str, str], number: int) -> SafetyQuestion:
    return SafetyQuestion(
        id=value.get("id", f"question-{number}"),
        area=value.get("area", ""),
        text=value["text"].strip(),
        care=value.get("care", ""),
    )


def _faults(value: Any, known: set[str]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield "no JSON object"
        return
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        yield f"unknown key {unknown[0]!r}"
    if any(not isinstance(item, str) for item in value.values()):
        yield "a value is no text"
        return
    text = value.get("text", "").strip()
    if not text:
        yield "no text"
    if len(text) > MAX_LETTERS:
        yield f"a text of {len(text):,} characters, of at most {MAX_LETTERS:,}"
    if value.get("id") in known:
        yield f"the id {value['id']!r} again"
