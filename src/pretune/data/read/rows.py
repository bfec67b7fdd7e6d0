"""Rows: each row of cells becomes an example or a rejection with its reason; none is lost."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pretune.configs import MAX_REJECTED_SHARE, ReadConfig
from pretune.data.clean import has_content, writable
from pretune.data.labels.several import label_in
from pretune.data.labels.spelling import MISSING_WORDS, clean_label
from pretune.data.read.objects import SparseCells
from pretune.data.read.table import Cell, Nested, RawTable, Row, receipt_of
from pretune.errors import DataError
from pretune.records import Columns, Example, FileReceipt, Rejection
from pretune.wording.counts import counted

MAX_WORD = 12  # characters of a text that may be a word for nothing
# Reasons and rows that the one message shows; the receipt has all.
SHOWN_REASONS = 4
SHOWN_ROWS = 3

# What is done to labels, as it is said of one label and of several.
_TRIMMED = ("label had surrounding spaces, which were removed", "labels had surrounding spaces, which were removed")
_CLEANED = (
    "label had invisible characters, odd spaces or another Unicode form, and was cleaned",
    "labels had invisible characters, odd spaces or another Unicode form, and were cleaned",
)
_UNPACKED = (
    "label was a list of one, and is read as what it holds",
    "labels were lists of one, and are read as what they hold",
)
Done = Counter[tuple[str, str]]

LabelRule = Callable[[str], str]  # raises ValueError with the reason where a label is none


@dataclass(frozen=True, slots=True)
class _Places:
    text: tuple[int, ...]
    label: int | None
    group: int | None
    extra: tuple[tuple[int, str], ...]
    max_cell: int  # characters
    names: frozenset[str]  # of the further columns


class RowError(ValueError):
    """Why one row is not used, and the column it is about, by number."""

    def __init__(self, column: int | None, reason: str) -> None:
        self.column, self.reason = column, reason
        super().__init__(reason)


def build_examples(
    raw: RawTable, columns: Columns, config: ReadConfig, *, label_rule: LabelRule | None = None
) -> tuple[tuple[Example, ...], FileReceipt, tuple[str, ...]]:
    """Return the examples, the receipt of every row, and notes.

    Args:
        raw: Rows of cells.
        columns: Which column is what.
        config: Whether labels are required, and whether many rejected rows are allowed.
        label_rule: Turns a label of the file into the class; the label itself without one.

    Raises:
        DataError: No row is usable, or more than ``MAX_REJECTED_SHARE`` of the rows are not; it carries the receipt.
    """
    places = _places(raw.columns, columns, config.max_cell)
    prefix = raw.origin.name + ":"
    examples: list[Example] = []
    rejected = list(raw.rejected)
    done: Done = Counter()
    for row in raw.rows:
        try:
            text = _text(row.cells, places)
            label = _label(row.cells, places, config.require_labels, done)
            label = label and _ruled(label, label_rule, places)
        except RowError as error:
            rejected.append(rejection_of(raw, row, error))
            continue
        examples.append(
            Example(
                id=f"{prefix}{row.number}",
                text=text,
                label=label,
                group=_group(row.cells, places),
                extra=_extras(row.cells, places),
            )
        )
    rejected.sort(key=lambda rejection: rejection.row or 0)
    num_rows, num_filtered = len(raw.rows) + len(raw.rejected) + raw.num_filtered, raw.num_filtered
    receipt = receipt_of(
        raw.origin,
        num_rows=num_rows,
        num_used=len(examples),
        rejected=tuple(rejected),
        num_filtered=num_filtered,
        lines=raw.lines,
    )
    check_rejected(raw.origin.shown, (receipt,), config.allow_rejects)
    notes = [counted(count, *what) for what, count in done.items() if count]
    return tuple(examples), receipt, (*notes, *_note_missing(raw, places, examples))


def _note_missing(raw: RawTable, places: _Places, examples: Sequence[Example]) -> list[str]:
    """Say which texts may stand for missing ones, or were made missing by whoever read the file before."""
    if raw.origin.format == "data frame":
        num_missing = sum(all(row.cells[index] is None for index in places.text) for row in raw.rows)
        said = f"{counted(num_missing, 'text is', 'texts are')} missing (NaN): pandas reads N/A, NA, None and null so; "
        return [f"{said}read_csv(…, keep_default_na=False) keeps them as texts, as pretune does"] if num_missing else []
    words = [text for row in examples if len(text := row.text) <= MAX_WORD and text.strip().casefold() in MISSING_WORDS]
    if not words:
        return []
    reads = counted(len(words), "text reads", "texts read")
    kept = "is kept" if len(words) == 1 else "or the like, and are kept"
    return [f"{reads} {words[0].strip()!r} {'and ' * (len(words) == 1)}{kept}: were missing values written as text?"]


def text_reader(names: tuple[str, ...], columns: Columns, max_cell: int) -> Callable[[Sequence[Cell]], tuple[str, str]]:
    """Return what reads the text of one row: the text and nothing, or nothing and why there is none."""
    places = _places(names, columns, max_cell)

    def read(cells: Sequence[Cell]) -> tuple[str, str]:
        try:
            return _text(cells, places), ""
        except RowError as error:
            return "", error.reason

    return read


def check_rejected(shown: str, files: tuple[FileReceipt, ...], allow: bool) -> None:
    """Stop where nothing is usable, or where more rows are rejected than dirt explains.

    Raises:
        DataError: With every reason, the first rows of each, and the receipts.
    """
    num_rows, num_used = sum(file.num_rows - file.num_filtered for file in files), sum(file.num_used for file in files)
    rejected = [rejection for file in files for rejection in file.rejected]
    if num_rows == 0:
        raise DataError(f"{shown}: has no rows", expected="rows of text", fix="check that it was written in full", files=files)
    share = len(rejected) / num_rows
    if num_used and (share <= MAX_REJECTED_SHARE or allow):
        return
    fix = "correct these rows, or pass --allow-rejects to continue without them" if num_used else "correct these rows"
    raise DataError(
        f"{shown}: {len(rejected):,} of {num_rows:,} rows cannot be used ({100 * share:.1f} %)\n{_reasons(rejected)}",
        expected=f"at most {100 * MAX_REJECTED_SHARE:.0f} % of the rows rejected, and some used",
        fix=fix,
        files=files,
    )


def _reasons(rejected: Iterable[Rejection]) -> str:
    by_reason: dict[tuple[str, str | None], list[Rejection]] = {}
    for rejection in rejected:
        reason = rejection.reason
        by_reason.setdefault((reason, rejection.column), []).append(rejection)
    common = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    lines = []
    for (reason, column), rows in common[:SHOWN_REASONS]:
        where = ", ".join(str(row.row) if row.row is not None else row.file for row in rows[:SHOWN_ROWS])
        more = f" and {len(rows) - SHOWN_ROWS:,} more" if len(rows) > SHOWN_ROWS else ""
        kind = ("row " if len(rows) == 1 else "rows ") if rows[0].row is not None else ""
        about = f", column {column!r}" if column is not None else ""
        lines.append(f"  {kind}{where}{more}{about}: {reason}")
    if len(common) > SHOWN_REASONS:
        lines.append(f"  and {len(common) - SHOWN_REASONS} further reasons; the receipt has every row")
    return "\n".join(lines)


def _places(names: tuple[str, ...], columns: Columns, max_cell: int) -> _Places:
    index = {name: number for number, name in enumerate(names)}
    taken = {*columns.text, columns.label, columns.group}
    return _Places(
        text=tuple(index[name] for name in columns.text),
        label=None if columns.label is None else index[columns.label],
        group=None if columns.group is None else index[columns.group],
        extra=tuple((number, name) for name, number in index.items() if name not in taken),
        max_cell=max_cell,
        names=frozenset(index) - taken,
    )


def _text(cells: Sequence[Cell], places: _Places) -> str:
    first = places.text[0]
    if len(places.text) == 1:
        text = checked_text(cells[first], first, places.max_cell) or ""
    else:
        text = "\n".join(
            part
            for index in places.text
            if (part := checked_text(cells[index], index, places.max_cell) or "") and not part.isspace()
        )
    if not has_content(text):
        raise RowError(first, "the text is empty" if not text.strip() else f"the text has nothing visible: {text[:40]!a}")
    return text


def _label(cells: Sequence[Cell], places: _Places, required: bool, done: Done) -> str | None:
    """The clean label of a row; ``done`` counts what was done to it."""
    if places.label is None:
        return None
    cell = cells[places.label]
    try:
        only = cell if cell is None else label_in(cell)
    except ValueError as error:
        raise RowError(places.label, str(error)) from error
    label = clean_label(raw) if (raw := checked_text(only, places.label, places.max_cell)) else ""
    if not label:
        if required:
            raise RowError(places.label, "the label is missing")
        return None
    if label != raw:
        done[_TRIMMED if label == str(raw).strip() else _CLEANED] += 1
    done[_UNPACKED] += raw is not cell
    return label


def _ruled(label: str, rule: LabelRule | None, places: _Places) -> str:
    try:
        return label if rule is None else rule(label)
    except ValueError as error:
        raise RowError(places.label, str(error)) from error


def checked_text(cell: Cell, column: int, limit: int) -> str | None:
    """Return the text of a cell that is sound; ``None`` where it is missing.

    Args:
        cell: It.
        column: Its number, for the message.
        limit: Characters that it may have.

    Raises:
        RowError: It is no text, is too long, or cannot be written.
    """
    if cell is None:
        return None
    if isinstance(cell, Nested):
        raise RowError(column, f"is {cell.kind}, not text")
    if len(cell) > limit:
        raise RowError(column, f"has {len(cell):,} characters; a cell may have {limit:,} (--max-cell)")
    if cell.isascii():
        if "\0" in cell:
            raise RowError(column, "holds a NUL character (a zero byte)")
        return cell
    try:
        cell.encode()
    except UnicodeEncodeError as error:
        raise RowError(column, f"holds half of a character (the surrogate {cell[error.start]!a})") from error
    if "\0" in cell:
        raise RowError(column, "holds a NUL character (a zero byte)")
    return cell


def _group(cells: Sequence[Cell], places: _Places) -> str | None:
    if places.group is None:
        return None
    return shown_cell(cells[places.group]).strip() or None


def _extras(cells: Sequence[Cell], places: _Places) -> dict[str, str]:
    """The further columns of a row; a cell that is missing is left out."""
    if isinstance(cells, SparseCells):
        names = places.names
        return {name: shown_cell(cell) for name, cell in cells.values.items() if cell is not None and name in names}
    return {name: shown_cell(cell) for index, name in places.extra if (cell := cells[index]) is not None}


def shown_cell(cell: Cell) -> str:
    """Return a cell as text that can be written; a missing one is empty."""
    if type(cell) is str:
        return writable(cell)
    return writable(cell.shown) if isinstance(cell, Nested) else ""


def rejection_of(raw: RawTable, row: Row, error: RowError) -> Rejection:
    """Return the rejection of a row, with its line where that is another number."""
    column = raw.columns[error.column] if error.column is not None else None
    line = f" (line {row.line})" if row.line is not None and row.line != row.number else ""
    return Rejection(file=raw.origin.name, row=row.number, column=column, reason=error.reason + line)
