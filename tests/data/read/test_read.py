"""Reading: every form of table gives the same rows, with row numbers, labels as they stand, and none lost."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pretune.configs import ReadConfig
from pretune.data.read.path import read_table
from pretune.data.read.table import Table
from pretune.errors import DataError, MissingLabelsError, UsageError

ROWS = [("a good film, truly", "pos"), ("a bad film", "neg"), ("fine\nin parts", "pos"), ("très “nul” 🎬", "neg")]
EXTRA = ReadConfig(allow_rejects=True)


def write_delimited(path: Path, delimiter: str = ",", encoding: str = "utf-8", end: str = "\n") -> Path:
    lines = [f"text{delimiter}label", *(f'"{text}"{delimiter}{label}' for text, label in ROWS)]
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def write_lines(path: Path) -> Path:
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS))
    return path


def write_parquet(path: Path) -> Path:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}), path)
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "csv": lambda folder: write_delimited(folder / "rows.csv"),
    "tsv": lambda folder: write_delimited(folder / "rows.tsv", "\t"),
    "csv_utf8_mark": lambda folder: write_delimited(folder / "rows.csv", encoding="utf-8-sig"),
    "csv_utf16": lambda folder: write_delimited(folder / "rows.csv", encoding="utf-16"),
    "csv_windows_ends": lambda folder: write_delimited(folder / "rows.csv", end="\r\n"),
    "csv_old_mac_ends": lambda folder: write_delimited(folder / "rows.csv", end="\r"),
    "csv_semicolons": lambda folder: write_delimited(folder / "rows.csv", ";"),
    "csv_tabs": lambda folder: write_delimited(folder / "rows.csv", "\t"),
    "upper_case_suffix": lambda folder: write_delimited(folder / "ROWS.CSV"),
    "jsonl": lambda folder: write_lines(folder / "rows.jsonl"),
    "parquet": lambda folder: write_parquet(folder / "rows.parquet"),
}


def rows_of(table: Table) -> list[tuple[str, str | None]]:
    return [(example.text, example.label) for example in table.examples]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("form", WRITERS)
def test_every_form_gives_the_same_rows(form: str, packed: bool, tmp_path: Path):
    path = WRITERS[form](tmp_path)
    if packed:
        path = path.rename(path.with_name(path.name + ".tmp"))
        packed_path = path.with_name(path.name.removesuffix(".tmp") + ".gz")
        packed_path.write_bytes(gzip.compress(path.read_bytes()))
        path = packed_path
    table = read_table(path)
    assert rows_of(table) == ROWS
    (receipt,) = table.files
    assert (receipt.num_rows, receipt.num_used, receipt.rejected) == (4, 4, ())
    assert receipt.sha256 is not None
    assert table.columns.guessed == ("text", "label")
    assert len([note for note in table.notes if "column guessed" in note]) == 2


@pytest.mark.parametrize("form", ["csv_semicolons", "csv_tabs"])
def test_another_delimiter_is_taken_where_it_is_plain_and_said(form: str, tmp_path: Path):
    table = read_table(WRITERS[form](tmp_path))
    assert any("between its cells" in note for note in table.notes)


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text('text,label\n"one\ntwo\nthree",a\n\nfour,b\n')
    table = read_table(path)
    assert [example.id for example in table.examples] == ["r.csv:2", "r.csv:4"]
    assert any("1 empty line, which is not a row" in note for note in table.notes)


def test_json_lines_are_numbered_by_line(tmp_path: Path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"text": "a b", "label": "x"}\n\n{"text": "c d", "label": "y"}\n')
    assert [example.id for example in read_table(path).examples] == ["r.jsonl:1", "r.jsonl:3"]


LABELS = ["NA", "null", "None", "nan", "1", "01", "1.0", "True", "true", "0", "-", "N/A"]


def test_labels_of_a_csv_stay_the_strings_that_they_are(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("text,label\n" + "".join(f"words,{label}\n" for label in LABELS))
    assert [example.label for example in read_table(path).examples] == LABELS


def test_labels_of_json_lines_stay_as_they_are_written(tmp_path: Path):
    written = ['"NA"', '"null"', '"01"', "1", "1.50", "1e3", "true", "false", "12345678901234567890123"]
    path = tmp_path / "r.jsonl"
    path.write_text("".join(f'{{"text": "words", "label": {label}}}\n' for label in written))
    assert [example.label for example in read_table(path).examples] == [label.strip('"') for label in written]


def test_labels_of_parquet_are_as_python_writes_them(tmp_path: Path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for name, values, expected in (
        ("b", [True, False], ["True", "False"]),
        ("i", [1, 0], ["1", "0"]),
        ("s", ["NA", "01"], ["NA", "01"]),
    ):
        parquet.write_table(arrow.table({"text": ["a b", "c d"], "label": values}), tmp_path / f"{name}.parquet")
        assert [example.label for example in read_table(tmp_path / f"{name}.parquet").examples] == expected


def test_spaces_around_labels_go_and_are_counted(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("text,label\na b, pos\nc d,pos\n")
    table = read_table(path)
    assert {example.label for example in table.examples} == {"pos"}
    assert "1 label had surrounding spaces, which were removed" in table.notes


def test_every_row_is_used_or_rejected_with_its_reason(tmp_path: Path):
    path = tmp_path / "r.csv"
    good = "".join(f"text {number},{'ab'[number % 2]}\n" for number in range(300))
    path.write_text("text,label\n" + good + ",a\nlonely\nno label,\n")
    table = read_table(path)  # 3 of 303 is under 1 %
    (receipt,) = table.files
    assert (receipt.num_rows, receipt.num_used) == (303, 300)
    assert [(row.file, row.row, row.column) for row in receipt.rejected] == [
        ("r.csv", 302, "text"),
        ("r.csv", 303, None),
        ("r.csv", 304, "label"),
    ]


def test_more_than_one_percent_rejected_stops_unless_allowed(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("text,label\n" + "words,a\n" * 98 + ",a\n,b\n")
    with pytest.raises(DataError, match="--allow-rejects") as caught:
        read_table(path)
    assert len(caught.value.files[0].rejected) == 2
    assert len(read_table(path, EXTRA).examples) == 98


def test_the_encoding_that_the_message_names_reads_the_file(tmp_path: Path):
    path = write_delimited(tmp_path / "r.csv").with_name("l.csv")
    path.write_bytes("text,label\ntrès bien,a\n".encode("windows-1252"))
    with pytest.raises(DataError, match="--encoding windows-1252"):
        read_table(path)
    assert read_table(path, ReadConfig(encoding="windows-1252")).examples[0].text == "très bien"


@pytest.mark.parametrize("encoding", ["no-such", "rot13"])
def test_an_encoding_that_is_none_is_a_usage_error(encoding: str, tmp_path: Path):
    with pytest.raises(UsageError, match="no text encoding"):
        read_table(write_delimited(tmp_path / "r.csv"), ReadConfig(encoding=encoding))


def test_columns_asked_for_are_read_and_the_others_kept_beside(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("title,body,kind,movie,stars\nBest,really good,p,m1,5\n,only a body,n,m1,1\n")
    table = read_table(path, ReadConfig(text=("title", "body"), label="kind", group="movie"))
    assert [example.text for example in table.examples] == ["Best\nreally good", "only a body"]
    assert [example.group for example in table.examples] == ["m1", "m1"]
    assert table.examples[0].extra == {"stars": "5"}
    assert table.columns.guessed == ()
    assert not any("guessed" in note for note in table.notes)


GUESSES = {
    "by_name": ("Review,Sentiment,id", "fine film here,p,1", "bad film here,n,2", ("Review",), "Sentiment"),
    "text_before_others": ("text,comment,label", "fine film here,a b c d,p", "bad film,b c d e,n", ("text",), "label"),
    "by_part_of_a_name": ("review_text,target_class", "fine film here,p", "bad film here,n", ("review_text",), "target_class"),
    "camel_case": ("TweetText,sentimentLabel", "fine film here,p", "bad film here,n", ("TweetText",), "sentimentLabel"),
    "by_content": ("a,b,c", "a fine film to see,p,1", "a bad film to skip,n,2", ("a",), "b"),
    "same_tier_by_content": (
        "text,class,topic",
        "fine film here,p,free words here now",
        "bad film,n,other words here so",
        ("text",),
        "class",
    ),
}


@pytest.mark.parametrize("name", GUESSES)
def test_columns_are_guessed(name: str, tmp_path: Path):
    header, first, second, text, label = GUESSES[name]
    lines = [header]
    for number in range(10):
        lines += [
            line.removesuffix("1").removesuffix("2") + (str(number) + line[-1]) * line[-1].isdigit() for line in (first, second)
        ]
    path = tmp_path / "r.csv"
    path.write_text("\n".join(lines) + "\n")
    table = read_table(path)
    assert (table.columns.text, table.columns.label) == (text, label)
    assert table.columns.guessed == ("text", "label")


def test_labels_are_not_needed_where_they_are_not_asked_for(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("text\nsome words\n")
    (example,) = read_table(path, ReadConfig(require_labels=False)).examples
    assert example.label is None
    with pytest.raises(MissingLabelsError):
        read_table(path)


def test_a_text_file_is_a_corpus_of_lines(tmp_path: Path):
    path = tmp_path / "corpus.txt.gz"
    path.write_bytes(gzip.compress(b"first line\n\nsecond line\n"))
    table = read_table(path, ReadConfig(require_labels=False))
    assert [(example.id, example.text) for example in table.examples] == [
        ("corpus.txt.gz:1", "first line"),
        ("corpus.txt.gz:3", "second line"),
    ]


def test_a_folder_has_a_sub_folder_a_class(tmp_path: Path):
    for name, text in (("neg/1.txt", "bad"), ("neg/2", "worse"), ("pos/1.txt", "good\nfilm"), ("pos/.hidden", "x")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    table = read_table(tmp_path)
    assert [(example.id, example.text, example.label) for example in table.examples] == [
        ("neg/1.txt", "bad", "neg"),
        ("neg/2", "worse", "neg"),
        ("pos/1.txt", "good\nfilm", "pos"),
    ]
    assert table.examples[0].extra == {}
    assert table.files[0].num_rows == 3


def test_a_rejected_file_of_a_folder_is_named(tmp_path: Path):
    for name, content in (("neg/1.txt", b"bad"), ("pos/1.txt", b"  "), ("pos/2.txt", "é".encode("latin-1"))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (receipt,) = read_table(tmp_path, EXTRA).files
    assert {rejection.file for rejection in receipt.rejected} == {"pos/1.txt", "pos/2.txt"}
    assert receipt.num_rows == receipt.num_used + len(receipt.rejected) == 3


MEMORY = {
    "pair": (["a b", "c d"], ["x", "y"]),
    "arrays": (np.array(["a b", "c d"]), np.array(["x", "y"])),
    "dictionaries": [{"text": "a b", "label": "x"}, {"text": "c d", "label": "y"}],
    "columns": {"text": ["a b", "c d"], "label": ["x", "y"]},
}


@pytest.mark.parametrize("name", MEMORY)
def test_plain_python_is_read(name: str):
    table = read_table(MEMORY[name], role="train")
    assert [(example.id, example.text, example.label) for example in table.examples] == [
        ("train:1", "a b", "x"),
        ("train:2", "c d", "y"),
    ]


def test_a_data_frame_is_read_and_missing_cells_are_rejected():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["a b", "c d", None, "e f"], "label": [True, False, True, None], "n": [1, 2, 3, 4]})
    table = read_table(frame, EXTRA)
    assert [(example.label, example.extra["n"]) for example in table.examples] == [("True", "1"), ("False", "2")]
    assert [(row.row, row.column) for row in table.files[0].rejected] == [(3, "text"), (4, "label")]


def test_reading_does_not_import_pandas_or_torch(tmp_path: Path):
    path = write_delimited(tmp_path / "r.csv")
    code = f"import sys; from pretune.data.read.path import read_table; read_table({str(path)!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"pandas", "torch", "pyarrow"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("source", [42, object(), [("a", "b")], ([], [], [])], ids=["number", "object", "pairs", "three"])
def test_what_cannot_be_read_is_a_usage_error(source: object):
    with pytest.raises(UsageError, match="cannot read data from"):
        read_table(source)


def test_lists_of_different_length_are_an_error():
    with pytest.raises(DataError, match="3 texts, 2 labels"):
        read_table((["a", "b", "c"], ["x", "y"]))


def test_texts_alone_need_no_labels_only_where_none_are_required():
    with pytest.raises(MissingLabelsError, match="2 texts came without labels"):
        read_table(["a b", "c d"])
    assert len(read_table(["a b", "c d"], ReadConfig(require_labels=False)).examples) == 2


def test_a_missing_path_names_near_files_and_the_catalogue(tmp_path: Path):
    write_delimited(tmp_path / "reviews.csv")
    with pytest.raises(DataError) as caught:
        read_table(str(tmp_path / "review.csv"))
    assert "reviews.csv" in caught.value.fix
    assert "sms-spam" in caught.value.expected


@pytest.mark.parametrize("name", ["movie_reviews", "movie-review", "SMS-Spam"])
def test_a_slip_in_a_catalogue_name_is_answered_with_the_name(name: str):
    with pytest.raises(DataError, match=r"did you mean '(movie-reviews|sms-spam)'"):
        read_table(name)


def test_an_empty_name_is_an_error():
    with pytest.raises(DataError, match="there is no ''"):
        read_table("")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path):
    path = write_delimited(tmp_path / "r.csv")
    path.chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        read_table(path)


def test_a_name_can_replace_the_files_own_in_ids(tmp_path: Path):
    path = write_delimited(tmp_path / "r.csv")
    assert read_table(path, name="test/r.csv").examples[0].id == "test/r.csv:2"


def test_a_table_survives_json(tmp_path: Path):
    table = read_table(write_delimited(tmp_path / "r.csv"))
    assert Table.from_json(json.loads(json.dumps(table.to_json()))) == table


@pytest.mark.shared
def test_a_large_shared_file_is_read_whole():
    path = Path(__file__).parents[4] / "shared" / "data" / "hate_tweets.jsonl.gz"
    if not path.exists():
        pytest.skip("../shared/data is not there")
    table = read_table(path)
    assert len(table.examples) == 31_962
    assert sum(example.label == "1" for example in table.examples) == 2_242
