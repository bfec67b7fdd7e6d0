"""Sources: the files of whatever the user named as a corpus, each as a stream of documents."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pretune.configs import CorpusConfig, ReadConfig
from pretune.data.catalogue import fetch as catalog
from pretune.data.catalogue.entries import Entry
from pretune.data.corpus.documents import batched_rows, json_rows, parquet_rows, split_text, texts_of
from pretune.data.corpus.intake import Documents, Intake
from pretune.data.corpus.streams import lines_of, read_lines
from pretune.data.corpus.tables import delimited_rows
from pretune.data.read.decode import check_encoding
from pretune.data.read.files import format_of
from pretune.data.read.folders import is_written_by_datasets
from pretune.data.read.hub import open_hub
from pretune.data.read.limits import too_many_files
from pretune.data.read.locate import locate
from pretune.data.read.path import read_entry
from pretune.data.read.table import Origin, unusable
from pretune.data.read.unpack import unreadable
from pretune.data.read.walk import Skipped, files_below, is_utf8, leads_out, open_file, why_not_read
from pretune.errors import DataError
from pretune.hashing import digest_of_file

STDIN = "-"
TABLES = ("csv", "tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a corpus.

    Args:
        origin: Its name, role and format.
        read: Yields its documents, and tells the intake what is found on the way.
    """

    origin: Origin
    read: Callable[[Intake], Documents]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A corpus before it is read; its parts are in the order in which they are read."""

    name: str
    parts: tuple[Part, ...]
    licence: str | None = None
    notes: tuple[str, ...] = ()
    is_folder: bool = False


def find_source(source: str | Path, config: CorpusConfig, *, role: str = "train") -> Source:
    """Return what a name stands for; nothing is read yet.

    Args:
        source: As ``prepare_corpus`` takes it.
        config: How it is to be read.
        role: ``train`` or ``validation``.

    Raises:
        DataError: There is no such thing, or the folder has no files.
        CatalogError: A catalogue entry could not be fetched.
        UsageError: There is no such encoding.
    """
    check_encoding(config.encoding)
    if source == STDIN:
        origin = Origin(shown="standard input", name="standard input", role=role, format="text or JSON lines")
        return Source(name="standard input", parts=(Part(origin=origin, read=_read_stdin),))
    found = locate(source)
    if isinstance(found, Entry):
        return _entry(found, role)
    if isinstance(found, str):
        return _hub(found, role)
    if found.is_dir():
        return _hub(found.resolve().name, role, found) if is_written_by_datasets(found) else _folder(found, role, config)
    return Source(name=found.name, parts=(_file(found, found.name, role),))


def _entry(entry: Entry, role: str) -> Source:
    folder = catalog.fetch(entry)
    wanted = (("validation", "validation"), ("train", role), ("data", role))  # the test part is nobody's corpus
    parts = [_part(entry, folder, part, name) for part, name in wanted if part in entry.parts]
    notes = (f"{entry.name}: {entry.source}", f"licence: {entry.licence}", *entry.notes)
    return Source(name=entry.name, parts=tuple(parts), licence=entry.licence, notes=notes)


def _part(entry: Entry, folder: Path, part: str, role: str) -> Part:
    path = folder / entry.parts[part]
    if not entry.delimiter:
        return _file(path, f"{entry.name} ({path.name})", role)
    origin = Origin(shown=entry.name, name=path.name, role=role, format="table")

    def read(intake: Intake) -> Documents:
        config = ReadConfig(text=intake.config.text, allow_rejects=True, require_labels=False)
        table = read_entry(replace(entry, label=None, parts={part: entry.parts[part]}), folder, config, role=part)
        intake.sha256 = table.files[0].sha256
        for rejection in table.files[0].rejected:
            intake.reject(rejection.row, rejection.reason, rejection.column)
        return (example.text for example in table.examples)

    return Part(origin=origin, read=read)


def _hub(name: str, role: str, folder: Path | None = None) -> Source:
    loaded, origin, notes = open_hub(name, role, folder=folder)

    def read(intake: Intake) -> Documents:
        batches = (batch for batch in loaded.with_format("arrow").iter(batch_size=1_000))
        return texts_of(batched_rows(batches), intake)

    return Source(name=origin.name, parts=(Part(origin=origin, read=read),), notes=tuple(notes))


def _folder(folder: Path, role: str, config: CorpusConfig) -> Source:
    root, skipped, parts = folder.resolve(), Skipped(), list[Part]()
    for path in files_below(folder, skipped):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not leads_out(path, root):
            skipped.names["links to folders inside it, which are read in their own place"] += 1
            continue
        parts.append(_file(path, name, role, root))
        if len(parts) > config.max_files:
            raise too_many_files(parts[0].origin, config.max_files, "corpus.max_files")
    if not parts:
        raise DataError(
            f"the folder {folder} has no files",
            expected="text files, JSON lines or Parquet, in it or in its sub-folders",
            fix="check the path, and that the files were copied",
        )
    return Source(name=root.name, parts=tuple(parts), is_folder=True, notes=tuple(skipped.note(root.name)))


def _file(path: Path, name: str, role: str, root: Path | None = None) -> Part:
    """Return the part that is one file; ``root`` is the folder that it was found in."""
    kind, shown = format_of(path) or "text lines", name if is_utf8(name) else ascii(name)
    origin = Origin(shown=shown, name=shown, role=role, format="text" if kind == "text lines" else kind)

    def read(intake: Intake) -> Documents:
        if root is not None and (reason := why_not_read(path, root)):
            raise unusable(
                origin, reason, expected="a file in the folder itself", fix="take it out, or copy it into the folder"
            )
        if kind == "parquet":
            intake.sha256 = _digest_of(path, origin)
            return texts_of(parquet_rows(path, intake), intake)
        return _split(read_lines(path, intake), kind, intake)

    return Part(origin=origin, read=read)


def _digest_of(path: Path, origin: Origin) -> str:
    try:
        os.close(open_file(path))  # no pipe and no device
        return digest_of_file(path)
    except OSError as error:
        raise unreadable(origin, error) from error


def _split(lines: Iterator[str], kind: str, intake: Intake) -> Documents:
    if kind == "json lines":
        return texts_of(json_rows(lines, intake), intake)
    if kind in TABLES:
        return texts_of(delimited_rows(lines, intake), intake)
    return split_text(lines, intake)


def _read_stdin(intake: Intake) -> Documents:
    lines = lines_of(sys.stdin.buffer, intake)
    first = next(lines, "")
    return _split(_put_back(first, lines), "json lines" if first.lstrip().startswith("{") else "text lines", intake)


def _put_back(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines
