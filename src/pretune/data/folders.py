"""Folders: one sub-folder a class, one file a text."""

from dataclasses import replace
from pathlib import Path

from pretune.data.decode import UndecodableError, decode
from pretune.data.files import format_of
from pretune.data.table import Origin, RawTable, Row, unusable
from pretune.hashing import digest_of_lines
from pretune.records import Rejection

# Files that the ``datasets`` package writes into a folder of its own.
_HUB_MARKS = ("dataset_dict.json", "dataset_info.json", "state.json", "dataset_infos.json")
_SHOWN = 6


def is_hub_folder(path: Path) -> bool:
    """Whether the ``datasets`` package is what reads this folder: it wrote it, or tables lie in it."""
    if is_written_by_datasets(path):
        return True
    depths = (path.glob("*"), path.glob("*/*"))
    return any(_is_table(file) for files in depths for file in files if not file.name.startswith("."))


def is_written_by_datasets(path: Path) -> bool:
    """Whether the ``datasets`` package wrote this folder."""
    return any((path / name).is_file() for name in _HUB_MARKS)


def read_folder(path: Path, origin: Origin, encoding: str | None) -> RawTable:
    """Return a row for each file in the sub-folders of ``path``; the sub-folder's name is the label.

    Rows are numbered in the order of their names, and rejected files are named instead. Hidden files are no rows.

    Raises:
        DataError: There are no sub-folders, they are empty, or hold folders themselves.
    """
    folders = sorted(item for item in path.iterdir() if item.is_dir() and not item.name.startswith("."))
    if not folders:
        raise _without_folders(path, origin)
    nested = next((item for folder in folders for item in sorted(folder.iterdir()) if item.is_dir()), None)
    if nested is not None:
        inside = nested.relative_to(path)
        raise unusable(
            origin,
            f"its sub-folder {inside.parts[0]!r} holds a folder itself: {inside.as_posix()!r}",
            expected="one sub-folder a class, with one file a text",
            fix=f"name the folder whose sub-folders are the classes, such as {(path / inside.parts[0]).as_posix()!r}",
        )
    raw = RawTable(origin=replace(origin, encoding=encoding or "utf-8"), columns=("file", "text", "label"), rows=[])
    digests: list[str] = []
    for file in sorted(item for folder in folders for item in folder.iterdir() if not item.name.startswith(".")):
        name = f"{file.parent.name}/{file.name}"
        try:
            data = file.read_bytes()
            text = _decoded(data, encoding)
        except (OSError, ValueError) as error:
            reason = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            raw.rejected.append(Rejection(file=name, row=None, column=None, reason=reason))
            continue
        digests.extend((name, text))
        raw.rows.append(Row(len(raw.rows) + 1, (name, text, file.parent.name)))
    raw.origin = replace(raw.origin, sha256=digest_of_lines(digests))
    return raw


def _decoded(data: bytes, encoding: str | None) -> str:
    if b"\0" in data[:4096] and encoding is None and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("is a binary file, not text")
    try:
        return decode(data, encoding)[0]
    except UndecodableError as error:
        raise ValueError(f"{error.reason}; --encoding {error.hint} may read it") from error


def _without_folders(path: Path, origin: Origin) -> Exception:
    files = sorted(item.name for item in path.iterdir() if item.is_file())
    shown = ", ".join(map(repr, files[:_SHOWN])) + (f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else "")
    return unusable(
        origin,
        f"has no sub-folders{', only files: ' + shown if files else ' and no files'}",
        expected="one sub-folder a class (such as neg/ and pos/), with one file a text",
        fix="move each class into a sub-folder of its own, or name a table",
    )


def _is_table(path: Path) -> bool:
    return path.is_file() and format_of(path) in ("csv", "tsv", "json lines", "parquet") and path.name != "package.json"
