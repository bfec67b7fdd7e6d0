"""Columns: which one holds the text and which the label, as asked for or as guessed, and reported."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pretune.configs import ReadConfig
from pretune.data.catalogue.fetch import near_names
from pretune.data.read.objects import SparseCells, named_cells
from pretune.data.read.table import Cell, Origin, RawTable, unusable
from pretune.errors import DataError, MissingLabelsError
from pretune.records import Columns

# In tiers: a name in an earlier tier wins over one in a later tier; within a tier the content decides.
TEXT_NAMES = (
    ("text",),
    ("review", "sentence", "content", "message", "tweet", "comment", "body", "post", "document", "utterance", "snippet", "sms"),
    ("title", "headline", "description", "question", "query", "statement", "summary", "reviews", "comments", "input", "texts"),
)
LABEL_NAMES = (
    ("label",),
    ("class", "category", "sentiment", "target", "polarity", "intent", "topic", "emotion", "labels"),
    ("spam", "tag", "y", "output", "stars", "rating", "toxic", "type", "gold", "annotation", "is_spam"),
)

# Rows looked at, evenly spread over the table since files are often sorted by class.
SAMPLE_ROWS = 2_000
SAMPLE_CELLS = 2_000_000  # fewer rows of a table of very many columns
# By content a label repeats: at most this many classes, and this share of the rows.
MAX_GUESSED_CLASSES = 50
MAX_GUESSED_SHARE = 0.5
# By content a text has words: at least this many on average, and this much more than the next column.
MIN_TEXT_WORDS = 3.0
MIN_TEXT_LEAD = 2.0

_WORD_BREAK = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the cells of one column look like."""

    words: float  # mean number of words of the cells that hold any
    num_distinct: int
    num_filled: int
    distinct_share: float  # distinct over filled
    values: frozenset[str]

    @property
    def has_letters(self) -> bool:
        """Whether most values are more than numbers and marks."""
        return sum(any(map(str.isalpha, value)) for value in self.values) * 2 > len(self.values)

    @property
    def like_text(self) -> bool:
        """Whether it may be the text."""
        return self.num_filled > 0 and self.words >= MIN_TEXT_WORDS

    @property
    def like_label(self) -> bool:
        """Whether its values repeat as classes do."""
        small = self.num_distinct <= MAX_GUESSED_CLASSES and self.words <= MIN_TEXT_WORDS
        return small and self.num_distinct >= 2 and self.distinct_share <= MAX_GUESSED_SHARE


def choose_columns(raw: RawTable, config: ReadConfig) -> tuple[Columns, tuple[str, ...]]:
    """Return the columns to read, and a sentence about each guess.

    Asked-for columns must exist; the others are guessed by name (``text``, ``review``, ...; ``label``, ``class``, ...),
    else by content: the one column of sentences, the one column of few repeated values.

    Raises:
        DataError: An asked-for column is not there, is named twice or serves two purposes; or the guess is ambiguous.
        MissingLabelsError: Labels are required and no column can be the label.
    """
    _check_asked(raw, config)
    looks = look_at_all(raw)
    notes: list[str] = []
    label, how = config.label, ""
    if label is None:
        label, how = _guess_label_by_name(raw, looks, config)
    text = config.text
    if not text:
        text, note = _guess_text(raw, looks, exclude={label, config.label, config.group})
        notes.append(note)
    if label is None and config.require_labels:
        label, how = _guess_label_by_content(raw, looks, exclude={*text, config.group})
    guessed = (*(() if config.text else ("text",)), *(("label",) if how else ()))
    if how:
        notes.append(f"label column guessed: {label!r} ({how}); --label COL chooses another")
    _check_header(raw, label, text, looks, guessed)
    return Columns(text=text, label=label, group=config.group, guessed=guessed), tuple(notes)


def _check_asked(raw: RawTable, config: ReadConfig) -> None:
    asked = [*config.text, *(name for name in (config.label, config.group) if name is not None)]
    flags = [*("--text" for _ in config.text), *(["--label"] if config.label is not None else []), "--group"]
    for name, flag in zip(asked, flags, strict=False):
        if name not in raw.columns:
            near = near_names(name, raw.columns)
            fix = f"did you mean {flag} {near[0]!r}?" if near else f"name another column with {flag}"
            raise unusable(raw.origin, f"has no column {name!r}", expected="one of " + shown_columns(raw.columns), fix=fix)
    if len(set(config.text)) < len(config.text):
        twice = next(name for name in config.text if config.text.count(name) > 1)
        raise _wrong(raw.origin, twice, "is named twice in --text", "each column once")
    if config.label in config.text:
        raise _wrong(raw.origin, config.label, "is asked for as text and as label", "two different columns")
    if config.group is not None and config.group in (*config.text, config.label):
        raise _wrong(
            raw.origin, config.group, "is asked for as group and as text or label", "a column of its own for the group"
        )


def _wrong(origin: Origin, column: str | None, got: str, expected: str) -> DataError:
    return unusable(origin, got, expected=expected, fix="change --text, --label or --group", at=(None, column, None))


def _guess_label_by_name(raw: RawTable, looks: dict[str, Looks], config: ReadConfig) -> tuple[str | None, str]:
    exclude = {*config.text, config.group}
    for names, exact in [(tier, True) for tier in LABEL_NAMES] + [(tier, False) for tier in LABEL_NAMES[:2]]:
        found = [name for name in raw.columns if name not in exclude and _is_named(name, names, exact)]
        if len(found) > 1:
            found = [name for name in found if looks[name].like_label] or found
        if len(found) > 1 and config.require_labels:
            raise _ambiguous(raw, "label", found)
        if len(found) == 1 and (exact or looks[found[0]].like_label):
            return found[0], "by its name"
    return None, ""


def _guess_text(raw: RawTable, looks: dict[str, Looks], exclude: set[str | None]) -> tuple[tuple[str, ...], str]:
    left = [name for name in raw.columns if name not in exclude]
    for names, exact in [(tier, True) for tier in TEXT_NAMES] + [(tier, False) for tier in TEXT_NAMES[:2]]:
        found = [name for name in left if _is_named(name, names, exact)]
        if len(found) > 1:
            found = [name for name in found if looks[name].like_text] or found
        if len(found) > 1:
            raise _ambiguous(raw, "text", found)
        if len(found) == 1 and (exact or looks[found[0]].like_text):
            return (found[0],), f"text column guessed: {found[0]!r} (by its name); --text COL chooses another"
    by_length = sorted(left, key=lambda name: -looks[name].words)
    if by_length and looks[by_length[0]].like_text:
        first, others = by_length[0], by_length[1:]
        if others and looks[others[0]].words * MIN_TEXT_LEAD > looks[first].words:
            raise _ambiguous(
                raw, "text", [name for name in by_length if looks[name].words * MIN_TEXT_LEAD > looks[first].words]
            )
        words = f"{looks[first].words:.0f} words a cell"
        return (first,), f"text column guessed: {first!r} (by its content: {words}); --text COL chooses another"
    if len(left) == 1 and len(raw.columns) <= 2 and looks[left[0]].has_letters:
        return (left[0],), f"text column guessed: {left[0]!r} (the only one left); --text COL chooses another"
    raise unusable(
        raw.origin,
        f"none of its columns looks like the text: {shown_columns(raw.columns)}",
        expected=f"a column with a name such as {TEXT_NAMES[0][0]!r} or {TEXT_NAMES[1][0]!r}, or one of sentences",
        fix="name it with --text COL" + (" (and the class with --label COL)" if len(raw.columns) > 1 else ""),
    )


def _guess_label_by_content(raw: RawTable, looks: dict[str, Looks], exclude: set[str | None]) -> tuple[str, str]:
    left = [name for name in raw.columns if name not in exclude]
    found = [name for name in left if looks[name].like_label]
    if len(found) > 1:
        raise _ambiguous(raw, "label", found)
    if found:
        return found[0], f"by its content: {looks[found[0]].num_distinct} values"
    error = unusable(
        raw.origin,
        f"none of its columns looks like the label: {shown_columns(raw.columns)}",
        expected=f"a column with a name such as {LABEL_NAMES[0][0]!r} or {LABEL_NAMES[1][0]!r}, or one of few repeated values",
        fix="name it with --label COL" if left else "add a column with the class of each text",
    )
    raise MissingLabelsError(error.got, expected=error.expected, fix=error.fix, files=error.files)


def _check_header(
    raw: RawTable, label: str | None, text: tuple[str, ...], looks: dict[str, Looks], guessed: tuple[str, ...]
) -> None:
    """A guess that takes its name from a row of data means that the file has no header."""
    values = looks[label].values if label is not None else frozenset()
    sentence = len(text) == 1 and len(text[0].split()) > 2 * MIN_TEXT_WORDS
    if guessed and (label in values or ("text" in guessed and sentence)):
        raise unusable(
            raw.origin,
            f"the first row looks like data, not like a header: {shown_columns(raw.columns)}",
            expected="column names in the first row",
            fix="add a first row such as: text,label (or name the columns with --text and --label if these are their names)",
            at=(1, None, None),
        )


def _ambiguous(raw: RawTable, what: str, found: Sequence[str]) -> DataError:
    several = "; several are joined with --text A,B" if what == "text" else ""
    return unusable(
        raw.origin,
        f"more than one column may be the {what}: {shown_columns(found)}",
        expected=f"one {what} column, out of {shown_columns(raw.columns)}",
        fix=f"say which with --{what} COL{several}",
    )


def shown_columns(columns: Sequence[str]) -> str:
    """Return column names for a message, long ones and long lists cut."""
    short = [repr(name if len(name) <= 40 else name[:37] + "...") for name in columns[:12]]
    return ", ".join(short) + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")


def _is_named(column: str, names: Sequence[str], exact: bool) -> bool:
    if exact:
        return column.casefold() in names
    return any(word.casefold() in names for word in _WORD_BREAK.split(column))


def look_at_all(raw: RawTable) -> dict[str, Looks]:
    """Look at a sample of every column; what is missing from rows of few of many columns is not asked for."""
    num_rows = len(raw.rows)
    rows = raw.rows[:: max(1, num_rows // SAMPLE_ROWS, num_rows * len(raw.columns) // SAMPLE_CELLS)]
    if not any(isinstance(row.cells, SparseCells) for row in rows):
        return {name: _look([row.cells[index] for row in rows]) for index, name in enumerate(raw.columns)}
    found: dict[str, list[Cell]] = {name: [] for name in raw.columns}
    for row in rows:
        for name, cell in named_cells(raw.columns, row.cells).items():
            found[name].append(cell)
    return {name: _look(cells) for name, cells in found.items()}


def _look(cells: Sequence[Cell]) -> Looks:
    values = [cell.strip()[:2_000] for cell in cells if isinstance(cell, str) and cell.strip()]
    words = sum(len(value.split()) for value in values) / max(1, len(values))
    distinct = frozenset(values)
    return Looks(
        words=words,
        num_distinct=len(distinct),
        num_filled=len(values),
        distinct_share=len(distinct) / max(1, len(values)),
        values=distinct,
    )
