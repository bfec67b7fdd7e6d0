"""Read: whatever the user named, as a table of examples in which every row is accounted for."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.catalogue import fetch as catalog
from pretune.data.catalogue.entries import Entry
from pretune.data.read.arrow import read_parquet
from pretune.data.read.columns import choose_columns
from pretune.data.read.decode import check_encoding
from pretune.data.read.delimited import read_delimited
from pretune.data.read.dialect import Dialect
from pretune.data.read.files import READABLE, format_of, read_bytes
from pretune.data.read.folders import is_hub_folder, read_folder
from pretune.data.read.hub import read_hub
from pretune.data.read.limits import SizeLimit
from pretune.data.read.lines import read_json_lines, read_text_lines
from pretune.data.read.locate import is_there, locate
from pretune.data.read.memory import check_labelled, read_memory
from pretune.data.read.neutral import undo_neutral
from pretune.data.read.rows import build_examples
from pretune.data.read.table import Origin, RawTable, Row, Table, unusable
from pretune.data.read.where import keep_where, note_answers
from pretune.errors import DataError, MissingLabelsError
from pretune.records import Columns, FileReceipt


def read_table(
    source: Any,
    config: ReadConfig | None = None,
    *,
    role: str = "data",
    name: str | None = None,
    is_further: bool = False,
) -> Table:
    """Read a table of texts; the texts are as they stand, not yet cleaned.

    Labels are strings as they stand but for what no reader would see: ``NA``, ``null``, ``1``, ``01``, ``True`` keep their
    spelling; a list of one label is that label.
    A row whose text is empty (also once cleaned), whose label is missing, or that cannot be read is rejected, with
    the reason, in the receipt: rows in the file = rows used + rows rejected.

    Args:
        source: A catalogue name, a path (CSV, TSV, JSON lines, Parquet, each also ``.gz``; a folder with a sub-folder a
            class; a folder of the ``datasets`` package), an id on the Hugging Face hub, a pandas data frame,
            a tuple (texts, labels), a list of dictionaries, or a list of texts.
        config: Which columns, which encoding, and how much may be rejected.
        role: What the rows are for: ``data``, ``train``, ``validation`` or ``test``.
        name: What example ids begin with, where the file's own name will not do.
        is_further: Whether ``config.where`` is meant for another table; conditions whose column this one lacks are then noted.

    Raises:
        DataError: One message that names file, row and column where they exist; it carries the receipts.
        CatalogError: A catalogue entry could not be fetched.
        UsageError: ``source`` or the encoding is nothing that can be read.
    """
    config = config or ReadConfig()
    check_encoding(config.encoding)
    with uncollected():
        found = source if not isinstance(source, (str, Path)) else locate(source)
        if isinstance(found, Entry):
            return read_entry(found, catalog.fetch(found), config, role=role, is_further=is_further)
        raw = named_as(raw_of(source, found, config, role), name)
        shown = raw.origin.format if found is source else found if isinstance(found, str) else str(source)
        return _table(raw, config, source=shown, is_further=is_further)


def raw_of(source: Any, found: Any, config: ReadConfig, role: str) -> RawTable:
    """Return the rows of what the user named, which is anything but an entry of the catalogue.

    Args:
        source: What the user named.
        found: What ``locate`` returned for it, or the same object where it is no name.
        config: As for ``read_table``.
        role: As for ``read_table``.

    Raises:
        DataError: It cannot be read.
    """
    if isinstance(found, str):
        return read_hub(found, role)
    if isinstance(found, Path):
        return _read_path(found, str(source), config, role)
    raw = read_memory(source, role)
    check_labelled(raw, config.require_labels)
    return raw


def named_as(raw: RawTable, name: str | None) -> RawTable:
    """Return the rows under another name of their file, in ids and rejections, where one is given."""
    if name is not None:
        raw.origin = replace(raw.origin, name=name)
        raw.rejected = [replace(rejection, file=name) for rejection in raw.rejected]
    return raw


def read_raw(source: Any, *, role: str = "data", read: ReadConfig | None = None) -> RawTable:
    """Read a table of any columns, such as predictions: rows of cells, before it is known which column plays which role.

    Args:
        source: A path, a pandas data frame, or a list of dictionaries.
        role: As for ``read_table``.
        read: Encoding, quoting, escape sign and bounds.

    Raises:
        DataError: There is no such file, or it is no table.
        UsageError: ``source`` or the encoding is nothing that can be read.
    """
    config = replace(read or ReadConfig(), require_labels=True)
    check_encoding(config.encoding)
    with uncollected():
        if not isinstance(source, (str, Path)):
            return read_memory(source, role)
        path = Path(source).expanduser()
        found = path if is_there(path) and not path.is_dir() else locate(path)
        if not isinstance(found, Path) or found.is_dir():
            raise DataError(f"{source} is a folder", expected=READABLE, fix="name the file in it")
        return _read_path(found, str(source), config, role)


def read_rows(source: str, config: ReadConfig, *, role: str = "data") -> RawTable:
    """Read whatever the user named as rows of cells, before it is known which column plays which role.

    Args:
        source: As for ``read_table``, by name; of a data set of the catalogue the columns are ``text`` and ``label``.
        config: The encoding; without ``require_labels`` a file with one text per line will do.
        role: As for ``read_table``.

    Raises:
        DataError: It cannot be read.
        UsageError: The encoding is none.
    """
    check_encoding(config.encoding)
    found = locate(source)
    with uncollected():
        if isinstance(found, Entry):
            table = read_entry(found, catalog.fetch(found), ReadConfig(require_labels=False), role=role)
            rows = [Row(number, [row.text, row.label]) for number, row in enumerate(table.examples, 1)]
            origin = Origin(shown=found.name, name=found.name, role=role, format="list")
            return RawTable(origin=origin, columns=("text", "label"), rows=rows, notes=list(table.notes))
        return read_hub(found, role) if isinstance(found, str) else _read_path(found, source, config, role)


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the garbage collector: reading makes millions of objects and no cycles, and would be searched for them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_entry(entry: Entry, folder: Path, config: ReadConfig, *, role: str = "data", is_further: bool = False) -> Table:
    """Read a data set of the catalogue from the folder that it was fetched to.

    Args:
        entry: What is known about its columns and labels; columns named in ``config`` win.
        folder: As ``fetch`` returned it.
        config: As for ``read_table``.
        role: A data set with parts (train, validation, test) yields that part, all of them for ``data``.
        is_further: As for ``read_table``.

    Raises:
        MissingLabelsError: It has no labels and ``config`` requires them.
        DataError: As ``read_table``.
    """
    if entry.label is None and config.require_labels and config.label is None:
        raise MissingLabelsError(
            f"{entry.name} has no labels: {entry.summary}",
            expected="a labelled data set",
            fix="choose a data set with labels (`pretune datasets` lists them), or name one of its columns with --label COL",
        )
    parts = {role: entry.parts[role]} if role in entry.parts else entry.parts
    config = replace(config, text=config.text or entry.text, label=config.label or entry.label, encoding=None)
    roles = {part: part if len(parts) > 1 else role for part in parts}
    tables = [_read_part(entry, folder / file, roles[part], config, is_further=is_further) for part, file in parts.items()]
    about = (f"{entry.name}: {entry.source}", f"licence: {entry.licence}", *entry.notes)
    return Table(
        examples=tuple(example for table in tables for example in table.examples),
        files=tuple(receipt for table in tables for receipt in table.files),
        columns=tables[0].columns,
        licence=entry.licence,
        source=entry.name,
        notes=(*about, *(note for table in tables for note in table.notes)),
    )


def raw_of_part(entry: Entry, path: Path, role: str) -> RawTable:
    """Return the rows of one file of a data set of the catalogue."""
    origin = Origin(shown=f"{entry.name} ({path.name})", name=path.name, role=role, format=_entry_format(entry))
    data, origin = read_bytes(path, origin)
    if entry.delimiter:
        return read_delimited(data, origin, None, Dialect(entry.delimiter, entry.quoted))
    return read_text_lines(data, origin, None)


def _read_part(entry: Entry, path: Path, role: str, config: ReadConfig, *, is_further: bool) -> Table:
    raw = raw_of_part(entry, path, role)
    as_named = config.label == entry.label and config.label is not None
    rule = entry.name_of if as_named and (entry.label_is_sign or entry.label_words) else None
    return _table(raw, config, source=entry.name, is_further=is_further, label_rule=rule)


def _entry_format(entry: Entry) -> str:
    return {",": "csv", "\t": "tsv"}.get(entry.delimiter, "text lines")


def _read_path(path: Path, shown: str, config: ReadConfig, role: str) -> RawTable:
    if path.is_dir():
        if is_hub_folder(path):
            return read_hub(path.resolve().name, role, folder=path)
        origin = Origin(shown=shown, name=path.resolve().name, role=role, format="folder")
        return read_folder(path, origin, config)
    kind = format_of(path)
    origin = Origin(shown=shown, name=path.name, role=role, format=kind or "unknown")
    data, origin = read_bytes(path, origin, SizeLimit.of_table(config.max_size))
    if kind is None or (kind == "text lines" and config.require_labels):
        raise unusable(
            origin,
            f"the name ends in {path.suffix!r}, "
            + ("which is not a table format" if kind else "which says nothing about its format"),
            expected=READABLE,
            fix="save or rename it as one of these",
        )
    if kind == "parquet":
        return read_parquet(data, origin, config)
    if kind == "json lines":
        return read_json_lines(data, origin, config.encoding, max_columns=config.max_columns)
    if kind == "text lines":
        return read_text_lines(data, origin, config.encoding)
    return undo_neutral(read_delimited(data, origin, config.encoding, config=config))


def _table(
    raw: RawTable,
    config: ReadConfig,
    *,
    source: str,
    is_further: bool,
    label_rule: Callable[[str], str] | None = None,
) -> Table:
    keep_where(raw, config.where, is_further=is_further)
    if raw.rows:
        columns, guesses = choose_columns(raw, _known(raw, config))
        guesses += note_answers(raw, config.where, (*columns.text, columns.label, columns.group))
    else:  # nothing to look at; ``build_examples`` says so
        columns, guesses = Columns(text=raw.columns[:1], label=None), ()
    examples, receipt, notes = build_examples(raw, columns, config, label_rule=label_rule)
    if raw.origin.format == "folder":
        examples = tuple(replace(example, id=example.extra["file"], extra={}) for example in examples)
        receipt = _by_file(raw, receipt)
    return Table(
        examples=examples,
        files=(receipt,),
        columns=columns,
        source=source,
        notes=(*raw.notes, *guesses, *notes),
        label_type=raw.types.get(columns.label or "", "str") if label_rule is None else "str",
    )


def _known(raw: RawTable, config: ReadConfig) -> ReadConfig:
    """Columns that pretune named itself are no guess."""
    if raw.origin.format in ("folder", "list") and set(raw.columns) <= {"file", "text", "label"}:
        label = config.label or ("label" if "label" in raw.columns else None)
        return replace(config, text=config.text or ("text",), label=label)
    return config


def _by_file(raw: RawTable, receipt: FileReceipt) -> FileReceipt:
    """Name the files that were rejected: in a folder, rows have no numbers."""
    names = {row.number: str(row.cells[0]) for row in raw.rows}
    rejected = tuple(
        rejection if rejection.row is None else replace(rejection, file=names[rejection.row], row=None)
        for rejection in receipt.rejected
    )
    return replace(receipt, rejected=rejected)
