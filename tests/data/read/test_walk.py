"""Folders: what systems leave behind is skipped and counted; pipes, devices and links that lead out are not opened."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from corpora import make_documents

from pretune.configs import CorpusConfig, ReadConfig
from pretune.data.corpus import Corpus, prepare_corpus
from pretune.data.read.path import read_raw, read_table
from pretune.data.read.table import Table
from pretune.errors import DataError

CONFIG = CorpusConfig(workers=1)
MANY = ReadConfig(allow_rejects=True)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """A folder of two classes with three texts each."""
    for label in ("neg", "pos"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "data" / label / f"{number}.txt").write_text(f"a {label} film, number {number}")
    return tmp_path / "data"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of twelve texts, in two sub-folders."""
    for number, text in enumerate(make_documents(12)):
        path = tmp_path / "corpus" / f"part{number % 2}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "corpus"


def prepared(folder: Path, **config: object) -> Corpus:
    return prepare_corpus(folder, CorpusConfig(workers=1, **config), folder.parent / "out")


JUNK: dict[str, Callable[[Path], None]] = {
    "__MACOSX": lambda folder: _write(folder / "__MACOSX" / "neg" / "._0.txt", b"\0\5\x16\7"),
    "._*": lambda folder: _write(folder / "pos" / "._0.txt", b"\0\5\x16\7\0\2"),
    "Thumbs.db": lambda folder: _write(folder / "pos" / "Thumbs.db", b"\xd0\xcf\x11\xe0"),
    "desktop.ini": lambda folder: _write(folder / "desktop.ini", b"[.ShellClassInfo]\n"),
    ".DS_Store": lambda folder: _write(folder / "neg" / ".DS_Store", b"\0\0\0\1Bud1"),
    "hidden files": lambda folder: _write(folder / "neg" / ".hidden", b"words"),
}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("name", JUNK)
def test_what_systems_leave_in_folders_of_classes_is_skipped_and_counted(classes: Path, name: str):
    JUNK[name](classes)
    table = read_table(classes)
    assert (len(table.examples), table.files[0].num_rows) == (6, 6)
    assert any("skipped" in note and name in note for note in table.notes)


@pytest.mark.parametrize("name", JUNK)
def test_what_systems_leave_in_a_corpus_is_skipped_and_counted(corpus: Path, name: str):
    JUNK[name](corpus)
    receipt = prepared(corpus).receipt
    assert receipt.num_documents == prepared_alone(corpus).receipt.num_documents
    assert len(receipt.files) == 12
    assert any("skipped" in note and name in note for note in receipt.notes)


def prepared_alone(corpus: Path) -> Corpus:
    """The corpus of the twelve texts, without anything else."""
    clean = corpus.parent / "clean"
    for path in corpus.glob("part*/*.txt"):
        _write(clean / path.relative_to(corpus), path.read_bytes())
    return prepare_corpus(clean, CONFIG, corpus.parent / "out-clean")


def test_what_lies_beside_the_folders_of_the_classes_is_noted(classes: Path):
    (classes / "README.txt").write_text("about these data")
    assert any("1 beside the class folders" in note and "README.txt" in note for note in read_table(classes).notes)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have 108 characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def make_device(path: Path) -> None:
    """A device cannot be made without rights; a link to one leads out."""
    path.symlink_to("/dev/zero")


def link_out(path: Path) -> None:
    outside = path.parent.parent.parent / "secret.txt"
    outside.write_text("what must not be read")
    path.symlink_to(outside)


def link_in_a_circle(path: Path) -> None:
    path.symlink_to(path.name)


ODD = {
    "is a pipe": make_pipe,
    "is a socket": make_socket,
    "link that leads out": make_device,
    "link that leads out of": link_out,
    "cannot be read|circle": link_in_a_circle,
}


def reasons(table: Table) -> str:
    return " ".join(rejection.reason for rejection in table.files[0].rejected)


@pytest.mark.parametrize("reason", ODD)
def test_what_is_no_file_in_a_class_is_rejected_unopened(classes: Path, reason: str):
    ODD[reason](classes / "pos" / "odd.txt")
    with pytest.raises(DataError, match=reason):
        read_table(classes)
    table = read_table(classes, MANY)
    assert (table.files[0].num_rows, len(table.examples)) == (7, 6)
    assert table.files[0].rejected[0].file == "pos/odd.txt"


@pytest.mark.parametrize("reason", ODD)
def test_what_is_no_file_in_a_corpus_is_rejected_unopened(corpus: Path, reason: str):
    ODD[reason](corpus / "part1" / "odd.txt")
    with pytest.raises(DataError, match=reason):
        prepared(corpus)
    assert prepared(corpus, allow_rejects=True).receipt.num_documents == 13


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.jsonl", "pipe.parquet", "pipe.csv.gz", "pipe.txt"])
def test_a_pipe_given_as_data_is_refused_unopened(tmp_path: Path, name: str):
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="is a pipe, not a file"):
        read_table(tmp_path / name, ReadConfig(require_labels=False))
    with pytest.raises(DataError, match="is a pipe, not a file"):
        read_raw(tmp_path / name)
    with pytest.raises(DataError, match="is a pipe, not a file"):
        prepare_corpus(tmp_path / name, CONFIG, tmp_path / "out")


def test_a_device_given_as_data_is_refused_unopened(tmp_path: Path):
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    with pytest.raises(DataError, match="is a device, not a file"):
        read_table(tmp_path / "zero.csv")


def test_a_link_to_a_file_of_the_same_folder_is_read(classes: Path):
    (classes / "pos" / "more.txt").symlink_to(classes / "pos" / "0.txt")
    assert len(read_table(classes).examples) == 7


def test_a_class_that_is_a_link_out_of_the_folder_is_refused(classes: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "0.txt").write_text("a text of another folder")
    (classes / "other").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="'other' is a link that leads out"):
        read_table(classes)


def test_a_folder_that_is_named_by_a_link_is_read(classes: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(classes)
    assert len(read_table(tmp_path / "link").examples) == 6


def test_links_to_folders_of_a_corpus_are_not_followed(corpus: Path, tmp_path: Path):
    (corpus / "again").symlink_to(corpus / "part0")
    (corpus / "round").symlink_to(corpus)
    receipt = prepared(corpus).receipt
    assert len(receipt.files) == 12
    assert any("2 × links to folders inside it" in note for note in receipt.notes)
    (corpus / "out").symlink_to(tmp_path)
    with pytest.raises(DataError, match="link that leads out"):
        prepared(corpus)


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes there only")
def test_names_that_are_not_utf8_are_named_and_not_read(classes: Path):
    (Path(os.fsdecode(os.fsencode(classes / "pos") + b"/caf\xe9.txt"))).write_text("a fine film in a café")
    table = read_table(classes, MANY)
    assert "not UTF-8" in reasons(table)
    table.files[0].rejected[0].file.encode()
    Path(os.fsdecode(os.fsencode(classes) + b"/caf\xe9")).mkdir()
    with pytest.raises(DataError, match="is not UTF-8"):
        read_table(classes)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_listed_is_one_message(classes: Path):
    (classes / "pos").chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        read_table(classes)
    (classes / "pos").chmod(0o755)
