"""Encodings: what is none of text is refused by its name; what has two byte orders is read in the right one, or refused."""

from pathlib import Path

import pytest

from pretune.configs import CorpusConfig, ReadConfig
from pretune.data.corpus import prepare_corpus
from pretune.data.read.decode import decode_stream
from pretune.data.read.path import read_raw, read_table
from pretune.errors import DataError, UsageError

TEXT = "text,label\n" + "".join(f"film {number} is fíne,{'pos' if number % 2 else 'neg'}\n" for number in range(40))
CHINESE = "text,label\n" + "".join(f"电影{number}很好看的片子,{'好' if number % 2 else '坏'}\n" for number in range(40))
NONE = (
    "rot13", "rot_13", "zip", "zlib", "hex", "bz2", "base64", "uu", "quopri", "idna", "punycode", "unicode_escape",
    "unicode-escape", "raw_unicode_escape", "undefined", "no-such", "", "utf\0-8", "\ud800", "a" * 10_000, "../x", "ütf-8",
)  # fmt: skip


@pytest.mark.parametrize("name", NONE)
def test_a_codec_that_is_no_text_encoding_is_refused_by_its_name(tmp_path: Path, name: str):
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    for read in (
        lambda: read_table(path, ReadConfig(encoding=name)),
        lambda: read_raw(path, read=ReadConfig(encoding=name)),
        lambda: prepare_corpus(path, CorpusConfig(encoding=name, workers=1), tmp_path / "out"),
    ):
        with pytest.raises(UsageError, match="there is no text encoding"):
            read()


@pytest.mark.parametrize(
    "name", ["utf-7", "utf-16-le", "utf-16-be", "utf-32-le", "utf-8-sig", "cp1252", "latin-1", "utf_16", "UTF-16"]
)
def test_an_encoding_is_read_as_it_is_named(tmp_path: Path, name: str):
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode(name))
    table = read_table(path, ReadConfig(encoding=name))
    assert (len(table.examples), table.examples[0].text) == (40, "film 0 is fíne")


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_read_in_its_own_order(tmp_path: Path, order: str):
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode(order))
    table = read_table(path, ReadConfig(encoding="utf-16"))
    assert table.examples[0].text == "film 0 is fíne"
    assert table.files[0].encoding == order
    assert "film 0" in "".join(decode_stream([TEXT.encode(order)], "utf-16"))


@pytest.mark.parametrize(("name", "order"), [("utf-16", "utf-16-be"), ("utf-16", "utf-16-le"), ("utf-32", "utf-32-le")])
def test_what_may_be_read_in_two_orders_is_refused(tmp_path: Path, name: str, order: str):
    path = tmp_path / "t.csv"
    path.write_bytes(CHINESE.replace("text,label\n", "文,类\n").replace(",", "，").encode(order))
    with pytest.raises(DataError, match=r"no byte-order mark, so .* two ways") as caught:
        read_table(path, ReadConfig(encoding=name))
    assert f"--encoding {name}-le (or {name}-be)" in caught.value.fix
    with pytest.raises(DataError, match="no byte-order mark"):
        prepare_corpus(path, CorpusConfig(encoding=name, workers=1), tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["utf-7", "utf-16", "utf-32", "shift_jis", "gb18030", "iso2022_jp", "hz", "cp037", "ascii", "big5"]
)
@pytest.mark.parametrize(
    "data", [b"\xff\xfe\xff", b"a,b\n\x80\x81,c\n", b"+2AA-,b\nc,d\n", bytes(range(256)), b"\x00" * 7, b"~{\xff"]
)
def test_bytes_of_another_encoding_are_one_message_or_read(tmp_path: Path, name: str, data: bytes):
    for file in ("t.csv", "t.jsonl", "t.txt"):
        path = tmp_path / file
        path.write_bytes(data)
        try:
            read_table(path, ReadConfig(encoding=name, require_labels=False))
        except DataError as error:
            assert file in str(error)  # noqa: PT017 - either is right
