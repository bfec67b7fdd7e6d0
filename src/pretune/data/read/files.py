"""Files: which format a name promises, and the bytes, unpacked, once it is clear that they keep the promise."""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pretune.data.read.limits import SizeLimit
from pretune.data.read.table import Origin, unusable
from pretune.data.read.walk import open_file
from pretune.errors import DataError

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

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20  # bytes unpacked before the limit is looked at again
# First bytes of what people send as tables by mistake.
_MAGIC = (
    (_GZIP, "gzip-compressed", "add .gz to its name"),
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


def read_bytes(path: Path, origin: Origin, limit: SizeLimit | None = None) -> tuple[bytes, Origin]:
    """Return a file's bytes, unpacked, and its origin with the digest of the file as it lies on disk.

    Args:
        path: The file.
        origin: Its name and format, for messages.
        limit: How large it may be; that of a table where ``None``.

    Raises:
        DataError: It cannot be opened, is no file, is damaged, empty or too large, or is not what its name says.
    """
    limit = limit or SizeLimit.of_table(None)
    is_packed = path.name.lower().endswith(".gz")
    try:
        with os.fdopen(open_file(path), "rb") as file:
            limit.check(os.fstat(file.fileno()).st_size, None, origin)
            data = file.read()
    except OSError as error:
        raise unreadable(origin, error) from error
    origin = replace(origin, sha256=hashlib.sha256(data).hexdigest())
    if is_packed:
        data = _unpack(data, origin, limit)
    if not data.strip():
        what = "is empty" if not data else "holds nothing but whitespace"
        raise unusable(origin, what, expected="a header and rows", fix="check that it was written and copied in full")
    check_promise(data, origin)
    return data, origin


def unreadable(origin: Origin, error: OSError) -> DataError:
    """Return the error for what cannot be opened or read."""
    reason = error.strerror or str(error)
    if reason.startswith("is a"):  # a pipe, a socket, a device
        return unusable(origin, reason, expected="a file", fix="write what comes out of it to a file, and name that")
    return unusable(
        origin, f"cannot be read: {reason}", expected="a file that you may read", fix="check its permissions and the disk"
    )


@contextmanager
def reading_errors(origin: Origin, *, size: int | None = None) -> Iterator[None]:
    """Turn what a damaged gzip file or a disk says while a file is read into one message.

    Args:
        origin: The file.
        size: Its packed bytes, where all of them were read.

    Raises:
        DataError: The gzip data ends too early or is damaged, or the file cannot be read.
    """
    try:
        yield
    except EOFError as error:
        after = "" if size is None else f", after {size:,} bytes"
        raise unusable(
            origin, f"the gzip data ends too early{after}", expected="a whole file", fix="copy or download it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise unusable(origin, f"the gzip data is damaged: {error}", expected="a whole file", fix="copy it again") from error
    except OSError as error:
        raise unreadable(origin, error) from error


def _unpack(data: bytes, origin: Origin, limit: SizeLimit) -> bytes:
    if not data:
        raise unusable(origin, "is empty", expected="gzip data", fix="check that it was written and copied in full")
    if not data.startswith(_GZIP):
        raise unusable(
            origin,
            "is named .gz and is not gzip-compressed",
            expected="gzip data",
            fix="remove .gz from its name, or compress it with gzip",
        )
    with reading_errors(origin, size=len(data)):
        return _unpacked(data, origin, limit)


def _unpacked(data: bytes, origin: Origin, limit: SizeLimit) -> bytes:
    found = io.BytesIO()
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as opened:
        while piece := opened.read(_PIECE):
            found.write(piece)
            limit.check(found.tell(), len(data), origin)
    return found.getvalue()


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
