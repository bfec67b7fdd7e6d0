"""Streamed: rows of a file too large for memory, read record by record by the readers of smaller files."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pretune.configs import ReadConfig
from pretune.data.read.arrow import arrow_errors, bounded, check_parquet, class_names, columns_of, open_parquet, row_batches
from pretune.data.read.by_record import find_manner, rows_by_record, take_ahead
from pretune.data.read.decode import UndecodableError, decode_stream, encoding_of, undecodable
from pretune.data.read.files import check_promise, is_packed
from pretune.data.read.limits import SizeLimit
from pretune.data.read.lines import json_cell, json_objects, text_rows
from pretune.data.read.objects import Keys, SparseCells
from pretune.data.read.table import Origin, Row, unusable
from pretune.data.read.unpack import PIECE, Unpacked, reading_errors
from pretune.records import LineCounts, Rejection

Item = Row | Rejection

# Characters of one line beyond which a file is no table; a bound on what is held at a time.
MAX_LINE = 64_000_000
PARQUET_ROWS = 1_024


@dataclass(slots=True, kw_only=True)
class Streamed:
    """A file that can be read from the start as often as wanted.

    Args:
        path: The file.
        origin: The same, for messages.
        config: How it is read.
        columns: Its columns; of JSON lines, they are all there once the rows were gone through.
        notes: What reading has to say; some of it, once the rows were gone through.
        read: Returns the rows from the first on.
    """

    path: Path
    origin: Origin
    config: ReadConfig
    columns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    read: Callable[[], Iterator[Item]] = field(default=lambda: iter(()))

    def lines(self) -> Iterator[str]:
        r"""Yield the lines of a file with their ends: ``\n``, ``\r\n`` or ``\r``.

        Raises:
            DataError: It is damaged, in another encoding, or has a line that is no line of a table.
        """
        is_first = True
        with reading_errors(self.origin), self.path.open("rb") as file:
            opened = io.BufferedReader(self.unpacked(file), PIECE)
            text = io.TextIOWrapper(opened, encoding=self.origin.encoding or "utf-8", newline="")
            while True:
                try:
                    line = text.readline(MAX_LINE)
                except UnicodeError as error:
                    raise self._undecodable(error) from error
                if not line:
                    return
                if len(line) == MAX_LINE and line[-1] not in "\r\n":
                    raise unusable(
                        self.origin,
                        f"one line has more than {MAX_LINE:,} characters",
                        expected="rows of a table",
                        fix="check what the file is",
                    )
                yield line.removeprefix("\ufeff") if is_first else line
                is_first = False

    def unpacked(self, file: io.BufferedReader) -> Unpacked:
        """Return the file as it is once it is unpacked."""
        return Unpacked(file, self.origin, SizeLimit.of_stream(self.config.max_size), is_packed=is_packed(self.path))

    def tell(self, notes: list[str]) -> None:
        """Keep notes that are new: the rows may be gone through more than once."""
        self.notes.extend(note for note in notes if note not in self.notes)

    def ahead(self) -> tuple[list[str], bool]:
        """Return the first lines, and whether there are no more."""
        lines = self.lines()
        found = take_ahead(lines)
        return found, next(lines, None) is None

    def _undecodable(self, error: UnicodeError) -> Exception:
        """Return the message about the first byte that cannot be decoded, with its line."""
        try:
            with self.path.open("rb") as file:
                for _ in decode_stream(iter(self.unpacked(file).read, b""), self.origin.encoding):
                    pass
        except UndecodableError as found:
            return undecodable(self.origin, found, found.line)
        return unusable(self.origin, f"cannot be decoded: {error}", expected=f"{self.origin.encoding}", fix="pass --encoding")


def open_streamed(path: Path, origin: Origin, config: ReadConfig) -> Streamed:
    """Open a file.

    Raises:
        DataError: As ``read_table``; what speaks against the reading later on is raised by the rows.
    """
    file = Streamed(path=path, origin=origin, config=config)
    if origin.format == "parquet":
        _open_parquet(file)
        return file
    with reading_errors(origin), path.open("rb") as opened:
        first = file.unpacked(opened).read(PIECE)
    check_promise(first, origin)
    try:
        file.origin = replace(origin, encoding=encoding_of(first, config.encoding))
    except UndecodableError as error:
        raise undecodable(origin, error, error.line) from error
    if origin.format == "json lines":
        _open_json_lines(file)
    elif origin.format == "text lines":
        file.columns, file.read = ["text"], lambda: text_rows(file.lines())
    else:
        _open_delimited(file)
    return file


def _open_delimited(file: Streamed) -> None:
    ahead, is_whole = file.ahead()
    manner = find_manner(ahead, file.origin, file.config, is_whole=is_whole)
    del ahead
    manner.reading.rows.clear()  # they are read again with all others
    file.columns, file.notes = list(manner.reading.parser.columns), manner.reading.notes

    def rows() -> Iterator[Item]:
        rejected: list[Rejection] = []

        def done(_: LineCounts, notes: list[str]) -> None:
            file.tell(notes)

        for row in rows_by_record(file.lines(), manner, file.config, rejected.append, done):
            yield from rejected
            rejected.clear()
            yield row
        yield from rejected

    file.read = rows


def _open_json_lines(file: Streamed) -> None:
    keys, is_checked = Keys(file.origin, file.config.max_columns), False
    file.columns = keys.columns

    def look() -> tuple[str, bool]:
        lines, is_whole = file.ahead()
        return "".join(lines), is_whole

    def rows() -> Iterator[Item]:
        nonlocal is_checked
        notes: list[str] = []
        for item in json_objects(file.lines(), file.origin, look, notes):
            if isinstance(item, Rejection):
                yield item
                continue
            number, value = item
            cells = dict(zip(keys.names_of(value), map(json_cell, value.values()), strict=True))
            yield Row(number, SparseCells(cells, keys.columns))
        if not is_checked:
            keys.check()
            is_checked = True
        file.tell(notes)

    file.read = rows


def _open_parquet(file: Streamed) -> None:
    origin, limit = file.origin, SizeLimit.of_stream(file.config.max_size)
    with reading_errors(origin):
        check_parquet(file.path, origin)
    with arrow_errors(origin), open_parquet(file.path, file.config, limit, origin) as opened:
        schema = opened.schema_arrow
        file.columns = list(columns_of(schema, origin))
    names, columns = class_names(schema), tuple(file.columns)

    def rows() -> Iterator[Item]:
        notes: list[str] = []
        with arrow_errors(origin), open_parquet(file.path, file.config, limit, origin) as opened:
            batches = bounded(opened.iter_batches(batch_size=PARQUET_ROWS), limit, origin)
            for part in row_batches(batches, columns, names, origin, notes):
                yield from part
        file.tell(notes)

    file.read = rows
