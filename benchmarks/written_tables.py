"""Random tables, and the ways in which programs write them as delimited text."""

import csv
import io
import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pretune.configs import MAX_REJECTED_SHARE, ReadConfig
from pretune.data.read.delimited import read_delimited
from pretune.data.read.table import Origin
from pretune.errors import PretuneError

WORDS = "the film was slow and bright tent kettle again before lamp naïve Straße 映画 🎬 it’s nul N/A 24 3.5".split()
LABELS = "pos neg neutral spam ham 0 1 bug feature".split()
DELIMITERS = ",;\t|"
KINDS = (
    "text", "text label", "label text", "id text label", "text text", "id label label text", "text number",
    "id text text label number",
)  # fmt: skip
LINE_END = re.compile("\r\n?|\n")

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Written:
    """A table as text: what a reader is told by the name, and what was put in."""

    data: bytes
    format: str
    columns: list[str]
    rows: Rows
    options: dict[str, str]  # with which every row must come back exactly
    by_lines: bool = False  # without quoting, a row is a line


@dataclass(frozen=True, slots=True)
class Table:
    """Cells before they are written."""

    columns: list[str]
    rows: Rows
    delimiter: str


def random_table(seed: int) -> Table:
    """Return a table of one to five columns: texts of some wildness, perhaps a label, a number, another text."""
    rng = random.Random(seed)
    kinds = rng.choice(KINDS).split()
    columns = [f"{kind}{index or ''}" for index, kind in enumerate(kinds)]
    wildness = rng.choice([0.0, 0.05, 0.3, 1.0])
    labels = rng.sample(LABELS, rng.randint(2, 4))
    delimiter = rng.choice(DELIMITERS if len(kinds) > 1 else ",\t")  # of one column, nothing but the name tells
    rows = [
        [_cell(kind, rng, labels, wildness, (number, delimiter, len(kinds))) for kind in kinds]
        for number in range(rng.choice([1, 2, 5, 20, 60, 200]))
    ]
    return Table(columns, [row for row in rows if row != columns], delimiter)


def _cell(kind: str, rng: random.Random, labels: list[str], wildness: float, place: tuple[int, str, int]) -> str:
    number, delimiter, width = place
    if kind == "id":
        return str(number)
    if kind == "number":
        return f"{rng.random():.3f}"
    if kind == "label":
        return rng.choice(labels)
    text = " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))
    if rng.random() >= wildness:
        return text
    if rng.random() < 0.02:
        return rng.choice(["", " ", '"', '""', "\\", "\\n", "x" * 70_000, delimiter, f'"{delimiter}"'])
    marks = [
        '"',
        '"',
        '"',
        '""',
        delimiter,
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\n\n",
        "\r\n",
        "\\",
        "\\\\",
        '\\"',
        " ",
        "'",
        "“",
        "\u2028",
    ]
    marks += ["\r"] if width > 1 else []
    for _ in range(rng.randint(1, 4)):
        at = rng.choice([0, len(text), rng.randint(0, len(text))])
        text = text[:at] + rng.choice(marks) + text[at:]
    return text


def _by_csv(quoting: int, **more: Any) -> Callable[[Table], Written]:
    def write(table: Table) -> Written:
        out = io.StringIO()
        csv.writer(out, delimiter=table.delimiter, quoting=quoting, **more).writerows([table.columns, *table.rows])
        options = {"escape": "\\"} if more.get("escapechar") else {"quoting": "minimal"}
        if quoting == csv.QUOTE_NONE:
            options["quoting"] = "none"
        return _written(out.getvalue(), table, options)

    return write


def by_pandas(table: Table) -> Written:
    """As ``DataFrame.to_csv`` writes it."""
    import pandas

    out = io.StringIO()
    pandas.DataFrame(table.rows, columns=table.columns).to_csv(out, sep=table.delimiter, index=False)
    return _written(out.getvalue(), table, {"quoting": "minimal"})


def by_polars(table: Table) -> Written:
    """As ``DataFrame.write_csv`` writes it."""
    import polars

    frame = polars.DataFrame(table.rows, schema=dict.fromkeys(table.columns, polars.String), orient="row")
    return _written(frame.write_csv(separator=table.delimiter), table, {"quoting": "minimal"})


def by_arrow(table: Table) -> Written:
    """As ``pyarrow.csv.write_csv`` writes it, which has no delimiter but by option and quotes every text."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    columns = {name: [row[index] for row in table.rows] for index, name in enumerate(table.columns)}
    out = pyarrow.BufferOutputStream()
    options = arrow_csv.WriteOptions(delimiter=table.delimiter)
    arrow_csv.write_csv(pyarrow.table(columns), out, options)
    return _written(out.getvalue().to_pybytes().decode(), table, {"quoting": "minimal"})


def by_duckdb(table: Table) -> Written:
    """As ``COPY … TO`` of DuckDB writes it."""
    import duckdb
    import pyarrow

    held = pyarrow.table({name: [row[index] for row in table.rows] for index, name in enumerate(table.columns)})
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as base:
        path = Path(folder) / "t.csv"
        base.register("held", held)
        base.execute(f"COPY held TO '{path}' (HEADER, DELIMITER '{table.delimiter}')")
        text = path.read_bytes().decode()
    return _written(text, table, {"quoting": "minimal"})


def by_spreadsheet(table: Table) -> Written:
    """As a spreadsheet of a country with decimal commas does: a mark, ``sep=;``, semicolons, CRLF; quotes where needed."""
    lines = [";".join(_quoted(cell, ";") for cell in row) for row in [table.columns, *table.rows]]
    text = "\ufeffsep=;\r\n" + "".join(line + "\r\n" for line in lines)
    return Written(text.encode(), "csv", table.columns, table.rows, {"quoting": "minimal"})


def by_joining(table: Table) -> Written:
    """As ``delimiter.join`` does it: a row is what stands in a line, whatever was meant."""
    text = "\n".join(table.delimiter.join(row) for row in [table.columns, *table.rows]) + "\n"
    lines = [line for line in LINE_END.split(text) if line.strip()]
    rows = [line.split(table.delimiter) for line in lines[1:]]
    return _written(text, Table(table.columns, rows, table.delimiter), {"quoting": "none"}, by_lines=True)


def by_backslashes(table: Table) -> Written:
    """Every cell in quotes; backslashes before quotes and backslashes."""
    lines = [table.delimiter.join('"' + re.sub(r'(["\\])', r"\\\1", cell) + '"' for cell in row)
             for row in [table.columns, *table.rows]]  # fmt: skip
    return _written("\n".join(lines) + "\n", table, {"escape": "\\"})


def by_some_backslashes(table: Table) -> Written:
    """Every cell in quotes; backslashes before quotes only, so that a text that ends in one cannot be told."""
    rows = [[cell.rstrip("\\").replace('\\"', '"') for cell in row] for row in table.rows]
    lines = [table.delimiter.join('"' + cell.replace('"', '\\"') + '"' for cell in row) for row in [table.columns, *rows]]
    return _written("\n".join(lines) + "\n", Table(table.columns, rows, table.delimiter), {})


WRITERS: dict[str, Callable[[Table], Written]] = {
    "csv": _by_csv(csv.QUOTE_MINIMAL),
    "csv, all quoted": _by_csv(csv.QUOTE_ALL),
    "csv, backslashes": _by_csv(csv.QUOTE_MINIMAL, doublequote=False, escapechar="\\"),
    "csv, no quotes": _by_csv(csv.QUOTE_NONE, escapechar="\\"),
    "pandas": by_pandas,
    "polars": by_polars,
    "arrow": by_arrow,
    "duckdb": by_duckdb,
    "spreadsheet": by_spreadsheet,
    "joined": by_joining,
    "backslashes": by_backslashes,
    "some backslashes": by_some_backslashes,
}


def _written(text: str, table: Table, options: dict[str, str], *, by_lines: bool = False) -> Written:
    name = "tsv" if table.delimiter == "\t" else "csv"
    return Written(text.encode(), name, table.columns, table.rows, options, by_lines)


def _quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & {delimiter, '"', "\n", "\r"} else cell


def read_back(written: Written, options: dict[str, str]) -> str:
    """Return what becomes of a table that is read.

    ``refused``: one message, or over 1 % of the lines rejected; ``exact``: every row as it was put in; ``rejected``: the others
    are named; ``noted``: cells differ and a note says how they were read; ``changed``: cells differ; ``lost``: rows are missing
    and nothing says so; ``fault``: lines do not add up, or an error that is none of pretune's.
    """
    origin = Origin(shown="t", name="t", role="data", format=written.format)
    try:
        raw = read_delimited(written.data, origin, None, config=ReadConfig(**options))  # type: ignore[arg-type]
    except PretuneError:
        return "refused"
    except Exception as error:
        return f"fault: {type(error).__name__}"
    counts = raw.lines
    if counts is None or not counts.is_balanced or counts.rows != len(raw.rows) + len(raw.rejected):
        return "fault: lines"
    if [list(row.cells) for row in raw.rows] == written.rows:
        return "exact"
    if len(raw.rejected) > MAX_REJECTED_SHARE * counts.rows:
        return "refused"
    if raw.rejected:
        return "rejected"
    if len(raw.rows) + counts.blank + counts.repeated + counts.separator < len(written.rows):
        return "noted" if _is_told(raw.notes) else "lost"
    return "noted" if _is_told(raw.notes) else "changed"


def _is_told(notes: list[str]) -> bool:
    return any("--quoting" in note or "--escape" in note for note in notes)
