"""Sources: every kind of corpus that can be named, and every kind that cannot be read."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from corpora import make_documents, write_documents

from pretune.configs import CorpusConfig
from pretune.data.corpus import Corpus, prepare_corpus
from pretune.errors import DataError, UsageError

DOCUMENTS = make_documents(24)
CONFIG = CorpusConfig(workers=1)
Prepare = Callable[..., Corpus]


@pytest.fixture
def prepared(tmp_path: Path) -> Prepare:
    """Return ``prepare(source, **config)``."""
    return lambda source, **config: prepare_corpus(source, replace(CONFIG, **config), tmp_path / "prepared")


def texts(corpus: Corpus) -> set[str]:
    return {*corpus.texts("train"), *corpus.texts("validation")}


def json_lines(documents: list[str], column: str = "text") -> str:
    return "".join(json.dumps({"id": index, column: text}) + "\n" for index, text in enumerate(documents))


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


TEXT = "\n\n".join(DOCUMENTS).encode()


@pytest.mark.parametrize("has_splits", [False, True])
def test_a_data_set_of_the_datasets_package_is_read_but_for_its_test_part(has_splits, prepared, tmp_path):
    datasets = pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
    train, test = ({"text": part, "page": list(range(len(part)))} for part in (DOCUMENTS[:16], DOCUMENTS[16:]))
    made = datasets.Dataset.from_dict(train)
    if has_splits:
        made = datasets.DatasetDict({"train": made, "test": datasets.Dataset.from_dict(test)})
    made.save_to_disk(str(tmp_path / "saved"))
    assert texts(prepared(tmp_path / "saved", text=("text",))) == set(DOCUMENTS[:16])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", TEXT),
        ("a.txt", TEXT.replace(b"\n", b"\r\n")),
        ("a.txt.gz", TEXT),
        ("a.md", TEXT),
        ("a", TEXT),
        ("a.txt", TEXT.decode().encode("utf-16")),
        ("a.txt", b"\xef\xbb\xbf" + TEXT),
        ("a.jsonl", json_lines(DOCUMENTS).encode()),
        ("a.json.gz", json_lines(DOCUMENTS, "Text").encode()),
        ("a.jsonl", json_lines(DOCUMENTS, "whatever").encode()),
        ("a.csv", ("id,text\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(DOCUMENTS))).encode()),
        ("a.tsv.gz", ("id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(DOCUMENTS))).encode()),
    ],
)
def test_a_file_is_read_by_what_its_name_promises(prepared: Prepare, tmp_path: Path, name: str, data: bytes):
    assert texts(prepared(write(tmp_path / name, data))) == set(DOCUMENTS)


def test_a_parquet_file_is_read(prepared: Prepare, tmp_path: Path):
    pyarrow = pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"n": range(24), "text": DOCUMENTS}), tmp_path / "a.parquet", row_group_size=5)
    assert texts(prepared(tmp_path / "a.parquet")) == set(DOCUMENTS)


def test_a_folder_is_read_whole_and_hidden_files_are_not(prepared: Prepare, tmp_path: Path):
    write_documents(write(tmp_path / "in/one.txt", b""), DOCUMENTS[:10])
    write(tmp_path / "in/deep.jsonl", json_lines(DOCUMENTS[10:]).encode())
    (tmp_path / "in/deep.jsonl").rename(write(tmp_path / "in/sub/x", b"").with_name("two.jsonl"))
    (tmp_path / "in/sub/x").unlink()
    write(tmp_path / "in/.hidden.txt", b"these words are nobody's business here")
    corpus = prepared(tmp_path / "in")
    assert texts(corpus) == set(DOCUMENTS)
    assert [(file.file, file.num_documents) for file in corpus.receipt.files] == [("one.txt", 10), ("sub/two.jsonl", 14)]


@pytest.mark.parametrize("data", [TEXT, gzip.compress(TEXT), json_lines(DOCUMENTS).encode()], ids=["text", "gzip", "json"])
def test_standard_input_is_read(prepared: Prepare, monkeypatch: pytest.MonkeyPatch, data: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    corpus = prepared("-")
    assert texts(corpus) == set(DOCUMENTS)
    assert corpus.receipt.name == "standard input"


@pytest.mark.parametrize(("document", "number"), [("blank", 12), ("line", 24)])
def test_the_rule_says_where_a_document_ends(prepared: Prepare, tmp_path: Path, document: str, number: int):
    pairs = ["\n".join(DOCUMENTS[start : start + 2]) for start in range(0, 24, 2)]
    corpus = prepared(write_documents(tmp_path / "a.txt", pairs), document=document)
    assert corpus.receipt.num_documents == number


def test_a_file_can_be_one_document(prepared: Prepare, tmp_path: Path):
    for index in range(3):
        write_documents(write(tmp_path / f"in/{index}.txt", b""), DOCUMENTS[index * 8 : index * 8 + 8])
    corpus = prepared(tmp_path / "in", document="file")
    assert corpus.receipt.num_documents == 3
    assert "\n\n".join(DOCUMENTS[:8]) in texts(corpus)


def test_an_article_of_wikitext_is_a_document(prepared: Prepare, tmp_path: Path):
    article = " = {} = \n \n {} \n \n = = Life = = \n \n {} \n where ( t1 / 2 \n = 5 = \n \n"
    data = " \n" + "".join(article.format(f"Title {n}", DOCUMENTS[n], DOCUMENTS[n + 8]) + " \n" for n in range(8))
    corpus = prepared(write(tmp_path / "wiki.train.raw", data.encode()))
    assert corpus.receipt.num_documents == 8
    assert f"Title 3\n\n{DOCUMENTS[3]}\n\nLife\n\n{DOCUMENTS[11]}\nwhere ( t1 / 2\n5" in texts(corpus)


def test_what_is_longer_than_can_be_held_is_cut_and_counted(prepared: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in ("intake", "documents", "streams"):
        monkeypatch.setattr(f"pretune.data.corpus.{module}.MAX_CHARACTERS", 1_000)
    path = tmp_path / "a.txt"
    others = make_documents(24, seed=1)
    path.write_text("\n".join(DOCUMENTS) + "\n" + " ".join(others), encoding="utf-8")
    corpus = prepared(path)
    words = " ".join(texts(corpus)).split()
    assert sorted(words) == sorted(" ".join([*DOCUMENTS, *others]).split())
    assert max(map(len, texts(corpus))) < 1_400


def test_columns_are_joined_as_asked_for(prepared: Prepare, tmp_path: Path):
    rows = "".join(json.dumps({"a": a, "b": b}) + "\n" for a, b in zip(DOCUMENTS[:12], DOCUMENTS[12:], strict=True))
    corpus = prepared(write(tmp_path / "a.jsonl", rows.encode()), text=("b", "a"))
    assert f"{DOCUMENTS[12]}\n{DOCUMENTS[0]}" in texts(corpus)


def test_a_guess_is_told_with_what_else_there_is(prepared: Prepare, tmp_path: Path):
    rows = "".join(json.dumps({"title": text[:9], "article": text}) + "\n" for text in DOCUMENTS)
    notes = prepared(write(tmp_path / "a.jsonl", rows.encode())).receipt.notes
    assert any("text column guessed: 'article'" in note and "'title'" in note for note in notes)


def test_a_few_broken_rows_are_counted_and_named(prepared: Prepare, tmp_path: Path):
    rows = json_lines(make_documents(300)) + '{"text": \n' + '{"text": [5]}\n'
    corpus = prepared(write(tmp_path / "a.jsonl", rows.encode()))
    assert corpus.receipt.dropped == {"unreadable": 2}
    assert [item.row for item in corpus.receipt.files[0].rejected] == [301, 302]
    assert corpus.receipt.num_documents == 302


BAD = {
    "empty": ("a.txt", b"", "a.txt is empty"),
    "blank": ("a.txt", b" \n\n \n", "a.txt is empty"),
    "picture": ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100), "is a binary file"),
    "zeros": ("a.txt", bytes(5_000), "is a binary file"),
    "pdf": ("a.txt", b"%PDF-1.7 and so on", "is a PDF document"),
    "zip": ("a.txt", b"PK\x03\x04 and so on", "is a zip archive"),
    "hidden gzip": ("a.txt", gzip.compress(TEXT), "is gzip-compressed"),
    "latin": ("a.txt", "naïve café\n\n".encode("latin-1") * 20, "not UTF-8"),
    "latin, late": ("a.txt", TEXT * 400 + b"\n\ncaf\xe9 x", r"row 18403: byte 0xe9"),
    "utf-16 without a mark": ("a.txt", TEXT.decode().encode("utf-16-le"), "looks like UTF-16-LE"),
    "half a character": ("a.txt", TEXT + "é".encode()[:1], "middle of a character"),
    "array": ("a.jsonl", json.dumps([{"text": text} for text in DOCUMENTS]).encode(), "one JSON array"),
    "no json": ("a.jsonl", TEXT, "cannot be read"),
    "numbers": ("a.jsonl", b'{"n": [5]}\n' * 30, "none of its columns holds text"),
    "quote": ("a.csv", b'id,text\n1,"never closed\n', "row 2, column 'text': a quote opens here and never closes"),
    "no parquet": ("a.parquet", TEXT, "is not Parquet"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "words"), BAD.values(), ids=BAD)
def test_what_is_no_corpus_is_one_clear_message(prepared: Prepare, tmp_path: Path, name: str, data: bytes, words: str):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=words) as caught:
        prepared(path)
    assert caught.value.expected
    assert caught.value.fix
    assert not list((tmp_path / "prepared").iterdir())


@pytest.mark.parametrize(
    "cut", [lambda data: data[:-20], lambda data: data[:40] + b"\xff" * 30 + data[70:], lambda _: TEXT, lambda _: b""]
)
def test_gzip_that_is_not_whole_is_one_clear_message(prepared: Prepare, tmp_path: Path, cut: Callable[[bytes], bytes]):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(cut(gzip.compress(TEXT)))
    with pytest.raises(DataError, match=r"gzip|is empty"):
        prepared(path)


def test_a_folder_with_a_file_that_cannot_be_read_says_which(prepared: Prepare, tmp_path: Path):
    write_documents(write(tmp_path / "in/a.txt", b""), DOCUMENTS)
    write(tmp_path / "in/b.png", b"\x89PNG\r\n\x1a\n\0\0")
    with pytest.raises(DataError, match=r"b\.png: is a binary file"):
        prepared(tmp_path / "in")
    corpus = prepared(tmp_path / "in", allow_rejects=True)
    assert corpus.receipt.dropped == {"unreadable": 1}
    assert texts(corpus) == set(DOCUMENTS)


def test_an_empty_folder_is_an_error(prepared: Prepare, tmp_path: Path):
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="has no files"):
        prepared(tmp_path / "in")


def test_a_column_that_is_not_there_is_named_with_those_that_are(prepared: Prepare, tmp_path: Path):
    path = write(tmp_path / "a.jsonl", json_lines(DOCUMENTS).encode())
    with pytest.raises(DataError, match="no column 'txt'") as caught:
        prepared(path, text=("txt",))
    assert "'text'" in caught.value.fix


def test_a_name_that_is_nothing_is_an_error(prepared: Prepare):
    with pytest.raises(DataError, match="wikitext-3"):
        prepared("wikitext-3")


def test_an_encoding_can_be_named_and_must_exist(prepared: Prepare, tmp_path: Path):
    documents = [f"{text} café" for text in DOCUMENTS]
    path = write(tmp_path / "a.txt", "\n\n".join(documents).encode("latin-1"))
    assert texts(prepared(path, encoding="latin-1")) == set(documents)
    with pytest.raises(UsageError, match="no text encoding"):
        prepared(path, encoding="latin-99")
