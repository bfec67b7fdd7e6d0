"""Questions: what is asked, what can be chosen, what the right answer rests on, and what a reply is worth."""

import re
from dataclasses import dataclass, field
from math import log10
from typing import Any

from pretune.records.base import SCHEMA, Record
from pretune.wording.counts import counted

# What a term means; reading this run's figures; deciding what to do next.
EASY, MEDIUM, HARD = LEVELS = ("easy", "medium", "hard")
LETTERS = "abcd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(Record):
    """One answer: the right one, or one that a named mistake leads to."""

    text: str
    is_right: bool = False
    mistake: str = ""  # its name; empty for the right one
    why: str = ""  # what is wrong with it
    value: float | None = None  # of a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Record):
    """One question about one run. It has ``options``, of which one is right, or asks for a ``number``."""

    schema: int = SCHEMA
    template: str  # "evaluation.recall"
    topic: str
    level: str
    text: str
    answer: str  # the right one, as it is written
    options: tuple[Option, ...] = ()
    number: float | None = None
    tolerance: float = 0.0  # how far from the number a reply may lie
    slips: tuple[Option, ...] = ()  # of a number: what common mistakes come to
    hint: str
    steps: tuple[str, ...]  # the worked solution
    check: str  # how the answer can be checked
    terms: tuple[str, ...] = ()  # of the glossary
    places: dict[str, Any] = field(default_factory=dict)  # in ``run.json`` → what stands there: all that was used

    @property
    def reply_with(self) -> str:
        """What a reply is: a letter, or a number and how exact it has to be."""
        if self.options:
            return f"{LETTERS[0]}–{LETTERS[len(self.options) - 1]}"
        digits = round(-log10(self.tolerance)) if self.tolerance else 0
        return f"a number, to {counted(digits, 'decimal')}" if digits else "a whole number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Record):
    """What was replied to a question, and what that is worth."""

    given: str
    is_right: bool
    mistake: str = ""  # the one that leads there, where it is a common one
    says: str = ""


def judge_reply(question: Question, given: str) -> Reply | None:
    """Judge what somebody typed.

    Args:
        question: What was asked.
        given: A letter where there are options, or what one of them says; else a number, such as ``0.85``, ``85 %`` or
            ``1,234``.

    Returns:
        ``None`` where it is neither.
    """
    if question.options:
        typed = given.strip().lower()
        said = {option.text.lower(): place for place, option in enumerate(question.options)}
        letters = dict(zip(LETTERS, range(len(question.options)), strict=False))
        place = (said | letters).get(typed.removesuffix(")"))
        if place is None:
            return None
        option = question.options[place]
        return Reply(given=LETTERS[place], is_right=option.is_right, mistake=option.mistake, says=option.why)
    value = parse_number(given)
    if value is None or question.number is None:
        return None
    if is_near(value, question.number, question.tolerance):
        return Reply(given=given.strip(), is_right=True)
    slip = next((item for item in question.slips if is_near(value, item.value or 0.0, question.tolerance)), None)
    return Reply(given=given.strip(), is_right=False, mistake=slip.mistake if slip else "", says=slip.why if slip else "")


def is_near(value: float, number: float, tolerance: float) -> bool:
    """Whether a value is a number but for rounding."""
    return abs(value - number) <= tolerance * (1 + 1e-9)


def parse_number(text: str) -> float | None:
    """Read a number as people write it; ``None`` where it is none.

    Example:
        >>> parse_number("85 %"), parse_number("1,234"), parse_number("0,85"), parse_number("3/4"), parse_number("many")
        (0.85, 1234.0, 0.85, 0.75, None)
    """
    found = re.fullmatch(r"([+\-−]?[\d.,_ ]*\d[\d.,_]*(?:e[+-]?\d+)?)(?:\s*/\s*([\d.,]+))?\s*(%?)", text.strip().lower())
    if found is None:
        return None
    parts = [_plain(part) for part in found.groups()[:2] if part]
    if None in parts or (len(parts) == 2 and parts[1] == 0):
        return None
    value = float(parts[0] or 0) / float(parts[1] or 1) if len(parts) == 2 else float(parts[0] or 0)
    return value / 100 if found[3] else value


def _plain(text: str) -> float | None:
    """Read digits in which a comma groups thousands, or stands for the point where what follows is no thousand."""
    text = text.replace("−", "-").replace(" ", "").replace("_", "")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?(e[+-]?\d+)?", text):
        text = text.replace(",", "")
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
