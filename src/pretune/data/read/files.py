"""Files: which format a name promises, and the unpacked bytes once they are known to be of that format."""

import io
import os
from dataclasses import replace
from pathlib import Path

from pretune.data.read.limits import SizeLimit
from pretune.data.read.table import Origin, unusable
from pretune.data.read.unpack import Unpacked, reading_errors
from pretune.data.read.walk import open_file

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json lines",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "text lines",
    ".raw": "text lines",
}
READABLE = "CSV (.csv), TSV (.tsv), JSON lines (.jsonl) or Parquet (.parquet), each also with .gz"

# First bytes of what people send as tables by mistake.
_MAGIC = (
    (b"\x1f\x8b", "gzip-compressed", "add .gz to its name"),
    (b"PK\x03\x04", "a zip archive, such as an Excel workbook", "open it and save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "open it and save it as CSV UTF-8"),
    (b"PAR1", "Parquet", "rename it to end in .parquet"),
    (b"%PDF", "a PDF document", "export the texts as CSV UTF-8"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV UTF-8"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"BZh", "bzip2-compressed", "unpack it, or compress it with gzip"),
    (b"\xfd7zXZ", "xz-compressed", "unpack it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "zstandard-compressed", "unpack it, or compress it with gzip"),
    (b"\x80\x04\x95", "a Python pickle", "write it as CSV or Parquet; pretune opens no pickles"),
    (b"\x80\x05\x95", "a Python pickle", "write it as CSV or Parquet; pretune opens no pickles"),
)


def format_of(path: Path) -> str | None:
    """Return the format that a file's name promises, ``None`` where it promises none.

    Example:
        >>> format_of(Path("reviews.CSV.gz"))
        'csv'
    """
    name = path.name.lower().removesuffix(".gz")
    return FORMATS.get(Path(name).suffix)


def is_packed(path: Path) -> bool:
    """Whether a file's name says that it is gzip."""
    return path.name.lower().endswith(".gz")


def read_bytes(path: Path, origin: Origin, limit: SizeLimit | None = None) -> tuple[bytes, Origin]:
    """Return a file's bytes, unpacked, and its origin with the digest of the file as it lies on disk.

    Args:
        path: The file.
        origin: Its name and format, for messages.
        limit: How large it may be; that of a table where ``None``.

    Raises:
        DataError: It cannot be opened, is no file, is damaged, empty or too large, or is not what its name says.
    """
    limit, found = limit or SizeLimit.of_table(None), io.BytesIO()
    with reading_errors(origin), os.fdopen(open_file(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        limit.check(size, None, origin)
        with reading_errors(origin, size=size):
            opened = Unpacked(file, origin, limit, is_packed=is_packed(path))
            while piece := opened.read():
                found.write(piece)
    data, origin = found.getvalue(), replace(origin, sha256=opened.sha256)
    if not data.strip():
        what = "is empty" if not data else "holds nothing but whitespace"
        raise unusable(origin, what, expected="a header and rows", fix="check that it was written and copied in full")
    check_promise(data, origin)
    return data, origin


def check_promise(data: bytes, origin: Origin) -> None:
    """Raise where a file's first bytes are those of another format than its name says.

    Raises:
        DataError: It names what the file is, and what to do with it.
    """
    if origin.format == "parquet":
        return
    expected = READABLE if origin.format == "unknown" else f"{origin.format}, as its name says"
    for magic, what, fix in _MAGIC:
        if data.startswith(magic):
            raise unusable(origin, f"is {what}", expected=expected, fix=fix)
