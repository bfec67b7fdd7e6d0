"""Malformed input: each kind gives one message that names file, row and column, and a receipt of every row."""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pretune.configs import ReadConfig
from pretune.data.labels.labels import check_labels
from pretune.data.read.path import read_table
from pretune.errors import DataError

GOOD = "".join(f"film {number} is fine,{label}\n" for number, label in enumerate(["pos", "neg"] * 10))
LINES = "".join(f'{{"text": "film {number}", "label": "{label}"}}\n' for number, label in enumerate(["pos", "neg"] * 10))
HEAD = "text,label\n"


@dataclass(frozen=True)
class Case:
    """One malformed file, and what its message must say (words, and row and column where they exist)."""

    name: str
    file: str
    content: bytes | str | Callable[[Path], None]
    says: tuple[str, ...]
    config: ReadConfig = field(default_factory=ReadConfig)

    def write(self, folder: Path) -> Path:
        path = folder / self.file
        if callable(self.content):
            self.content(path)
        else:
            path.write_bytes(self.content.encode() if isinstance(self.content, str) else self.content)
        return path


def parquet(text: list[object], label: list[object]) -> bytes:
    arrow, writer = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    sink = io.BytesIO()
    writer.write_table(arrow.table({"text": text, "label": label}), sink)
    return sink.getvalue()


def folder_of(*files: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.mkdir()
        for name in files:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(b"\x00\x01\xff\xfe\x00" if name.endswith(".bin") else b"some words of a text")

    return make


def deep_json() -> str:
    return LINES + '{"text": ' + "[" * 100_000 + "\n"


CASES = (
    # Rows of a table
    Case("ragged_long", "r.csv", HEAD + GOOD + "a,pos,extra\n", ("row 22", "has 3 cells, the header has 2")),
    Case("ragged_short", "r.csv", HEAD + "alone\n" + GOOD, ("row 2", "has 1 cell, the header has 2")),
    Case("comma_in_a_text", "r.csv", HEAD + "well, fine,pos\n" + GOOD, ("row 2", "has 3 cells")),
    Case("open_quote_at_the_end", "r.csv", HEAD + GOOD + '"never closed,pos\nmore\n', ("row 22", "'text'", "never closes")),
    Case("open_quote_in_label", "r.csv", HEAD + 'fine,"pos\n' + GOOD, ("row 2", "'label'", "never closes")),
    Case(
        "open_quote_met_by_another",
        "r.csv",
        HEAD + 'a "b,pos\n"c" d,neg\n"e, f",pos\n' + GOOD,
        ("row 3", "'text'", "closing quote"),
    ),
    Case(
        "quote_that_swallows_rows",
        "r.csv",
        HEAD + '"a, b",pos\n"c,pos\nd e,neg\nf g,pos\nh",neg\n' + GOOD,
        ("row 3", "'text'", "closes in line 6", "2 lines between look like rows", "--quoting none"),
    ),
    Case("swallowing_quote_in_the_header", "r.csv", '"text,label\na,pos\nb",neg\n', ("row 1", "header", "closes in line 3")),
    Case("columns_without_end", "r.csv", ",".join(map(str, range(20_000))) + "\n", ("20,000 columns", "--max-columns")),
    Case("columns_without_end_named_twice", "r.csv", "text," * 9_000 + "\n", ("row 1", "'text'", "and 8,995 more")),
    Case("cells_without_end", "r.csv", HEAD + GOOD + "," * 1_000_001 + "\n", ("1,000,001 commas",)),
    Case(
        "quoting_that_there_is_not",
        "r.csv",
        HEAD + 'a "b,pos\n' * 3 + '"c" d,neg\n',
        ("row 5", "closing quote"),
        ReadConfig(quoting="minimal"),
    ),
    Case("multi_line_row_before_it", "r.csv", HEAD + '"a\nb\nc",pos\nx,y,z\n' + GOOD, ("row 3", "line 5", "3 cells")),
    Case("nul", "r.csv", HEAD + "a\0b,pos\n" + GOOD, ("row 2", "'text'", "NUL")),
    Case("nul_in_label", "r.csv", HEAD + "a,p\0s\n" + GOOD, ("row 2", "'label'", "NUL")),
    Case("nul_in_header", "r.csv", "text,la\0bel\n" + GOOD, ("row 1", "NUL")),
    Case("empty_text", "r.csv", HEAD + ",pos\n" + GOOD, ("row 2", "'text'", "the text is empty")),
    Case("blank_text", "r.csv", HEAD + '"  \t ",pos\n' + GOOD, ("row 2", "'text'", "empty")),
    Case("zero_width_text", "r.csv", HEAD + "\u200b\u200d\ufeff,pos\n" + GOOD, ("row 2", "'text'", "nothing visible")),
    Case("only_markup", "r.csv", HEAD + "<br /><br />&nbsp;,pos\n" + GOOD, ("row 2", "'text'", "nothing visible")),
    Case("empty_label", "r.csv", HEAD + "fine,\n" + GOOD, ("row 2", "'label'", "the label is missing")),
    Case("blank_label", "r.csv", HEAD + "fine,  \n" + GOOD, ("row 2", "'label'", "the label is missing")),
    Case("huge_cell", "r.csv", HEAD + "x" * 10_000_000 + ",pos\n" + GOOD, ("row 2", "'text'", "10,000,000 characters")),
    Case("all_rows_bad", "r.csv", HEAD + ",pos\n,neg\n", ("2 of 2 rows", "row"), ReadConfig(allow_rejects=True)),
    Case("excel_trailing_rows", "r.csv", HEAD + GOOD + ",\n,\n,\n", ("rows 22, 23, 24", "'text'", "empty")),
    # Headers and columns
    Case("double_header", "r.csv", "text,label,text\n", ("row 1", "'text'", "more than once", "1, 3")),
    Case("header_only", "r.csv", HEAD, ("has no rows",)),
    Case("no_header", "r.csv", GOOD, ("row 1", "looks like data")),
    Case(
        "no_header_tsv",
        "r.tsv",
        "ham\tGo until jurong\n" + "spam\tFree entry in a\nham\tOk lar joking\n" * 9,
        ("row 1", "looks like data"),
    ),
    Case("blank_header", "r.csv", ",\n,\n", ("no header",)),
    Case("empty_names", "r.csv", ",,x\n" + "1,2,3\n4,5,6\n" * 9, ("'column 1', 'column 2', 'x'", "looks like the text")),
    Case("single_column", "r.csv", "text\n" + "a b c\n" * 9, ("looks like the label", "add a column")),
    Case("no_text_column", "r.csv", "id,label\n" + "1,a\n2,b\n" * 9, ("looks like the text",)),
    Case(
        "two_text_columns",
        "r.csv",
        "review,comment,label\n" + "a b c d,e f g h,x\nb c d e,f g h i,y\n" * 9,
        ("'review', 'comment'", "--text"),
    ),
    Case("two_label_columns", "r.csv", "text,class,topic\n" + "a b c,x,p\nb c d,y,q\n" * 9, ("'class', 'topic'", "--label")),
    Case("unknown_text", "r.csv", HEAD + GOOD, ("no column 'txt'", "did you mean --text 'text'"), ReadConfig(text=("txt",))),
    Case("unknown_label", "r.csv", HEAD + GOOD, ("no column 'lable'", "--label 'label'"), ReadConfig(label="lable")),
    Case("unknown_group", "r.csv", HEAD + GOOD, ("no column 'movie'", "--group"), ReadConfig(group="movie")),
    Case("label_is_text", "r.csv", HEAD + GOOD, ("'text'", "as text and as label"), ReadConfig(text=("text",), label="text")),
    Case("text_twice", "r.csv", HEAD + GOOD, ("'text'", "named twice"), ReadConfig(text=("text", "text"))),
    Case("group_is_label", "r.csv", HEAD + GOOD, ("'label'", "as group"), ReadConfig(label="label", group="label")),
    # Delimiters
    Case("wrong_delimiter_uneven", "r.csv", "text;label\na;pos\nb;c;neg\n", ("row 1", "no comma", "row 3 has 3 cells")),
    Case("wrong_delimiter_two_fit", "r.csv", "text;a|label\nx;b|pos\ny;c|neg\n", ("row 1", "no comma")),
    Case("commas_in_tsv_uneven", "r.tsv", "text,label\na,b,pos\nc,neg\n", ("row 1", "no tab")),
    # Encodings
    Case(
        "latin_1", "r.csv", (HEAD + GOOD + "très bien,pos\n").encode("latin-1"), ("row 22", "0xe8", "--encoding windows-1252")
    ),
    Case("latin_1_late_line", "r.csv", (HEAD + '"a\nb",pos\né,neg\n').encode("latin-1"), ("row 3", "line 4", "--encoding")),
    Case("latin_1_jsonl", "r.jsonl", (LINES + '{"text": "é", "label": "pos"}').encode("latin-1"), ("row 21", "--encoding")),
    Case("shift_jis", "r.csv", (HEAD + "とても良い映画でした,良\n" * 9).encode("shift_jis"), ("row 2", "--encoding shift_jis")),
    Case("utf_16_without_mark", "r.csv", (HEAD + GOOD).encode("utf-16-le"), ("UTF-16-LE", "--encoding utf-16-le")),
    Case("utf_32", "r.csv", (HEAD + GOOD).encode("utf-32"), ("UTF-32", "--encoding utf-32")),
    Case("cut_utf_16", "r.csv", (HEAD + GOOD).encode("utf-16")[:-1], ("row 21", "middle of a character")),
    Case("wrong_encoding_asked", "r.csv", (HEAD + "é,a\n").encode(), ("row 2", "ASCII"), ReadConfig(encoding="ascii")),
    Case("cut_character", "r.csv", (HEAD + GOOD + "é").encode()[:-1], ("row 22", "middle of a character")),
    # Files
    Case("empty_file", "r.csv", b"", ("is empty",)),
    Case("empty_gz", "r.csv.gz", b"", ("is empty",)),
    Case("only_whitespace", "r.csv", " \n\n  \t\n", ("whitespace",)),
    Case("cut_gzip", "r.csv.gz", gzip.compress((HEAD + GOOD).encode())[:-12], ("gzip data ends too early",)),
    Case("damaged_gzip", "r.csv.gz", gzip.compress(GOOD.encode())[:-8] + b"\xff" * 8, ("gzip data is damaged",)),
    Case("not_gzip", "r.csv.gz", HEAD + GOOD, ("not gzip-compressed",)),
    Case("gzip_without_gz", "r.csv", gzip.compress((HEAD + GOOD).encode()), ("is gzip-compressed", ".gz")),
    Case("excel_renamed", "r.csv", b"PK\x03\x04" + b"\0" * 40, ("Excel",)),
    Case("excel", "r.xlsx", b"PK\x03\x04" + b"\0" * 40, ("Excel",)),
    Case("pickle", "r.pkl", b"\x80\x04\x95" + b"\0" * 40, ("pickle",)),
    Case("wrong_suffix", "r.dat", HEAD + GOOD, ("'.dat'", ".csv")),
    Case("text_file", "r.txt", GOOD, ("'.txt'", "not a table format")),
    Case("cut_parquet", "r.parquet", b"PAR1" + b"\0" * 99, ("Parquet data ends too early",)),
    Case("damaged_parquet", "r.parquet", b"PAR1" + b"\7" * 99 + b"PAR1", ("Parquet data is damaged",)),
    Case("parquet_is_text", "r.parquet", HEAD + GOOD, ("is not Parquet",)),
    Case("csv_is_parquet", "r.csv", b"PAR1" + b"\0" * 99 + b"PAR1", ("is Parquet", "rename")),
    Case(
        "parquet_null",
        "r.parquet",
        lambda path: _put(path, parquet(["a b", None] * 9, ["x", "y"] * 9)),
        ("rows 2, 4, 6", "'text'"),
    ),
    Case(
        "parquet_nested",
        "r.parquet",
        lambda path: _put(path, parquet([["a"], ["b"]] * 9, ["x", "y"] * 9)),
        ("row", "'text'", "a list"),
    ),
    # JSON lines
    Case("json_array_row", "r.jsonl", LINES + '["a", "pos"]\n', ("row 21", "is an array")),
    Case("json_scalar_row", "r.jsonl", '"a"\n' + LINES, ("row 1", "single value")),
    Case("json_whole_array", "r.json", '[{"text": "a", "label": "b"}]', ("row 1", "one JSON array")),
    Case("json_nested_text", "r.jsonl", LINES + '{"text": {"a": 1}, "label": "pos"}\n', ("row 21", "'text'", "an object")),
    Case(
        "json_nested_label",
        "r.jsonl",
        LINES + '{"text": "a", "label": ["pos", "neg"]}\n',
        ("row 21", "'label'", "several labels"),
    ),
    Case("json_broken", "r.jsonl", LINES + '{"text": "a", "label\n', ("row 21", "is not JSON")),
    Case("json_cut", "r.jsonl", (LINES + LINES)[:-9], ("row 40", "is not JSON")),
    Case("json_two_on_a_line", "r.jsonl", LINES + '{"text": "a"} {"text": "b"}\n', ("row 21", "is not JSON")),
    Case("json_missing_label", "r.jsonl", LINES + '{"text": "a"}\n', ("row 21", "'label'", "missing")),
    Case("json_missing_text", "r.jsonl", LINES + '{"label": "pos"}\n', ("row 21", "'text'", "empty")),
    Case("json_null_label", "r.jsonl", LINES + '{"text": "a", "label": null}\n', ("row 21", "'label'", "missing")),
    Case("json_nan_label", "r.jsonl", LINES + '{"text": "a", "label": NaN}\n', ("row 21", "'label'", "missing")),
    Case(
        "json_key_twice", "r.jsonl", LINES + '{"text": "a", "text": "b", "label": "x"}\n', ("row 21", "'text' more than once")
    ),
    Case("json_surrogate", "r.jsonl", LINES + '{"text": "\\ud83d", "label": "pos"}\n', ("row 21", "'text'", "surrogate")),
    Case("json_nul", "r.jsonl", LINES + '{"text": "a\\u0000", "label": "pos"}\n', ("row 21", "'text'", "NUL")),
    Case("json_too_deep", "r.jsonl", deep_json(), ("row 21", "nested too deeply")),
    Case("json_is_csv", "r.jsonl", HEAD + GOOD, ("21 of 21 rows", "row", "is not JSON")),
    Case("json_other_keys", "r.jsonl", '{"a": 1, "b": 2}\n' * 9, ("looks like the text", "'a', 'b'")),
    # Folders
    Case("folder_without_folders", "texts", folder_of("a.md", "b.md"), ("no sub-folders", "'a.md'")),
    Case("folder_empty", "texts", folder_of(), ("no sub-folders",)),
    Case("folder_of_empty_folders", "texts", lambda path: (path / "pos").mkdir(parents=True), ("has no rows",)),
    Case("folder_too_deep", "texts", folder_of("train/pos/1.md", "train/neg/1.md"), ("'train/neg'", "holds a folder")),
    Case("folder_with_binary", "texts", folder_of("pos/1.md", "neg/1.md", "neg/2.bin"), ("neg/2.bin", "binary")),
)


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_malformed_file_gives_one_message_and_a_receipt(case: Case, tmp_path: Path):
    path = case.write(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError) as caught:
        read_table(str(path), case.config)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert [words for words in case.says if words not in message] == []
    assert caught.value.exit_code == 2
    assert caught.value.expected
    assert caught.value.fix
    (receipt,) = caught.value.files
    assert receipt.num_rows == receipt.num_used + len(receipt.rejected)
    assert sorted(tmp_path.rglob("*")) == before


LABEL_CASES = {
    "one_class_only": (["pos"] * 20, ("one class only", "'pos'")),
    "a_class_with_one_example": (["pos", "neg"] * 9 + ["neutral"], ("'neutral' (r.csv:20)", "one example only", "merge")),
    "free_text_as_label": ([f"label {number}" for number in range(20)], ("20 distinct labels in 20 rows", "--label")),
    "mostly_distinct_labels": ([str(number * 2 // 3) for number in range(30)], ("20 distinct labels in 30 rows",)),
}


@pytest.mark.parametrize("name", LABEL_CASES)
def test_labels_that_are_no_classes_give_one_message(name: str, tmp_path: Path):
    labels, says = LABEL_CASES[name]
    path = tmp_path / "r.csv"
    path.write_text("text,label\n" + "".join(f"text {number},{label}\n" for number, label in enumerate(labels)))
    table = read_table(path)
    with pytest.raises(DataError) as caught:
        check_labels(table.examples, column=table.columns.label, files=table.files)
    message = str(caught.value)
    assert "column 'label'" in message
    assert [words for words in says if words not in message] == []
    assert caught.value.files == table.files


def test_there_are_at_least_45_kinds():
    assert len({case.name for case in CASES}) + len(LABEL_CASES) >= 45
