"""Folders: one sub-folder per class, one file per text."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pretune.configs import ReadConfig
from pretune.data.read.decode import UndecodableError, decode
from pretune.data.read.files import format_of
from pretune.data.read.limits import SizeLimit, shown_size, too_many_files
from pretune.data.read.table import Origin, RawTable, Row, unusable
from pretune.data.read.walk import Skipped, entries_of, is_junk, is_utf8, leads_out, open_file, why_not_read
from pretune.errors import DataError
from pretune.hashing import digest_of_lines
from pretune.records import Rejection
from pretune.wording.counts import listed

# Files that the ``datasets`` package writes into a folder of its own.
_HUB_MARKS = ("dataset_dict.json", "dataset_info.json", "state.json", "dataset_infos.json")
_SHOWN = 6


def is_hub_folder(path: Path) -> bool:
    """Whether the ``datasets`` package is what reads this folder: it wrote it, or tables lie in it."""
    if is_written_by_datasets(path):
        return True
    return any(map(_is_table, _near(path)))


def check_hub_folder(path: Path, shown: str) -> None:
    """Raise where a folder of tables holds what must not be opened: the ``datasets`` package would open it.

    Raises:
        DataError: It names the first pipe, device or link that leads out.
    """
    root = path.resolve()
    for item in _near(path):
        reason = why_not_read(item, root)
        if reason and not item.is_dir():
            raise DataError(
                f"{shown}: {item.relative_to(path).as_posix()!r} {reason}",
                expected="files in the folder itself",
                fix="take it out, or copy what it stands for into the folder",
            )


def _near(path: Path) -> Iterator[Path]:
    """Yield what lies in a folder and in its sub-folders, without hidden files and what systems leave behind."""
    skipped = Skipped()
    for item in entries_of(path, skipped):
        yield item
        if item.is_dir() and not item.is_symlink():
            yield from entries_of(item, skipped)


def is_written_by_datasets(path: Path) -> bool:
    """Whether the ``datasets`` package wrote this folder."""
    return any((path / name).is_file() for name in _HUB_MARKS)


def read_folder(path: Path, origin: Origin, config: ReadConfig) -> RawTable:
    """Return a row for each file in the sub-folders of ``path``; the sub-folder's name is the label.

    Rows are numbered in the order of their names, and rejected files are named instead. Hidden files, and what systems and
    archives leave behind, are no rows, and are noted. Pipes, devices and links that lead out of the folder are not opened.

    Raises:
        DataError: There are no sub-folders, they are empty, hold folders themselves, lie elsewhere, or hold too many files.
    """
    root, skipped = path.resolve(), Skipped()
    inside = {folder: list(entries_of(folder, skipped)) for folder in _classes_of(path, origin, root, skipped)}
    nested = next((item for items in inside.values() for item in items if item.is_dir()), None)
    if nested is not None:
        raise _nested(nested.relative_to(path), path, origin)
    if sum(map(len, inside.values())) > config.max_files:
        raise too_many_files(origin, config.max_files, "read.max_files")
    encoding = config.encoding
    raw = RawTable(origin=replace(origin, encoding=encoding or "utf-8"), columns=("file", "text", "label"), rows=[])
    digests: list[str] = []
    limit = SizeLimit.of_table(config.max_size)
    for file in (file for items in inside.values() for file in items):
        name = f"{file.parent.name}/{file.name}"
        try:
            text = _text_of(file, root, encoding, limit.most)
        except _FileError as error:
            shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raw.rejected.append(Rejection(file=shown, row=None, column=None, reason=str(error)))
            continue
        digests.extend((name, text))
        raw.rows.append(Row(len(raw.rows) + 1, (name, text, file.parent.name)))
    raw.origin = replace(raw.origin, sha256=digest_of_lines(digests))
    raw.notes.extend([*skipped.note(origin.name), *_beside(path, inside, origin)])
    return raw


class _FileError(ValueError):
    """Why one file is not used."""


def _classes_of(path: Path, origin: Origin, root: Path, skipped: Skipped) -> list[Path]:
    folders = [item for item in entries_of(path, skipped) if item.is_dir()]
    if not folders:
        raise _without_folders(path, origin)
    for folder in folders:
        if leads_out(folder, root):
            raise unusable(
                origin,
                f"its sub-folder {folder.name!r} is a link that leads out of the folder",
                expected="one sub-folder per class, in the folder itself",
                fix="copy the files of that class into the folder, or name the folder that the link leads to",
            )
        if not is_utf8(folder.name):
            raise unusable(
                origin,
                f"the name of its sub-folder {folder.name!a} is not UTF-8",
                expected="a name that can be a label",
                fix="rename it",
            )
    return folders


def _beside(path: Path, folders: Iterable[Path], origin: Origin) -> list[str]:
    """Note what lies beside the folders of the classes, and belongs to none."""
    names = [item.name for item in entries_of(path, Skipped()) if item not in set(folders)]
    if not names:
        return []
    shown = listed(names, _SHOWN, write=ascii)
    return [f"{origin.name}: {len(names):,} beside the class folders were not read: {shown}"]


def _nested(inside: Path, path: Path, origin: Origin) -> Exception:
    return unusable(
        origin,
        f"its sub-folder {inside.parts[0]!r} holds a folder itself: {inside.as_posix()!r}",
        expected="one sub-folder per class, with one file per text",
        fix=f"name the folder whose sub-folders are the classes, such as {(path / inside.parts[0]).as_posix()!r}",
    )


def _text_of(file: Path, root: Path, encoding: str | None, most: int | None) -> str:
    """Return the text of one file, or raise a ``_FileError`` that says why there is none."""
    if reason := why_not_read(file, root):
        raise _FileError(reason)
    if not is_utf8(file.name):
        raise _FileError("its name is not UTF-8; rename it")
    try:
        with os.fdopen(open_file(file), "rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            if most is not None and size > most:
                raise _FileError(f"is larger than {shown_size(most)}; --max-size raises the limit")
            data = opened.read()
    except OSError as error:
        raise _FileError(f"cannot be read: {error.strerror}") from error
    return _decoded(data, encoding)


def _decoded(data: bytes, encoding: str | None) -> str:
    if b"\0" in data[:4096] and encoding is None and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _FileError("is a binary file, not text")
    try:
        return decode(data, encoding)[0]
    except UndecodableError as error:
        advice = f"; --encoding {error.hint} may read it" if error.hint else ""
        raise _FileError(error.reason + advice) from error


def _without_folders(path: Path, origin: Origin) -> Exception:
    files = sorted(item.name for item in path.iterdir() if item.is_file() and not is_junk(item.name))
    shown = listed(files, _SHOWN)
    return unusable(
        origin,
        f"has no sub-folders{', only files: ' + shown if files else ' and no files'}",
        expected="one sub-folder per class (such as neg/ and pos/), with one file per text",
        fix="move each class into a sub-folder of its own, or name a table",
    )


def _is_table(path: Path) -> bool:
    return path.is_file() and format_of(path) in ("csv", "tsv", "json lines", "parquet") and path.name != "package.json"
