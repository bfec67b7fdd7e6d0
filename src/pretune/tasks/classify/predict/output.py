"""Output: answers as a table, in the format that the file name implies."""

import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pretune.errors import UsageError, require
from pretune.run.prediction_tables import PROBABILITY
from pretune.storage.cells import csv_writer, neutral_row
from pretune.tasks.classify.predict.answers import Answer

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".parquet": "parquet",
    ".pq": "parquet",
}
WRITABLE = "a name that ends in .csv, .tsv, .jsonl (each also .gz) or .parquet"
# Rows of a Parquet file that are stored together.
ROW_GROUP = 65_536

Value = str | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an output looks like.

    Args:
        path: Where it will be.
        kept: Columns of the input that go with the answers.
        classes: In the order of the probabilities.
    """

    path: Path
    kept: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def format(self) -> str:
        """``csv``, ``tsv``, ``json lines`` or ``parquet``."""
        return FORMATS[Path(self.path.name.lower().removesuffix(".gz")).suffix]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns; an id of the user's own stands for ours."""
        ids = () if "id" in self.kept else ("id",)
        return (*ids, *self.kept, "predicted", *(PROBABILITY + name for name in self.classes), "error")

    @property
    def convert(self) -> Callable[[Path, Path], None] | None:
        """What makes the file from the lines that were written, where it is none of lines."""
        return self._write_parquet if self.format == "parquet" else None

    def encode(self, answers: Iterable[Answer]) -> bytes:
        """Return the answers as lines of the file."""
        rows = [self._row(answer) for answer in answers]
        if self.format in ("json lines", "parquet"):
            names = self.names
            return self._pack("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
        return self._pack(self._delimited([_written(cell) for cell in row] for row in rows))

    def header(self) -> bytes:
        """Return the first line, where there is one."""
        return b"" if self.format in ("json lines", "parquet") else self._pack(self._delimited([self.names]))

    def _row(self, answer: Answer) -> list[Value]:
        ids = () if "id" in self.kept else (answer.id,)
        shares: Sequence[Value] = answer.shares or [None] * len(self.classes)
        return [*ids, *answer.kept, answer.predicted, *shares, answer.reason or None]

    def _delimited(self, rows: Iterable[Sequence[str]]) -> str:
        out = io.StringIO(newline="")
        csv_writer(out, "\t" if self.format == "tsv" else ",").writerows(neutral_row(row) for row in rows)
        return out.getvalue()

    def _pack(self, text: str) -> bytes:
        """Return the bytes; packed files are made of parts that are packed on their own, so that they can be cut there."""
        data = text.encode("utf-8", "replace")
        return gzip.compress(data, compresslevel=6, mtime=0) if self.path.name.lower().endswith(".gz") and data else data

    def _write_parquet(self, lines: Path, made: Path) -> None:
        """Turn the rows, which lie there as JSON lines, into a Parquet file; of the same rows the same bytes."""
        pyarrow, parquet = require("pyarrow", extra="parquet"), require("pyarrow.parquet", extra="parquet")
        numbers = {PROBABILITY + name for name in self.classes}
        schema = pyarrow.schema([(name, pyarrow.float64() if name in numbers else pyarrow.string()) for name in self.names])
        with parquet.ParquetWriter(made, schema) as writer, lines.open(encoding="utf-8") as file:
            while chunk := list(islice(file, ROW_GROUP)):
                writer.write_table(pyarrow.Table.from_pylist([json.loads(line) for line in chunk], schema=schema))


def shape_of(output: str, kept: Sequence[str], classes: Sequence[str]) -> Shape:
    """Check what is asked for, before anything is answered.

    Raises:
        UsageError: The name says no format, or a column to keep has a name that the answers need.
        MissingPackageError: Parquet needs the extra of that name.
    """
    check_output(output)
    shape = Shape(path=Path(output).expanduser(), kept=tuple(kept), classes=tuple(classes))
    twice = [name for name in kept if shape.names.count(name) > 1]
    if twice:
        raise UsageError(
            f"--keep {twice[0]!r}: the answers have a column of that name",
            expected="columns of other names than predicted, error and the probabilities of the classes",
            fix="name the columns to keep one by one, as in --keep A,B; or rename it in the file",
        )
    return shape


def check_output(output: str) -> None:
    """Check the name of an output before anything is loaded.

    Raises:
        UsageError: It says no format.
        MissingPackageError: Parquet needs the extra of that name.
    """
    name = Path(output).name.lower()
    kind = FORMATS.get(Path(name.removesuffix(".gz")).suffix)
    if kind is None or (kind == "parquet" and name.endswith(".gz")):
        raise UsageError(f"--output {output}: the name does not tell the format", expected=WRITABLE)
    if kind == "parquet":
        require("pyarrow", extra="parquet")


def _written(cell: Value) -> str:
    return "" if cell is None else repr(cell) if isinstance(cell, float) else cell
