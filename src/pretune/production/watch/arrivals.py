"""Arrivals: the rows of a file of production, read exactly as `pretune predict --file` reads them, and cut into windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

from pretune.configs import ReadConfig
from pretune.data.clean import clean_text
from pretune.data.moments import read_asked, read_moments
from pretune.errors import DataError, UsageError
from pretune.hashing import digest_of
from pretune.records import Columns, Example, Rejection
from pretune.tasks.classify.predict import Answering, open_questions

PERIODS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "week": "%G-W%V"}
YEAR_1980 = 315_532_800  # in seconds since 1970
MAX_SHOWN = 12  # columns that a message shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a file is cut into windows.

    Args:
        time: Column with the moment of each row.
        period: ``hour``, ``day`` or ``week``.
        num_rows: Rows per window instead; ``None`` for all of the file.
    """

    time: str | None = None
    period: str | None = None
    num_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One row of production.

    Args:
        row: With a clean text and, where it has one, a label.
        print: Stands for all cells but the label.
    """

    row: Example
    print: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rows that are looked at together.

    Args:
        name: As it is shown.
        period: Which period it is; empty for rows that are counted off.
        arrivals: In the order of the file.
    """

    name: str
    period: str
    arrivals: tuple[Arrival, ...]

    @property
    def digest(self) -> str:
        """Stands for its rows and their labels, in any order where it is a period."""
        rows = [f"{arrival.print:x} {arrival.row.label or ''}" for arrival in self.arrivals]
        return digest_of([self.period, sorted(rows) if self.period else rows])[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What a file brought.

    Args:
        windows: In the order of time, or of the file.
        num_unread: Rows without a text, or that cannot be read.
        columns: Further columns of the file.
        notes: What the user should know.
    """

    windows: tuple[Window, ...]
    num_unread: int
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def read_arrivals(answering: Answering, file: str, config: ReadConfig, cut: Cut, known: Columns | None) -> Arrivals:
    """Read a file and cut it into windows.

    Args:
        answering: Whose columns are read, unless the config names others.
        file: The table.
        config: With the column of labels, where there are some.
        cut: How.
        known: Columns of the run: rows with the same value in its column of groups belong together, and its labels are no
            column that is compared.

    Raises:
        DataError: The file cannot be read, or lacks a column.
        UsageError: The windows cannot be cut so.
    """
    questions = open_questions(answering, file, replace(config, label=None))
    names = questions.stream.columns
    questions = replace(questions, kept=tuple((name, place) for place, name in enumerate(names)))
    for wanted, flag in ((config.label, "--label"), (cut.time, "--time")):
        if wanted is not None and wanted not in names:
            raise _no_column(file, wanted, names, flag)
    read = _Reading(
        names=names,
        label=config.label,
        labels=frozenset({config.label, known.label if known is not None else None}),
        group=known.group if known is not None and known.group in names else None,
    )
    rows, num_unread = list[Arrival](), 0
    for number, item in enumerate(questions.stream.items()):
        text, reason = ("", "unread") if isinstance(item, Rejection) else questions.text(item.cells)
        if isinstance(item, Rejection) or reason:
            num_unread += 1
        else:
            rows.append(read.arrival(number, clean_text(text), questions.keep(item.cells)))
    source, notes = Path(questions.stream.origin.name).name, list(questions.notes)
    windows = tuple(_by_time(rows, cut, notes) if cut.period else _by_number(rows, cut, source))
    used = {*questions.columns, *read.labels, read.group, cut.time}
    others = [name for name in names if name not in used]
    dated = {name for name in others if rows and read_moments([arrival.row for arrival in rows], name)}
    columns = tuple(name for name in others if name not in dated)  # dates are never those of the test
    return Arrivals(windows=windows, num_unread=num_unread, columns=columns, notes=tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What the columns of a file are.

    Args:
        names: All of them.
        label: The one with the labels, if they are to be read.
        labels: Those that may come later: they make no row another one.
        group: The one with the groups.
    """

    names: Sequence[str]
    label: str | None
    labels: frozenset[str | None]
    group: str | None

    def arrival(self, number: int, text: str, values: Sequence[str | None]) -> Arrival:
        """Return a row."""
        cells = dict(zip(self.names, values, strict=True))
        others = {name: value or "" for name, value in cells.items() if name not in self.labels}
        digest = blake2b(repr((text, list(others.items()))).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        label = (cells[self.label] or "").strip() if self.label is not None else ""
        group = cells[self.group] if self.group is not None else None
        row = Example(id=str(number), text=text, label=label or None, group=group, extra=others)
        return Arrival(row=row, print=int.from_bytes(digest) >> 1)


def _by_number(rows: Sequence[Arrival], cut: Cut, source: str) -> Iterator[Window]:
    size = cut.num_rows or max(1, len(rows))
    for start in range(0, len(rows), size):
        part = tuple(rows[start : start + size])
        yield Window(name=f"rows {start + 1:,} to {start + len(part):,} of {source}", period="", arrivals=part)


def _by_time(rows: Sequence[Arrival], cut: Cut, notes: list[str]) -> Iterator[Window]:
    examples = [arrival.row for arrival in rows]
    column = cut.time or _find_time(examples, notes, str(cut.period))
    moments = read_moments(examples, column) or _seconds(examples, column)
    if not moments:
        raise DataError(
            f"column {column!r} has no dates",
            expected="such as 2026-11-30 or 2026-11-30T14:05:00Z in nearly every row, or seconds since 1970",
            fix="name another column with --time, or count rows with --window N",
        )
    dated = [arrival for arrival in rows if arrival.row.id in moments]
    if len(dated) < len(rows):
        notes.append(f"{len(rows) - len(dated):,} rows without a date in {column!r} are left out")

    def period_of(arrival: Arrival) -> str:
        return datetime.fromtimestamp(moments[arrival.row.id], UTC).strftime(PERIODS[str(cut.period)])

    dated.sort(key=lambda arrival: (moments[arrival.row.id], int(arrival.row.id)))
    for period, part in groupby(dated, period_of):
        yield Window(name=period, period=period, arrivals=tuple(part))


def _seconds(rows: Sequence[Example], column: str) -> dict[str, float]:
    """Return moments that are seconds since 1970, as servers log them; numbers that would be before 1980 are none."""
    found = read_asked(rows, column)
    return found if found and min(found.values()) > YEAR_1980 else {}


def _find_time(rows: Sequence[Example], notes: list[str], period: str) -> str:
    found = [name for name in rows[0].extra if read_moments(rows, name)] if rows else []
    if len(found) != 1:
        raise UsageError(
            f"--window {period} without --time, and {'several columns have' if found else 'no column has'} dates",
            expected="the column with the moment of each row" + (f": {', '.join(found)}" if found else ""),
            fix="name it with --time COL, or count rows with --window N",
        )
    notes.append(f"windows are cut by the column {found[0]!r}")
    return found[0]


def _no_column(file: str, wanted: str, names: Sequence[str], flag: str) -> DataError:
    shown = ", ".join(map(repr, names[:MAX_SHOWN]))
    return DataError(f"{file} has no column {wanted!r}", expected=f"one of its columns: {shown}", fix=f"correct {flag}")
