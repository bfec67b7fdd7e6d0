"""Questions: the rows of a table to answer, read by the columns that the model learned from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pretune.configs import MAX_REJECTED_SHARE, ReadConfig
from pretune.data.clean import clean_text
from pretune.data.read.columns import choose_columns, shown_columns
from pretune.data.read.rows import text_reader
from pretune.data.read.stream import RowStream, open_rows
from pretune.data.read.table import Cell, Nested, unusable
from pretune.data.seal.known import warn_of
from pretune.errors import DataError, UsageError
from pretune.records import Columns
from pretune.tasks.classify.predict.answering import NAMELESS, Answering

ALL = ("all",)
LOOKED_AT = 10_000  # rows that are compared with the tests of runs before any is answered
SHOWN = 3  # rows that a message shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """A table of texts, and how its rows are read.

    Args:
        stream: The rows.
        text: Returns the text of a row and nothing, or nothing and the reason.
        columns: The columns of the text.
        kept: Columns that go with the answers, and where they stand.
        notes: What the user should know: guesses, encodings, blank lines.
    """

    stream: RowStream
    text: Callable[[Sequence[Cell]], tuple[str, str]]
    columns: tuple[str, ...]
    kept: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]

    def keep(self, cells: Sequence[Cell]) -> list[str | None]:
        """Return the cells that go with an answer."""
        return [_plain(cells[place]) for _, place in self.kept]


def open_questions(answering: Answering, file: str, config: ReadConfig, keep: tuple[str, ...] = ()) -> Questions:
    """Go through a table once: its columns, how many rows it has, and whether these can be asked about.

    Args:
        answering: Who will answer; its columns are read unless the config names others.
        file: A path, or a data set of the catalogue.
        config: Columns, encoding, and whether many rows may be unreadable.
        keep: Columns that go with the answers; ``("all",)`` for every one.

    Raises:
        DataError: The table cannot be read, lacks the columns, or has no text.
        UsageError: A column to keep is not there.
    """
    config = replace(config, require_labels=False)
    stream, notes = _open(answering, file, config)
    known = config.text or answering.text
    if not config.text and stream.origin.format in NAMELESS:
        known = tuple(name for name in ("text",) if name in stream.columns)
    if known and stream.columns:
        _check_there(answering, stream, known, is_asked=bool(config.text))
    if not stream.num_rows:
        raise unusable(stream.origin, "has no rows", expected="rows of text", fix="check that it was written in full")
    _check_readable(stream, config)
    columns, guesses = choose_columns(stream.sampled(), replace(config, text=known, label=None))
    if not known:
        name = f"{answering.shown} does not say which columns it learned from"
        notes += [f"{name}; {note}" for note in guesses if not note.startswith("label")]
    read = text_reader(stream.columns, replace(columns, label=None, group=None), config.max_cell)
    _check_any(stream, read, columns)
    kept = _places(stream, keep)
    return Questions(stream=stream, text=read, columns=columns.text, kept=kept, notes=(*stream.notes, *notes))


def warn_of_tests(questions: Questions) -> tuple[str, ...]:
    """Return one sentence where the first rows hold texts of a test; answers without labels are no look, and not counted."""
    items = islice(questions.stream.items(), LOOKED_AT)
    texts = (questions.text(item.cells) for item in items if isinstance(item, tuple))
    asked = [clean_text(text) for text, reason in texts if not reason]
    warning = warn_of(asked, "comparing their answers with labels would be a look at a test that is not counted")
    return (warning,) if warning else ()


def _open(answering: Answering, file: str, config: ReadConfig) -> tuple[RowStream, list[str]]:
    """Read in UTF-8, which a file in another encoding never is by chance, else in the encoding of the run."""
    try:
        return open_rows(file, config).survey(), []
    except DataError as error:
        if config.encoding is not None or answering.encoding is None or "--encoding" not in error.fix:
            raise
        stream = open_rows(file, replace(config, encoding=answering.encoding)).survey()
        return stream, [f"{stream.origin.name} is not UTF-8: it is read as {answering.encoding}, like the data of the run"]


def _check_there(answering: Answering, stream: RowStream, known: tuple[str, ...], *, is_asked: bool) -> None:
    missing = [name for name in known if name not in stream.columns]
    if not missing or is_asked:  # what was asked for is checked with a fix of its own
        return
    raise unusable(
        stream.origin,
        f"has no column {', '.join(map(repr, missing))}: {answering.shown} learned from the text in "
        f"{' and '.join(map(repr, known))}",
        expected=f"a table with {'these columns' if len(known) > 1 else 'this column'}; this one has "
        f"{shown_columns(stream.columns)}",
        fix="name the column that holds the same kind of text with --text COL",
    )


def _check_readable(stream: RowStream, config: ReadConfig) -> None:
    """Stop where more rows cannot be read than dirt explains; blank texts are no matter, each gets an answer of its own."""
    share = stream.num_unreadable / stream.num_rows
    if config.allow_rejects or share <= MAX_REJECTED_SHARE:
        return
    shown = "".join(f"\n  row {item.row}: {item.reason}" for item in stream.unreadable[:SHOWN])
    raise unusable(
        stream.origin,
        f"{stream.num_unreadable:,} of {stream.num_rows:,} rows cannot be read ({100 * share:.1f} %){shown}",
        expected=f"at most {100 * MAX_REJECTED_SHARE:.0f} % of the rows",
        fix="correct these rows, or pass --allow-rejects, which gives each of them an empty answer",
    )


def _check_any(stream: RowStream, read: Callable[[Sequence[Cell]], tuple[str, str]], columns: Columns) -> None:
    for item in stream.items():
        if isinstance(item, tuple) and not read(item.cells)[1]:
            return
    raise unusable(
        stream.origin,
        f"none of its {stream.num_rows:,} rows has a text in {' or '.join(map(repr, columns.text))}",
        expected="at least one text",
        fix="name the column with --text COL",
    )


def _places(stream: RowStream, keep: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    names = stream.columns if keep == ALL and "all" not in stream.columns else keep
    missing = [name for name in names if name not in stream.columns]
    if missing:
        raise UsageError(
            f"--keep {missing[0]!r}: {stream.origin.shown} has no such column",
            expected="all, or columns out of " + shown_columns(stream.columns),
        )
    return tuple((name, stream.columns.index(name)) for name in dict.fromkeys(names))


def _plain(cell: Cell) -> str | None:
    """Return a cell as any format can hold it."""
    shown = cell.shown if isinstance(cell, Nested) else cell
    return shown if shown is None or shown.isascii() else shown.encode("utf-8", "replace").decode()
