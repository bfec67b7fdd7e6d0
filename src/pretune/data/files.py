"""Files: which format a name promises, and the bytes, unpacked, once it is clear that they keep the promise."""

import gzip
import hashlib
import zlib
from dataclasses import replace
from pathlib import Path

from pretune.data.table import Origin, unusable

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


def read_bytes(path: Path, origin: Origin) -> tuple[bytes, Origin]:
    """Return a file's bytes, unpacked, and its origin with the digest of the file as it lies on disk.

    Raises:
        DataError: It cannot be opened, is damaged or empty, or is not what its name says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unusable(
            origin,
            f"cannot be read: {error.strerror or error}",
            expected="a file that you may read",
            fix="check its permissions and the disk",
        ) from error
    origin = replace(origin, sha256=hashlib.sha256(data).hexdigest())
    if path.name.lower().endswith(".gz"):
        data = _unpack(data, origin)
    if not data.strip():
        what = "is empty" if not data else "holds nothing but whitespace"
        raise unusable(origin, what, expected="a header and rows", fix="check that it was written and copied in full")
    check_promise(data, origin)
    return data, origin


def _unpack(data: bytes, origin: Origin) -> bytes:
    if not data:
        raise unusable(origin, "is empty", expected="gzip data", fix="check that it was written and copied in full")
    if not data.startswith(_GZIP):
        raise unusable(
            origin,
            "is named .gz and is not gzip-compressed",
            expected="gzip data",
            fix="remove .gz from its name, or compress it with gzip",
        )
    try:
        return gzip.decompress(data)
    except EOFError as error:
        raise unusable(
            origin,
            f"the gzip data ends too early, after {len(data):,} bytes",
            expected="a whole file",
            fix="copy or download it again",
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise unusable(origin, f"the gzip data is damaged: {error}", expected="a whole file", fix="copy it again") from error


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
