"""Naming: labels, predictions and class columns that mean one class get one name, however each is spelled."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pretune.configs import AuditConfig
from pretune.data.labels.several import note_joined
from pretune.data.labels.spelling import class_key, join_spellings, near_key, note_missing_words, note_near

# As transformers calls classes that nobody named.
NUMBERED = re.compile(r"LABEL_(\d+)")
_WHOLE = re.compile(r"\d{1,9}(\.0*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a table says, in the words of its classes."""

    labels: list[str]
    said: list[str]  # predicted classes; empty where the table has none
    shares: list[dict[str, float]]  # class → probability; empty where the table has none
    score_class: str | None  # the class of a score that stands alone
    notes: tuple[str, ...]


def name_classes(
    labels: Sequence[str],
    said: Sequence[str],
    shares: Sequence[Mapping[str, float]],
    score_class: str | None = None,
    *,
    column: str = "label",
    is_listed: bool = False,
    merge: bool = False,
) -> Named:
    """Give every class one name.

    Args:
        labels: True classes, cleaned.
        said: Predicted classes, cleaned.
        shares: Class → probability of each row.
        score_class: The class that the name of a score's column tells.
        column: Name of the column of labels, for notes.
        is_listed: Whether every row names every class, as columns do: these names are kept.
        merge: Whether labels that differ in case or spacing only are one class.
    """
    known = list(dict.fromkeys(name for row in shares for name in row))
    numbered, notes = _without_numbering({*known, *said, *filter(None, [score_class])}, labels)
    counts = Counter([*labels, *(numbered.get(name, name) for name in said)])
    listed = [numbered.get(name, name) for name in known]
    if not is_listed:
        counts.update(listed)
    spelled = join_spellings(counts, known=listed if is_listed else (), merge=merge)
    names = {**{name: name for name in listed}, **spelled.names}
    names |= {name: names.get(plain, plain) for name, plain in numbered.items()}
    if len({names[name] for name in known}) < len(known):  # of two columns for one class neither can be dropped
        names, spelled = {name: name for name in [*known, *counts]}, join_spellings({})
    final = Counter[str]()
    for name, count in counts.items():
        final[names[name]] += count
    near = note_near({**dict.fromkeys((names[name] for name in known), 0), **final})
    return Named(
        labels=[names[label] for label in labels],
        said=[names[name] for name in said],
        shares=[{names[name]: share for name, share in row.items()} for row in shares],
        score_class=score_class and named_as(names.get(score_class, score_class), [*final, *listed], merge=merge),
        notes=(*notes, *spelled.notes, *near, *note_missing_words(Counter(labels), column=column), *note_joined(final)),
    )


def named_as(name: str, classes: Iterable[str], *, merge: bool = False) -> str:
    """Return the class that a name given elsewhere means, such as ``1`` of ``1.0``; the name itself where there is none.

    Example:
        >>> named_as("1", ["0.0", "1.0"]), named_as("Spam", ["ham", "spam"]), named_as("x", ["a"])
        ('1.0', 'Spam', 'x')
    """
    known = dict.fromkeys(classes)
    if name in known:
        return name
    key = near_key if merge else class_key
    wanted = key(name)
    return next((other for other in known if key(other) == wanted), name)


def merges(config: AuditConfig) -> bool:
    """Whether labels that differ in case or spacing only are one class."""
    return config.read.merge_labels


def is_named(name: str, labels: frozenset[str]) -> bool:
    """Whether a column's name is one of the labels; ``labels`` are their ``near_key``."""
    numbered = NUMBERED.fullmatch(name)
    return near_key(numbered[1] if numbered else name) in labels


def _without_numbering(names: Iterable[str], labels: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Undo ``LABEL_0``, as transformers calls classes that nobody named, where labels are numbers."""
    numbered = {name: match[1] for name in names if (match := NUMBERED.fullmatch(name)) is not None}
    if numbered and all(_WHOLE.fullmatch(label) for label in labels):
        return numbered, ("LABEL_0, LABEL_1, … are read as the labels 0, 1, …",)
    return {}, ()
