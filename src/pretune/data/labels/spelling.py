"""Spelling: how a label is read, and which spellings are one class. Tables, frames, lists, ``fit`` and ``audit`` all ask here.

What no reader sees is cleaned silently: spaces around a label, invisible characters, the Unicode form. Spellings of one whole
number (``1``, ``1.0``, ``1e0``; ``01`` is a code and stays itself) and of one truth value (``true``, ``True``) are joined into
one class, and counted. Spellings that differ in case, in spacing or in the digits of a fraction are only pointed out: ``1.1``
and ``1.10`` may be two sections of a book. A class keeps the spelling of the table; a class with one spelling is never renamed.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pretune.data.clean import clean_name

# Texts that a missing value turns into when a column is written as text, case aside.
MISSING_WORDS = frozenset(("nan", "none", "null", "na", "n/a", "<na>", "#n/a", "nat", "nil", "undefined"))
# Longer ones are no numbers, and would take time to compare as such.
MAX_DIGITS = 40
SHOWN = 4

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_TRUTH = frozenset(("true", "false"))
# Joiners and selectors of emoji and scripts: a label keeps them, and no class differs in them alone.
_UNSEEN = re.compile("[\u200c\u200d\ufe00-\ufe0f\u034f\u061c\u180b-\u180e\u115f\u1160\u3164\uffa0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spellings:
    """Which class each spelling stands for.

    Args:
        names: Spelling → class, for every spelling; most stand for themselves.
        notes: What was joined, with counts.
    """

    names: dict[str, str]
    notes: tuple[str, ...] = ()


def is_missing(value: Any) -> bool:
    """Whether a value of Python stands for none: ``None``, NaN, ``NaT``, ``pandas.NA``, and text with nothing visible in it.

    Example:
        >>> [is_missing(value) for value in (None, float("nan"), "", " ", "nan", 0)]
        [True, True, True, True, False, False]
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, str):
        return not clean_label(value)
    try:
        return bool(value != value)  # true of NaN and of numpy's NaT only
    except (TypeError, ValueError):  # an array, for one
        return False


def clean_label(label: str) -> str:
    r"""Return a label without what no reader would see; empty where nothing is visible.

    Control and invisible characters go, Unicode is composed, every kind of space becomes a plain one, and those around the
    label go.

    Example:
        >>> clean_label(" cafe\u0301\u200b") == "caf\u00e9"
        True
    """
    name = clean_name(label)
    return name if name.isascii() or _UNSEEN.sub("", name).strip() else ""


def class_key(label: str) -> str:
    """Return what the spellings of one class have in common: equal keys are one class.

    Example:
        >>> class_key("1") == class_key("1.0") == class_key("1e0"), class_key("True") == class_key("true")
        (True, True)
        >>> class_key("01") == class_key("1"), class_key("1.1") == class_key("1.10"), class_key("Spam") == class_key("spam")
        (False, False, False)
    """
    if len(label) <= MAX_DIGITS and _NUMBER.fullmatch(label):
        number = _normal(label)
        return number if "." not in number else label
    folded = label.casefold()
    return folded if folded in _TRUTH else _UNSEEN.sub("", label)


def near_key(label: str) -> str:
    """Return what labels have in common that differ in case, spacing, width or the digits of a fraction only.

    Example:
        >>> near_key("Not  Spam") == near_key("not spam"), near_key("0.5") == near_key("0.50")
        (True, True)
    """
    if len(label) <= MAX_DIGITS and _NUMBER.fullmatch(label):
        return _normal(label)
    return "".join(unicodedata.normalize("NFKC", html.unescape(_UNSEEN.sub("", label))).casefold().split())


def join_spellings(counts: Mapping[str, int], *, known: Sequence[str] = (), merge: bool = False) -> Spellings:
    """Return the class of each spelling.

    Args:
        counts: Clean label → rows. Of several spellings the one with most rows becomes the name, of equals the first by name.
        known: Classes that are there already, such as those of a model or of the training table: they keep their names.
        merge: Whether labels that differ in case or spacing only are one class as well (``--merge-labels``).

    Example:
        >>> join_spellings({"1": 60, "1.0": 20, "0": 40}).names
        {'1': '1', '1.0': '1', '0': '0'}
        >>> join_spellings({"Spam": 5}, known=("spam", "ham"), merge=True).names
        {'Spam': 'spam'}
    """
    names, notes = _join(counts, known, class_key, "are spellings of one class,")
    if merge:
        totals = Counter[str]()
        for label, name in names.items():
            totals[name] += counts[label]
        further, more = _join(totals, known, near_key, "are merged, as --merge-labels asks,")
        names, notes = {label: further[name] for label, name in names.items()}, [*notes, *more]
    return Spellings(names=names, notes=tuple(notes))


def note_near(counts: Mapping[str, int], *, cure: str = " --merge-labels makes them one") -> tuple[str, ...]:
    """Name, with counts, the classes that differ in case, spacing or the digits of a fraction only."""
    found = [labels for labels in _grouped(counts, near_key).values() if len(labels) > 1]
    return tuple(
        f"labels {_counted(sorted(labels), counts)} differ only by {_difference(labels)}: are they one class?{cure}"
        for labels in found
    )


def note_missing_words(
    counts: Mapping[str, int], *, cure: str = " --where '{column}!={label}' leaves them out", column: str = "label"
) -> tuple[str, ...]:
    """Name, with counts, the labels that read as missing values do when they are written as text."""
    found = [label for label in counts if label.casefold() in MISSING_WORDS]
    return tuple(
        f"{counts[label]:,} label{'s read' if counts[label] != 1 else ' reads'} {label!r}: were missing values written as text?"
        + cure.format(column=column, label=label)
        for label in found
    )


def near_index(known: Iterable[str]) -> Callable[[str], str | None]:
    """Return ``find_near`` for many labels: each known class is looked at once, however many are asked about.

    Example:
        >>> find = near_index(["spam", "ham"])
        >>> find("Spam"), find("spam"), find("eggs")
        ('spam', None, None)
    """
    names = _grouped(dict.fromkeys(known), near_key)
    return lambda label: next((name for name in names.get(near_key(label), ()) if name != label), None)


def find_near(label: str, known: Iterable[str]) -> str | None:
    """Return the known class from which a label differs in case, spacing or the digits of a fraction only, if there is one."""
    return near_index(known)(label)


def _join(
    counts: Mapping[str, int], known: Sequence[str], key: Callable[[str], str], what: str
) -> tuple[dict[str, str], list[str]]:
    """Give labels of one key one name; return the name of each label, and what was joined, with counts."""
    taken = _grouped(known, lambda name: key(clean_label(name)))  # models of before were saved with names as they stood
    names, notes = {label: label for label in counts}, list[str]()
    for shared, labels in _grouped(sorted(counts, key=lambda label: (-counts[label], label)), key).items():
        kept = taken.get(shared, labels[:1])
        if len(kept) > 1 or labels == kept:  # a model of before may know several spellings: each is a class of its own
            continue
        names |= dict.fromkeys(labels, kept[0])
        notes.append(f"labels {_counted(labels, counts)} {what} named {kept[0]!r}")
    return names, notes


def _grouped(labels: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in labels:
        found.setdefault(key(label), []).append(label)
    return found


def _counted(labels: Sequence[str], counts: Mapping[str, int]) -> str:
    shown = [f"{label!r} ({counts[label]:,})" for label in labels[:SHOWN]]
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return (", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 and not more else ", ".join(shown)) + more


def _difference(labels: Sequence[str]) -> str:
    is_number = all(_NUMBER.fullmatch(label) for label in labels)
    return "how the number is written" if is_number else "case or spacing"


def _normal(number: str) -> str:
    """Return one spelling for equal numbers, with a ``.`` where they are not whole."""
    sign, digits, exponent = Decimal(number).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    power = int(exponent) + len(text) - len(stripped)
    if not stripped:
        return "0"
    return f"{'-' * sign}{'' if power >= 0 else '.'}{stripped}e{power}"
