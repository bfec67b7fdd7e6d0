"""Limits: how much is read before the input counts as a mistake or an attack, and the option that raises each limit."""

from dataclasses import dataclass
from typing import Self

from pretune.configs.base import parse_size
from pretune.data.read.table import Origin, unusable
from pretune.errors import DataError

# A table of this size takes about ten times as much memory as rows and texts.
MAX_TABLE_BYTES = 2 * 1024**3
# Gzip packs a table of words to a fifth or a tenth, one of templates to a 50th; what is made to fill a disk, to a 1000th.
# What unpacks to little may be as dense as it likes: it harms nobody.
MAX_RATIO = 200
FREE_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """How large one file may be once it is unpacked.

    Args:
        most: Bytes; ``None`` for any number.
        ratio: How many times its packed size, beyond ``FREE_BYTES``; ``None`` for any.
    """

    most: int | None
    ratio: int | None

    @classmethod
    def of_table(cls, asked: str | int | None) -> Self:
        """Return the limit of a file that is held in memory; a size that was asked for is the only limit."""
        return cls(MAX_TABLE_BYTES, MAX_RATIO) if asked is None else cls(parse_size(asked), None)

    @classmethod
    def of_stream(cls, asked: str | int | None) -> Self:
        """Return the limit of a file that is read piece by piece."""
        return cls(None, MAX_RATIO) if asked is None else cls(parse_size(asked), None)

    def check(self, num_bytes: int, packed: int | None, origin: Origin) -> None:
        """Raise where a file has grown beyond the limit.

        Args:
            num_bytes: What has been read so far, unpacked.
            packed: The bytes on disk that this came from; ``None`` where the file is not packed.
            origin: The file.

        Raises:
            DataError: It names the option.
        """
        grown = self.ratio is not None and packed is not None and num_bytes > max(FREE_BYTES, self.ratio * packed)
        if grown:
            raise unusable(
                origin,
                f"is {shown_size(packed or 0)} and unpacks to more than {self.ratio} times that ({shown_size(num_bytes)})",
                expected=f"at most {shown_size(FREE_BYTES)}, or {self.ratio} times its packed size",
                fix="check where the file comes from; if it should be that large, allow it: --max-size 4GB",
            )
        if self.most is not None and num_bytes > self.most:
            raise unusable(
                origin,
                ("is larger than " if packed is None else "unpacks to more than ") + shown_size(self.most),
                expected=f"at most {shown_size(self.most)}",
                fix=f"divide the file, or raise the limit: --max-size {_raised(self.most)} (memory: about ten times that)",
            )


def check_columns(num_columns: int, most: int, origin: Origin) -> None:
    """Raise where a table has more columns than a table of texts has.

    Raises:
        DataError: It names the setting.
    """
    if num_columns > most:
        raise unusable(
            origin,
            f"has more than {most:,} columns" + (": its keys differ from row to row" if origin.format == "json lines" else ""),
            expected=f"at most {most:,}",
            fix=f"keep the columns that matter, or raise the limit: --max-columns {max(10 * most, num_columns)}",
        )


def check_cells(num_rows: int, num_columns: int, most: int, origin: Origin) -> None:
    """Raise where rows times columns are more than memory holds, however small the file is.

    Raises:
        DataError: It names the setting.
    """
    if (num_cells := num_rows * num_columns) > most:
        raise unusable(
            origin,
            f"has {num_cells:,} cells ({num_rows:,} rows × {num_columns:,} columns)",
            expected=f"at most {most:,}",
            fix=f"keep the columns that matter, divide the file, or raise the limit: --set read.max_cells={num_cells}",
        )


def too_many_files(origin: Origin, most: int, setting: str) -> DataError:
    """Return the error for a folder of too many files."""
    return unusable(
        origin,
        f"holds more than {most:,} files",
        expected=f"at most {most:,}",
        fix=f"join the texts in a table (CSV, JSON lines or Parquet), or raise the limit: --set {setting}={10 * most}",
    )


def shown_size(num_bytes: int) -> str:
    """Return a size in words.

    Example:
        >>> shown_size(2 * 1024**3), shown_size(1_200_000), shown_size(10)
        ('2.15 GB', '1.2 MB', '10 bytes')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if num_bytes >= size:
            return f"{num_bytes / size:.3g} {unit}"
    return f"{num_bytes} bytes"


def _raised(num_bytes: int) -> str:
    return shown_size(4 * num_bytes).replace(" bytes", "").replace(" ", "")
