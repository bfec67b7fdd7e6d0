"""Stream: the rows of a table one after another, as often as needed, with no more than a chunk in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

from pretune.configs import ReadConfig
from pretune.data.catalogue.fetch import find_entry
from pretune.data.read.columns import SAMPLE_ROWS
from pretune.data.read.decode import check_encoding
from pretune.data.read.files import format_of, is_packed
from pretune.data.read.neutral import FORMATS, note_of, restored_cells
from pretune.data.read.path import read_rows
from pretune.data.read.streamed import Item, open_streamed
from pretune.data.read.table import Origin, RawTable, Row
from pretune.hashing import digest_of_file
from pretune.records import Rejection
from pretune.storage.cells import NeutralCells, restored_row

# Files up to this many bytes are read whole, which takes some hundred megabytes; rows are cheaper to reach then.
MAX_HELD = 16_000_000
PACKED = 8  # how much larger a packed file is, about, once it is unpacked
# The first rejected rows are kept, to be shown.
KEPT_REJECTIONS = 100


@dataclass(slots=True, kw_only=True)
class RowStream:
    """A table that can be gone through from the start as often as wanted.

    Args:
        origin: The file.
        names: Its columns, all of them once ``survey`` was through.
        read: Returns the rows from the first on, as they stand; a rejection stands where one cannot be read.
        notes: What reading has to say.
        is_held: Whether they come from a table in memory, which is read to the end.
        num_rows: Rows, those that cannot be read included; known once ``survey`` was through.
        num_unreadable: How many cannot be read.
        unreadable: The first of these.
        sample: Rows from all over the table, by which columns can be guessed.
        is_neutral: Whether cells were made harmless for spreadsheets, which is undone.
    """

    origin: Origin
    names: list[str]
    read: Callable[[], Iterator[Item]]
    notes: list[str] = field(default_factory=list)
    is_held: bool = False
    num_rows: int = 0
    num_unreadable: int = 0
    unreadable: list[Rejection] = field(default_factory=list)
    sample: list[Row] = field(default_factory=list)
    is_neutral: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.names)

    def items(self) -> Iterator[Item]:
        """Return the rows from the first on; a rejection stands where one cannot be read."""
        if not self.is_neutral:
            return self.read()
        return (item if isinstance(item, Rejection) else restored_cells(item) for item in self.read())

    def survey(self) -> "RowStream":
        """Go through it once: count, keep a sample that is spread evenly, and see whether its cells were made neutral."""
        step, signs, has_signs = 1, NeutralCells(), self.origin.format in FORMATS and not self.is_held
        signs.look(self.names)
        for item in self.read():
            self.num_rows += 1
            if isinstance(item, Rejection):
                self.num_unreadable += 1
                self.unreadable += [item] if len(self.unreadable) < KEPT_REJECTIONS else []
                continue
            if has_signs:
                signs.look(item.cells)
            if self.num_rows % step == 0:
                self.sample.append(item)
                if len(self.sample) >= 2 * SAMPLE_ROWS:
                    del self.sample[::2]
                    step *= 2
        if has_signs and signs.are_neutral:
            self.is_neutral, self.sample = True, [restored_cells(row) for row in self.sample]
            self.names[:] = restored_row(self.names)
            self.notes.append(note_of(self.origin.name))
        return self

    def sampled(self) -> RawTable:
        """Return the sample as a table."""
        return RawTable(origin=self.origin, columns=self.columns, rows=self.sample, notes=self.notes)


def open_rows(source: str, config: ReadConfig) -> RowStream:
    """Open a table to be gone through; nothing is counted yet.

    Raises:
        DataError: It cannot be read.
        UsageError: The encoding is none.
    """
    path = Path(source).expanduser()
    kind = format_of(path)
    if find_entry(source) is not None or kind is None or not path.is_file() or path.stat().st_size <= _most_held(path):
        return stream_of(read_rows(source, config))
    if kind == "parquet" and is_packed(path):  # its end is read first
        return stream_of(read_rows(source, config))
    check_encoding(config.encoding)
    origin = Origin(shown=source, name=path.name, role="data", format=kind, sha256=digest_of_file(path))
    file = open_streamed(path, origin, config)
    return RowStream(origin=file.origin, names=file.columns, read=file.read, notes=file.notes)


def _most_held(path: Path) -> int:
    """Return the size on disk up to which a file is read whole."""
    packed = path.name.lower().endswith((".gz", ".parquet", ".pq"))
    return MAX_HELD // PACKED if packed else MAX_HELD


def stream_of(raw: RawTable) -> RowStream:
    """Return the rows of a table that is in memory."""

    def items() -> Iterator[Item]:
        numbered: Iterable[tuple[int, Item]] = ((row.number, row) for row in raw.rows)
        rejected = ((item.row or 0, item) for item in sorted(raw.rejected, key=lambda item: item.row or 0))
        return (item for _, item in merge(numbered, rejected, key=lambda pair: pair[0]))

    return RowStream(origin=raw.origin, names=list(raw.columns), read=items, notes=list(raw.notes), is_held=True)
