"""The date that a chat template prints, as Llama 3.1's does: fixed at training, so that asking later gives the same ids."""

import json
import re
from datetime import UTC, datetime
from typing import Any

NAME = "strftime_now"  # what transformers gives to templates
_CALL = re.compile(NAME + r"""\(\s*(?:format\s*=\s*)?(["'])((?:(?!\1)[^\\])*)\1\s*,?\s*\)""")


def now() -> str:
    """Return this moment, with the offset of the local time, which is what templates print."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def fix_date(tokenizer: Any, moment: str) -> str:
    """Write the date into a template that asks for it, so that the tokenizer's saved form has it too.

    Args:
        tokenizer: Of transformers; its template is changed in place.
        moment: As ``now`` returns it.

    Returns:
        What there is to say of that; empty where the template prints no date.
    """
    template = tokenizer.chat_template
    if not any(NAME in text for text in _texts_of(template)):
        return ""
    when = datetime.fromisoformat(moment)
    fixed = (
        {name: _fixed(text, when) for name, text in template.items()} if isinstance(template, dict) else _fixed(template, when)
    )
    tokenizer.chat_template = fixed
    if any(f"{NAME}(" in text for text in _texts_of(fixed)):
        return "the chat template prints the date in a way that cannot be fixed: prompts differ from day to day"
    return f"the chat template prints the date: that of training, {when:%Y-%m-%d}, is kept in it"


def _texts_of(template: Any) -> list[str]:
    if not template:
        return []
    return list(template.values()) if isinstance(template, dict) else [template]


def _fixed(text: str, when: datetime) -> str:
    return _CALL.sub(lambda found: json.dumps(when.strftime(found[2]), ensure_ascii=False), text)
