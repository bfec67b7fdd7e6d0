"""A table that is gone through a row at a time gives the rows that it gives when it is read whole."""

import csv
import gzip
import json
import random
import tracemalloc
from pathlib import Path

import pytest

from pretune.configs import ReadConfig
from pretune.data.read import by_record, limits, lines, stream, streamed
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
    "long.jsonl": "".join(json.dumps({f"key {n} {m}": m for m in range(3)} | {"text": "a"}) + "\n" for n in range(9)),
    "joined.jsonl": '{"text": "a"}\n\ufeff{"text": "b"}\n',
    "half.jsonl": '{"text": "a \\ud800", "\\udfff key": [1]}\n',
    "array.jsonl": '[{"text": "a"},\n{"text": "b"}]\n',
    "object.jsonl": '{\n"text": "a",\n"label": "b"}\n',
    "rows.jsonl": '[1, 2]\n{"text": "a"}\n',
    "neutral.csv": "text,'=label\n'=1+1,x\n'- no,y\n-1,z\nplain,''=2\n",
    "bare.csv": "text,label\n'=1+1,x\n=2,y\n",
    "escapes.csv": 'text,label\na \\"b\\" c,x\nd e f,y\n',
    "lines.txt": "one text\n\nanother one\n \nlast",
}


def items_of(source: Path, config: ReadConfig | None = None) -> tuple[list, tuple[str, ...], list[str]]:
    found = open_rows(str(source), config or ReadConfig(require_labels=False)).survey()
    items = list(found.items())
    assert found.num_rows == len(items)
    shown = [(item.number, list(item.cells), item.line) if isinstance(item, tuple) else item for item in items]
    return shown, found.columns, found.notes


def outcome_of(source: Path, config: ReadConfig | None = None) -> tuple:
    """Rows, columns and notes; of a refusal, what it says."""
    try:
        return items_of(source, config)
    except DataError as error:
        return error.got, error.fix


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
    whole = outcome_of(path)
    nothing_held()
    assert outcome_of(path) == whole


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
    monkeypatch.setattr(by_record, "AHEAD", 10_000)
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
    monkeypatch.setattr(by_record, "AHEAD", 100_000)
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
    whole = outcome_of(path, config)
    nothing_held()
    assert outcome_of(path, config) == whole


def arrow_table(**changes):
    pyarrow = pytest.importorskip("pyarrow")
    names = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    table = pyarrow.table({"text": [f"text {n}" for n in range(5000)], "label": [n % 2 if n % 10 else -1 for n in range(5000)]})
    for name, values in changes.items():
        table = table.set_column(1, name, pyarrow.array(values))
    return table.replace_schema_metadata({b"huggingface": json.dumps(names).encode()})


@pytest.mark.parametrize("labels", [None, [7 if n == 4321 else 0 for n in range(5000)]], ids=["names", "no name"])
def test_class_numbers_are_named_and_a_number_without_name_is_refused_with_its_row(labels, tmp_path, nothing_held):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow_table() if labels is None else arrow_table(label=labels), path)
    whole = outcome_of(path)
    nothing_held()
    assert outcome_of(path) == whole
    if labels is None:
        assert any("500 rows have the class number -1" in note for note in whole[2])
    else:
        assert "row 4322" in whole[0]


def test_packed_parquet_is_that_of_the_whole_file(tmp_path, nothing_held):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow_table(), path)
    whole, packed = items_of(path), tmp_path / "t.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    nothing_held()
    assert items_of(packed)[0] == whole[0]


@pytest.mark.parametrize(
    ("name", "data", "changes"),
    [
        ("t.csv", b"text,label\n" + b"a b,x\n" * 99, {"max_size": "0.2KB"}),
        ("t.csv.gz", gzip.compress(b"text,label\n" + b"a b,x\n" * 99), {"max_size": "0.2KB"}),
        ("t.csv.gz", b"text,label\na,b\n", {}),
        ("t.jsonl", b"".join(b'{"k%d": 1}\n' % n for n in range(12)), {"max_columns": 10}),
        ("t.jsonl", b'{"\\ud800": 1, "\\\\ud800": 2}\n', {}),
        ("t.parquet", b"PAR1 cut", {}),
        ("t.parquet", b"none", {}),
        ("t.csv", b",".join(b"c%d" % n for n in range(12)) + b"\n", {"max_columns": 10}),
    ],
    ids=["size", "packed size", "no gzip", "keys", "one name", "cut", "no parquet", "header"],
)
def test_what_is_too_large_or_damaged_is_refused_as_the_whole_file_is(name, data, changes, tmp_path, nothing_held):
    path, config = tmp_path / name, ReadConfig(require_labels=False, **changes)
    path.write_bytes(data)
    whole = outcome_of(path, config)
    nothing_held()
    assert outcome_of(path, config) == whole
    assert isinstance(whole[0], str)


def test_too_many_columns_of_parquet_are_refused(tmp_path, nothing_held):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path, config = tmp_path / "t.parquet", ReadConfig(require_labels=False, max_columns=10)
    parquet.write_table(pyarrow.table({f"c{n}": ["a"] for n in range(12)}), path)
    whole = outcome_of(path, config)
    nothing_held()
    assert outcome_of(path, config) == whole
    assert "--max-columns" in whole[1]


def test_a_packed_bomb_is_refused_while_it_is_read(tmp_path, nothing_held, monkeypatch):
    monkeypatch.setattr(limits, "FREE_BYTES", 1_000_000)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + b"a,b\n" * 4_000_000))
    nothing_held()
    with pytest.raises(DataError, match="more than 200 times"):
        items_of(path)


def test_lines_of_json_are_parsed_twice_and_not_three_times(tmp_path, nothing_held, monkeypatch):
    path, parsed, parse = tmp_path / "t.jsonl", [], lines.parse_object
    path.write_text('{"text": "a"}\n' * 10)
    monkeypatch.setattr(lines, "parse_object", lambda line: parsed.append(line) or parse(line))
    nothing_held()
    assert len(items_of(path)[0]) == 10
    assert len(parsed) == 20


def test_cells_may_be_long_only_while_a_row_is_read(tmp_path, nothing_held):
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "a b,x\n" * 10)
    nothing_held()
    before = csv.field_size_limit()
    items = open_rows(str(path), ReadConfig(require_labels=False)).survey().items()
    next(items)
    assert csv.field_size_limit() == before
