"""Several: cells that hold a list of labels. A list of one is its label; of several, a text has one class here."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pretune.data.read.table import Nested
from pretune.wording.counts import counted, listed

# What annotation tools call the labels inside an object, the first that is there.
KEYS = ("choices", "labels", "label", "value", "class", "category")
# A longer cell is no list of labels.
MAX_CHARACTERS = 10_000
SHOWN = 4
CURE = "keep one per row, or make one table per label, with the classes yes and no"
# What people join labels with in one cell.
SEPARATORS = (",", ";", "|")
# Joined labels from which parts that change their places say something; ours.
MIN_JOINED = 3

_SIDE_BY_SIDE = re.compile(r"""(['"])\s+\1""")  # as numpy prints lists: ['a' 'b'], which Python reads as one string
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)["]""")


def label_in(cell: str | Nested) -> str | None:
    """Return the one label of a cell that holds a list or an object, ``None`` where it is empty; other text as it stands.

    Raises:
        ValueError: With the reason: it holds several labels, or something that is no label.

    Example:
        >>> label_in('["praise"]'), label_in("['praise']"), label_in("[]"), label_in("[unclear]"), label_in("Sci/Tech")
        ('praise', 'praise', None, '[unclear]', 'Sci/Tech')
    """
    if isinstance(cell, Nested):
        value = cell.value if cell.value is not None else _parsed(cell.shown)
        if not isinstance(value, (list, tuple, set, frozenset, Mapping)):
            raise ValueError(f"is {cell.kind}, not text")
    elif cell.strip()[:1] not in ("[", "{"):
        return cell
    else:
        value = _parsed(cell)
        if not isinstance(value, (list, tuple, set, frozenset, Mapping)):
            return cell
    found = list(dict.fromkeys(_labels(value)))
    if len(found) > 1:
        shown = listed(found, SHOWN)
        raise ValueError(f"holds several labels ({shown}); a text has one class here: {CURE}")
    return found[0] if found else None


def labels_listed(cell: str) -> list[str] | None:
    """Return what a cell lists, each item as often as it is there; ``None`` where it holds no list.

    Example:
        >>> labels_listed('["a", "b", "a"]'), labels_listed("a, b")
        (['a', 'b', 'a'], None)
    """
    if cell.strip()[:1] not in ("[", "{", "("):
        return None
    value = _parsed(cell)
    try:
        return _labels(value) if isinstance(value, (list, tuple, Mapping)) else None
    except ValueError:
        return None


def note_joined(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Name the classes that look like several labels joined by a comma, a semicolon or a bar, with their rows.

    They do where every part is a class by itself, or where the same few parts recombine in changing places; the names of people
    and places (``Smith, John``) keep their places.
    """
    notes = []
    for separator in SEPARATORS:
        joined = {label: parts for label in counts if (parts := _parts(label, separator)) is not None}
        found = [label for label in joined if all(part in counts for part in joined[label])]
        found = found or (list(joined) if _recombine(list(joined.values())) else [])
        if found:
            rows = sum(counts[label] for label in found)
            shown = listed(found, SHOWN)
            notes.append(
                f"{len(found)} class{'es look' if len(found) > 1 else ' looks'} like several labels in one cell ({shown}; "
                f"{counted(rows, 'row')}): a text has one class here; {CURE}"
            )
    return tuple(notes)


def _parts(label: str, separator: str) -> list[str] | None:
    parts = [part.strip() for part in label.split(separator)]
    return parts if len(parts) > 1 and all(parts) else None


def _recombine(joined: Sequence[Sequence[str]]) -> bool:
    """Whether few parts make many labels, and some stand first in one and later in another."""
    places = defaultdict[str, set[bool]](set)
    for parts in joined:
        for index, part in enumerate(parts):
            places[part].add(index == 0)
    return len(joined) >= MIN_JOINED and len(places) <= len(joined) and any(len(where) > 1 for where in places.values())


def _labels(value: Any) -> list[str]:
    """Return the labels in what was parsed; an object of an annotation tool is asked for its choices."""
    if isinstance(value, Mapping):
        key = next((key for key in KEYS if key in value), None)
        if key is None:
            raise ValueError("is an object, not text")
        return _labels(value[key])
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [item for item in value if item is not None]
        if len(items) > 1 and any(isinstance(item, (list, tuple)) for item in items):
            raise ValueError("is a list of lists, not text: labels of parts of a text are not its class")
        return [label for item in items for label in _labels(item)]
    text = str(value)
    return [text] if text.strip() else []


def _parsed(text: str) -> Any:
    """Return what a cell holds as JSON or as Python writes it; ``None`` where it is neither."""
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        pass
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    if isinstance(value, (list, tuple, set)) and _SIDE_BY_SIDE.search(text):
        return [single or double for single, double in _QUOTED.findall(text)]
    return value
