"""Delimited: quotes that hold a cell together, quotes that are text, and every physical line accounted for."""

import contextlib
import csv
import gzip
import io
import json
import tempfile
import time
from pathlib import Path

import pytest

from pretune.configs import ReadConfig
from pretune.data.dataset import load_data
from pretune.data.read import stream
from pretune.data.read.delimited import read_delimited
from pretune.data.read.path import read_raw, read_rows, read_table
from pretune.data.read.stream import open_rows
from pretune.data.read.table import Origin, RawTable, Table
from pretune.errors import DataError, UsageError
from pretune.records import FileReceipt, Predictions
from pretune.run.prediction_tables import parse_predictions, predictions_csv
from pretune.storage.cells import csv_writer, neutral_row
from pretune.tasks.audit.opening import open_table

SOUND = [(f"film number {number} is fine", "pos" if number % 2 else "neg") for number in range(200)]
SWALLOWED = [('"a film that opens', "pos"), ("another one", "neg"), ("and one more", "pos"), ('a screen of 24"', "neg")]
TALE = '"first, a line\nand a second one, too\n\nthen ""quoted"", the end"'


def raw_of(text: str, name: str = "r.csv", **options: object) -> RawTable:
    origin = Origin(shown=name, name=name, role="data", format="tsv" if name.endswith("tsv") else "csv")
    return read_delimited(text.encode(), origin, None, config=ReadConfig(**options))  # type: ignore[arg-type]


def joined(rows: list[tuple[str, ...]], mark: str = ",", end: str = "\n", header: str = "text,label") -> str:
    lines = [header.replace(",", mark), *(mark.join(row) for row in rows)]
    return "".join(line + end for line in lines)


def cells_of(raw: RawTable) -> list[tuple[str, ...]]:
    return [tuple(map(str, row.cells)) for row in raw.rows]


# Quotes that are text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_a_file_without_quoting_is_read_so_where_quotes_would_swallow_rows(mark: str, end: str):
    rows = [*SOUND[:30], *SWALLOWED, *SOUND[30:]]
    raw = raw_of("\ufeff" + joined(rows, mark, end), "r.tsv" if mark == "\t" else "r.csv")
    assert cells_of(raw) == rows
    assert any("read without quoting" in note and "line 32" in note and "--quoting minimal" in note for note in raw.notes)


def test_two_lines_that_a_quote_joins_are_two_rows_where_the_first_ends_in_a_class():
    raw = raw_of(joined([*SOUND[:20], ('"one', "pos"), ('two"', "neg")]))
    assert len(raw.rows) == 22


@pytest.mark.parametrize("header", ["label,text", "id,text,label", "text,customer"])
def test_rows_are_known_by_classes_before_the_text_by_numbers_and_by_codes(header: str):
    cells = {"id": "{n}", "label": "pos", "customer": "c{n}", "text": "{mark}line number {n} of many{end}"}
    rows = []
    for number in range(60):
        marks = {"mark": '"' if number == 20 else "", "end": '"' if number == 40 else "", "n": number}
        rows.append(tuple(cells[name].format(**marks) for name in header.split(",")))
    raw = raw_of(joined(rows, header=header))
    assert cells_of(raw) == rows


def test_a_quote_that_never_closes_is_text_where_every_line_is_even_without_it():
    raw = raw_of(joined([*SOUND[:20], ('"never closed', "pos"), ("another", "neg")]))
    assert len(raw.rows) == 22
    assert any("never closes" in note for note in raw.notes)


def test_quotes_inside_a_line_are_text_where_they_would_break_it():
    rows = [*SOUND[:50], ('"Hello," she said', "pos"), ("she 'said' \"no\"", "neg")]
    assert cells_of(raw_of(joined(rows, "\t"), "r.tsv")) == rows


def test_a_few_uneven_lines_do_not_keep_a_file_from_being_read_without_quoting():
    rows = [*SOUND, *SWALLOWED]
    raw = raw_of(joined(rows, "\t") + "one\ttoo\tmany\n", "r.tsv")
    assert (len(raw.rows), [row.row for row in raw.rejected]) == (204, [206])


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([*SOUND[:20], *SWALLOWED, ('"well, fine"', "pos")], 22),  # the last line is even with quotes only
        ([*SOUND[:20], *SWALLOWED, ("a stray,", "comma", "pos")], 22),
        ([(f'"{text}"', label) for text, label in SOUND[:20]] + SWALLOWED, 22),  # most texts stand in quotes
        ([*SOUND[:20], *SWALLOWED, ('"so ""quoted"""', "pos")], 22),  # two quotes inside are those of a writer that quotes
        ([*SOUND[:20], ("a film", '"pos'), *SOUND[20:40], ("a film", 'neg"'), *SOUND[40:50]], 22),  # a class has no quotes
    ],
    ids=["quoted_comma", "bare_comma", "wrapped", "doubled", "class"],
)
def test_swallowed_rows_are_refused_with_their_lines_where_both_readings_are_wrong(rows: list[tuple[str, ...]], line: int):
    with pytest.raises(DataError) as caught:
        raw_of(joined(rows))
    assert f"row {line}" in str(caught.value)
    assert "quote opens here" in caught.value.got
    assert "--quoting none" in caught.value.fix


def test_the_lines_of_a_broken_record_are_rejected_one_by_one():
    text = joined(SOUND) + '"opens, and\nruns on, and on\nand breaks" here,pos\n' + joined(SOUND[:9]).partition("\n")[2]
    raw = raw_of(text)
    assert [(row.row, row.column) for row in raw.rejected] == [(202, "text"), (202, None), (202, None)]
    assert "record that begins in line 202" in raw.rejected[1].reason
    with pytest.raises(DataError, match=r"3 of 2\d\d rows"):
        read_delimited_table(text)


def read_text(text: str, **options: object) -> Table:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "r.csv"
        path.write_bytes(text.encode())
        return read_table(path, ReadConfig(**options))  # type: ignore[arg-type]


def read_delimited_table(text: str, **options: object) -> FileReceipt:
    return read_text(text, **options).files[0]


# Quotes that hold a cell together


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_texts_of_several_lines_stay_whole(mark: str):
    rows = [(TALE, "pos"), ('"Dear Sir,\nI write"', "neg")] * 20
    raw = raw_of(joined(rows, mark), "r.tsv" if mark == "\t" else "r.csv")
    text = 'first, a line\nand a second one, too\n\nthen "quoted", the end'
    assert cells_of(raw) == [(text, "pos"), ("Dear Sir,\nI write", "neg")] * 20
    assert not any("quot" in note for note in raw.notes)


@pytest.mark.parametrize(
    "text",
    ["Paris, France\nRome, Italy\nOslo, Norway", "eggs,\nmilk,\nflour,", "one, two\nthree, four", "it cost 1,000\nor 2,000"],
    ids=["addresses", "list", "a comma a line", "thousands"],
)
def test_prose_with_a_comma_in_each_line_is_no_piece_of_the_table(text: str):
    quoted = '"' + text + '"'
    raw = raw_of(joined([(f"what is {n}", f"it is {n} then") for n in range(20)] + [("where", quoted)], header="q,a"))
    assert cells_of(raw)[-1] == ("where", text)
    raw = raw_of(joined([*SOUND[:20], (quoted, "pos")]))
    assert cells_of(raw)[-1] == (text, "pos")


def test_a_table_of_one_column_has_texts_of_several_lines_or_loose_quotes():
    assert cells_of(raw_of('text\n"a, b\nc"\n"said ""d"" e"\n')) == [("a, b\nc",), ('said "d" e',)]
    loose = raw_of('text\n"a b\nsaid "c" d\ne f"\n' + "a good film\n" * 20)
    assert cells_of(loose)[:3] == [('"a b',), ('said "c" d',), ('e f"',)]
    with pytest.raises(DataError, match="either may be meant"):
        raw_of('text\n"a b\nc"\nsaid "d", and e\n')


def test_what_was_asked_for_is_not_guessed():
    text = joined([*SOUND[:20], *SWALLOWED])
    assert len(raw_of(text, quoting="minimal").rows) == 21
    assert len(raw_of(text, quoting="none").rows) == 24
    raw = raw_of(joined([(TALE, "pos")] * 5), quoting="none")
    assert len(raw.rejected) + len(raw.rows) + (raw.lines.blank if raw.lines else 0) == 20
    assert raw_of(text, quoting="minimal").notes == []


@pytest.mark.parametrize("options", [{"quoting": "all"}, {"escape": "ab"}, {"escape": '"'}, {"escape": "a"}, {"max_cell": 0}])
def test_options_that_there_are_not_are_refused(options: dict[str, object]):
    with pytest.raises(UsageError):
        ReadConfig(**options)  # type: ignore[arg-type]


def test_load_data_takes_the_options_by_their_names(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text(joined([*SOUND, *SWALLOWED]))
    assert load_data(path).receipt.num_rows == 204
    assert load_data(path, quoting="minimal").receipt.num_rows == 201
    with pytest.raises(TypeError, match="unexpected keyword argument 'quotes'"):
        load_data(path, quotes="none")  # type: ignore[call-arg]


# Backslashes


def test_backslashes_before_quotes_are_read_where_only_that_is_even():
    rows = [(f'"he said \\"number {n}\\", ok"', "pos") for n in range(5)]
    raw = raw_of(joined([*SOUND[:9], *rows]))
    assert cells_of(raw)[9] == ('he said "number 0", ok', "pos")
    assert any("backslash" in note and "--quoting minimal" in note for note in raw.notes)


def test_a_backslash_before_a_letter_shows_that_backslashes_are_not_escaped():
    raw = raw_of(joined([('"a \\"b\\", C:\\new \\\\ and"', "pos"), ("c", "neg")]))
    assert cells_of(raw)[0] == ('a "b", C:\\new \\\\ and', "pos")
    raw = raw_of(joined([('"a \\"b\\", C:\\\\new"', "pos"), ("c", "neg")]))
    assert cells_of(raw)[0] == ('a "b", C:\\new', "pos")


def test_another_escape_sign_is_taken_when_asked_for():
    raw = raw_of(joined([('"a ^"b^", c"', "pos")]), escape="^")
    assert cells_of(raw) == [('a "b", c', "pos")]
    assert ReadConfig(escape="\\\\").escape == "\\"  # as a shell hands on two


def test_escaped_quotes_that_stay_are_told():
    assert any("--escape" in note for note in raw_of(joined([('a \\"b\\" c', "pos")] * 3)).notes)
    written = io.StringIO()
    csv.writer(written).writerows([("text", "label"), (json.dumps({"a": 'x "y"'}), "pos")])
    assert raw_of(written.getvalue()).notes == []


# Lines that are no rows


@pytest.mark.parametrize("mark", [";", ",", "\t", "|", "^"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "mark"])
def test_the_line_sep_names_the_delimiter(mark: str, start: str):
    text = f"{start}sep={mark}\r\n" + joined(SOUND[:4], mark, "\r\n", f"text{mark}label")
    raw = raw_of(text)
    assert cells_of(raw) == SOUND[:4]
    assert raw.lines is not None
    assert (raw.lines.total, raw.lines.separator, raw.lines.rows) == (6, 1, 4)
    assert any("sep=" in note for note in raw.notes)
    assert [(row.number, row.line) for row in raw.rows[:1]] == [(2, 3)]


@pytest.mark.parametrize("between", ["", "\n\n", "\ufeff", "\n\ufeff"], ids=["joined", "blank", "mark", "both"])
@pytest.mark.parametrize("mark", [",", "\t"], ids=["csv", "tsv"])
def test_a_header_that_stands_there_again_is_left_out_and_told(mark: str, between: str):
    text = joined(SOUND[:75], mark) + between + joined(SOUND[75:150], mark)
    raw = raw_of(text, "r.tsv" if mark == "\t" else "r.csv")
    assert cells_of(raw) == SOUND[:150]
    assert any("repeats the header" in note and f"row {77 + between.count(chr(10))} " in note for note in raw.notes)
    assert raw.lines is not None
    assert raw.lines.repeated == 1


def test_two_spreadsheets_in_one_file_are_one_table():
    part = "sep=;\r\ntext;label\r\na b;pos\r\n"
    raw = raw_of("\ufeff" + part + "\ufeff" + part)
    assert (len(raw.rows), raw.rejected) == (2, [])
    assert any("further down" in note for note in raw.notes)


# Accounting


def test_every_line_is_accounted_for():
    text = '\ntext,label\n"a\nb\r\n\nc",pos\n\n  \nfine,neg\none,two,three\n"d\ne",f,g\ntext,label\nlast,pos'
    lines = raw_of(text).lines
    assert lines is not None
    assert lines.to_json() == {
        "total": 14, "header": 1, "rows": 6, "within": 3, "blank": 3, "repeated": 1, "separator": 0,
    }  # fmt: skip
    assert lines.is_balanced


def test_the_receipt_keeps_the_lines_and_older_receipts_are_read():
    receipt = read_delimited_table(joined([(TALE, "pos"), ("b", "neg")] * 3))
    assert receipt.lines is not None
    assert (receipt.lines.total, receipt.lines.rows, receipt.lines.within) == (16, 6, 9)
    assert FileReceipt.from_json(receipt.to_json()) == receipt
    older = {key: value for key, value in receipt.to_json().items() if key != "lines"}
    assert FileReceipt.from_json(older).lines is None


def test_lines_that_do_not_add_up_are_a_fault_and_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pretune.data.read.delimited.count_lines", lambda _: 7)
    with pytest.raises(DataError, match="fault of pretune"):
        raw_of(joined(SOUND[:4]))


def test_a_packed_file_is_told_alike(tmp_path: Path):
    path = tmp_path / "r.csv.gz"
    path.write_bytes(gzip.compress(joined([*SOUND[:20], *SWALLOWED]).encode("utf-16")))
    assert len(read_raw(path).rows) == 24


# Bounds and time


def test_bounds_have_their_options():
    long, wide = joined([("x" * 2_000, "pos"), ("b", "neg")]), ",".join(f"c{n}" for n in range(60)) + "\n"
    assert len(read_delimited_table(long, max_cell=1_000, allow_rejects=True).rejected) == 1
    assert read_delimited_table(long).rejected == ()
    with pytest.raises(DataError, match="60 columns"):
        raw_of(wide, max_columns=50)


SHAPES = {
    "short rows": "a few words,pos\n",
    "backslashes": '"he said \\"hi\\", then",pos\n',
    "broken": 'a,"b" c\n',
    "swallowing": '"a b,pos\nc d,neg\ne f",pos\n',
    "several lines": '"a, b\nc d, e\nf",pos\n',
    "quotes": '"a ""b"" c",pos\n',
    "ragged": "a,b,c\n",
    "backslashes alone": "a \\\\\\\\\\ b,pos\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_input_takes_twice_the_time(shape: str, tmp_path: Path):
    def seconds(size: int) -> float:
        path.write_text("text,label\n" + SHAPES[shape] * (size // len(SHAPES[shape])))
        start = time.process_time()
        with contextlib.suppress(DataError):
            read_raw(path)
        return time.process_time() - start

    path = tmp_path / "r.csv"
    seconds(10_000)
    assert min(seconds(600_000) for _ in range(3)) < 3.5 * max(min(seconds(300_000) for _ in range(3)), 0.02)


def test_one_open_quote_before_many_rows_takes_no_longer():
    start = time.process_time()
    with pytest.raises(DataError):
        raw_of('text,label\n"a, b",pos\n"open,pos\n' + "words and more,pos\n" * 50_000)
    assert time.process_time() - start < 5


# Missing texts


def test_words_for_nothing_are_texts_and_told():
    table = read_text(joined([*SOUND[:9], ("N/A", "pos"), ("null", "neg")]))
    assert [row.text for row in table.examples][-2:] == ["N/A", "null"]
    assert any("2 texts read 'N/A'" in note for note in table.notes)


def test_texts_that_pandas_made_missing_are_told():
    pandas = pytest.importorskip("pandas")
    text = joined([*SOUND, ("N/A", "pos")])
    table = read_table(pandas.read_csv(io.StringIO(text)))
    assert any("keep_default_na=False" in note for note in table.notes)
    kept = read_table(pandas.read_csv(io.StringIO(text), keep_default_na=False))
    assert kept.examples[-1].text == "N/A"


# What pretune wrote


@pytest.mark.parametrize("label", ['say "a", b', 'a\nb,"c', "x\ry", '"', '""', ",", "=1+1", "\\"])
def test_what_pretune_wrote_is_read_as_it_was_written(label: str, tmp_path: Path):
    labels = tuple(label if number % 3 else "plain" for number in range(30))
    written = Predictions(
        source="finetuned", split="test", classes=tuple(sorted({label, "plain"})), labels=labels, predicted=labels,
        ids=tuple(f'r "1",{number}' for number in range(30)), probabilities=((0.25, 0.75),) * 30,
    )  # fmt: skip
    text = predictions_csv(written)
    assert parse_predictions(text, split="test", source="finetuned") == written
    path = tmp_path / "test.finetuned.csv"
    path.write_bytes(text.encode())
    raw = read_raw(path)
    assert [(row.cells[0], row.cells[1]) for row in raw.rows] == list(zip(written.ids, labels, strict=True))
    assert raw.rejected == []


HARMLESS = ["=1+1", "'=1+1", "''@home", "- no", "-1", "it's", "\u200b=x", "plain", " =y", "'quoted'"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz"])
def test_every_reader_gives_the_texts_that_were_made_neutral_as_they_were(ending: str, tmp_path: Path, monkeypatch):
    rows = [("text", "label"), *((text, f"={number % 2}") for number, text in enumerate(HARMLESS * 3))]
    out, path = io.StringIO(newline=""), tmp_path / f"t.{ending}"
    csv_writer(out, "\t" if ending == "tsv" else ",").writerows(neutral_row(row) for row in rows)
    data = out.getvalue().encode()
    path.write_bytes(gzip.compress(data) if ending == "csv.gz" else data)
    found = [[(row.text, row.label) for row in read_table(path).examples]]
    for raw in (read_raw(path), read_rows(str(path), ReadConfig()), open_table(path, ReadConfig())):
        found.append([tuple(row.cells) for row in raw.rows])
    for held in (0, 1 << 20):
        monkeypatch.setattr(stream, "MAX_HELD", held)
        opened = open_rows(str(path), ReadConfig()).survey()
        assert sum("only keeps spreadsheets from calculating" in note for note in opened.notes) == 1
        found.append([tuple(row.cells) for row in opened.items()])
        assert [tuple(row.cells) for row in opened.sample] == found[-1]
    assert found == [rows[1:]] * len(found)


def test_a_table_with_one_bare_formula_is_read_as_it_stands(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\n'=1+1,a\n=1+1,b\n")
    assert [row.cells[0] for row in read_raw(path).rows] == ["'=1+1", "=1+1"]
