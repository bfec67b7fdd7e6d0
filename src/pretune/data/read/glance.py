"""Glance: is what the user named in the file? Its text tells, before anything heavy is loaded."""

from pathlib import Path

from pretune.configs import ReadConfig
from pretune.data.read.decode import check_encoding
from pretune.data.read.files import format_of, is_packed
from pretune.data.read.path import read_table
from pretune.data.read.table import Table

# Characters in which columns are named, and bytes of a file that is searched for a label.
HEAD = 1_000_000
SEARCHED = 16_000_000


def read_if_lacking(source: str, config: ReadConfig, *, label: str | None = None) -> Table | None:
    """Read a table now if its text lacks a column or a label that the user named; return ``None`` if nothing is missing.

    The text alone refuses nothing: a name may be spelled otherwise in it, and only reading can tell.

    Args:
        source: What the user named as data; anything but a file of text is passed over.
        config: Names the columns.
        label: A label that some row should have.

    Raises:
        DataError: A column is missing, or the table cannot be read.
        UsageError: The encoding is unknown.
    """
    path = Path(source).expanduser()
    if format_of(path) in (None, "parquet") or is_packed(path) or not path.is_file():
        return None
    check_encoding(config.encoding)
    names = [*config.text, *(name for name in (config.label, config.group) if name is not None)]
    searched = label is not None and path.stat().st_size <= SEARCHED
    with path.open("rb") as file:
        text = file.read(SEARCHED if searched else HEAD).decode(config.encoding or "utf-8", errors="ignore")
    is_lacking = any(name not in text[:HEAD] for name in names) or (searched and str(label) not in text)
    return read_table(source, config) if is_lacking else None
