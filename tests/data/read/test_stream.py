"""A table that is gone through a row at a time gives the rows that it gives when it is read whole."""

import gzip
import json
import random
import tracemalloc
from pathlib import Path

import pytest

from pretune.configs import ReadConfig
from pretune.data.read import stream, streamed
from pretune.data.read.stream import open_rows
from pretune.errors import DataError

LOOSE = 'said: "this is it'
FILES = {
    "plain.csv": "text,label\n" + "a b c,x\n" * 50,
    "crlf.csv": "text,label\r\na b c,x\r\n\r\nd e f,y\r\n",
    "cr.csv": "text,label\ra b c,x\rd e f,y\r",
    "quoted.csv": 'text,label\n"two\nlines, and ""more""",x\nplain,y\n"last\r\none",x\n',
    "ragged.csv": "text,label\na b,x\nc,d,e\nf g,y\nh\n",
    "broken.csv": 'text,label\na b,x\n"c" d,y\ne f,x\n' + "g h,x\n" * 9,
    "loose.tsv": "id\ttext\tlabel\n" + "".join(f"{n}\t{LOOSE if n % 7 == 3 else 'plain words'}\tx\n" for n in range(60)),
    "sep.csv": "sep=;\ntext;label\na, b;x\nc d;y\n",
    "semicolon.csv": "text;label\na, b;x\nc d;y\n",
    "again.csv": "text,label\na b,x\ntext,label\nc d,y\n",
    "escaped.csv": 'text,label\n"say \\"x\\", then",x\n"more",y\n',
    "mark.csv": "\ufefftext,label\na b,x\n",
    "end.csv": "text,label\na b,x",
    "keys.jsonl": "".join(json.dumps({"text": f"t{n}", f"k{n % 3}": n, "many": [1, 2]}) + "\n\n" for n in range(9)),
    "bad.jsonl": '{"text": "a"}\nnot json\n[1]\n{"text": "b", "text": "c"}\n{"text": null, "n": 1.50}\n',
    "lines.txt": "one text\n\nanother one\n \nlast",
}


def items_of(source: Path, config: ReadConfig | None = None) -> tuple[list, tuple[str, ...], list[str]]:
    found = open_rows(str(source), config or ReadConfig(require_labels=False)).survey()
    items = list(found.items())
    assert found.num_rows == len(items)
    return [(type(item).__name__, *item) if isinstance(item, tuple) else item for item in items], found.columns, found.notes


def items_or_refusal(source: Path) -> object:
    try:
        return items_of(source)[:2]
    except DataError as error:
        return error.got


@pytest.fixture
def nothing_held(monkeypatch):
    """Return ``now()``, from which on files are gone through a row at a time."""
    return lambda: monkeypatch.setattr(stream, "MAX_HELD", 0)


@pytest.mark.parametrize("packed", [False, True], ids=["", "gz"])
@pytest.mark.parametrize("name", FILES)
def test_the_rows_are_those_of_the_whole_file(name, packed, tmp_path, nothing_held):
    path = tmp_path / (name + ".gz" * packed)
    data = FILES[name].encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    whole = items_of(path)
    nothing_held()
    assert items_of(path) == whole


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "shift_jis"])
def test_encodings_are_those_of_the_whole_file(encoding, tmp_path, nothing_held):
    path, text = tmp_path / "t.csv", "é" if encoding != "shift_jis" else "日本"
    path.write_bytes(f"text,label\n{text} one,x\n".encode(encoding))
    config = ReadConfig(require_labels=False, encoding=None if encoding == "utf-16" else encoding)
    whole = items_of(path, config)
    nothing_held()
    assert items_of(path, config) == whole


def test_parquet_is_that_of_the_whole_file(tmp_path, nothing_held):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    values = {
        "text": [f"t{n}" if n % 9 else None for n in range(3000)],
        "n": list(range(3000)),
        "b": [n % 2 == 0 for n in range(3000)],
    }
    parquet.write_table(pyarrow.table(values), path, row_group_size=700)
    whole = items_of(path)
    nothing_held()
    assert items_of(path) == whole


@pytest.mark.parametrize("seed", range(20))
def test_random_tables_are_those_of_the_whole_file(seed, tmp_path, monkeypatch):
    draw = random.Random(seed)
    signs = [*"a b c é \" , \\ ; \n \r\n \t ' 7".split(" "), " "]
    path = tmp_path / "t.csv"

    def cell() -> str:
        text = "".join(draw.choices(signs, k=draw.randint(0, 9)))
        return '"' + text.replace('"', '""') + '"' if draw.random() < 0.9 else text

    path.write_text("id,text\n" + "".join(f"{n},{cell()}\n" for n in range(80)), newline="")
    whole = items_or_refusal(path)
    monkeypatch.setattr(stream, "MAX_HELD", 0)
    assert items_or_refusal(path) == whole


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"text,label\n" + b"a b,x\n" * 40_000 + b"caf\xe9,x\n", "byte 0xe9"),
        (b"text,label\n" + b"a b,x\n" * 40_000 + b'"never closed,x\n' + b"a b,x\n" * 100, "quote"),
        (gzip.compress(b"text,label\n" + b"a b,x\n" * 40_000)[:-9], "gzip"),
        (b"PK\x03\x04" + b"0" * 100, "a zip archive"),
    ],
    ids=["encoding", "quote", "gzip", "zip"],
)
def test_what_is_wrong_behind_the_first_lines_is_told(data, words, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "MAX_HELD", 0)
    monkeypatch.setattr(streamed, "AHEAD", 10_000)
    path = tmp_path / ("t.csv.gz" if data[:2] == b"\x1f\x8b" else "t.csv")
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        items_of(path)
    assert words in caught.value.got


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "MAX_HELD", 0)
    monkeypatch.setattr(streamed, "MAX_LINE", 1000)
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a"}\n' + "x" * 2000)
    with pytest.raises(DataError, match="more than 1,000 characters"):
        items_of(path)


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "MAX_HELD", 0)
    monkeypatch.setattr(streamed, "AHEAD", 100_000)
    peaks = []
    for number in (40_000, 120_000):
        path = tmp_path / f"{number}.csv"
        path.write_text("text,label\n" + "a few words of a text,x\n" * number)
        tracemalloc.start()
        assert open_rows(str(path), ReadConfig(require_labels=False)).survey().num_rows == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 10_000_000


TABLE = "text,label\n" + "".join(f"film {number} is fine,x\n" for number in range(40))
ENCODED = {
    "utf-16-le unmarked": (TABLE.encode("utf-16-le"), "utf-16"),
    "utf-16-be unmarked": (TABLE.encode("utf-16-be"), "utf-16"),
    "utf-32 unmarked": (TABLE.encode("utf-32-le"), "utf-32"),
    "utf-16 unasked": (TABLE.encode("utf-16-le"), None),
    "half a pair": (TABLE.encode("utf-16-le") + b"\x00\xd8\x00\x00", "utf-16"),
    "half a character": (TABLE.encode("utf-16") + b"\x00", "utf-16"),
    "behind a mark": (TABLE.encode("utf-8-sig") + b"\xff", "utf-8-sig"),
    "hz": (TABLE.encode() + b"~{\xff\n", "hz"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_bytes_in_any_encoding_are_read_or_refused_as_those_of_the_whole_file(name, tmp_path, nothing_held):
    data, encoding = ENCODED[name]
    path, config = tmp_path / "t.csv", ReadConfig(require_labels=False, encoding=encoding)
    path.write_bytes(data)

    def outcome() -> object:
        try:
            return items_of(path, config)
        except DataError as error:
            return error.got, error.fix

    whole = outcome()
    nothing_held()
    assert outcome() == whole
