"""JSON lines: whatever stands in a line, it is a row or a rejection with its reason, and never an error of Python's."""

import json
from pathlib import Path

import pytest

from pretune.configs import CorpusConfig, ReadConfig
from pretune.data.corpus import prepare_corpus
from pretune.data.read.objects import SparseCells, named_cells
from pretune.data.read.path import read_raw, read_table
from pretune.data.read.table import Table
from pretune.errors import DataError, PretuneError

LINES = [f'{{"text": "film {number} is fine", "label": "{"pos" if number % 2 else "neg"}"}}' for number in range(20)]
MANY = ReadConfig(allow_rejects=True)


def read(path: Path, lines: list[str], config: ReadConfig = MANY) -> Table:
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass") + b"\n")
    return read_table(path, config)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


ODD_LINES = {
    "an array": ("[1, 2]", "is an array, not an object"),
    "a number": ("17", "is a single value"),
    "NaN alone": ("NaN", "is a single value"),
    "a header": ("text,label", "is not JSON"),
    "a header in quotes": ('"text","label"', "is not JSON"),
    "half": ('{"text": "a', "is not JSON"),
    "two objects": (LINES[0] + LINES[1], "is not JSON"),
    "a doubled key": ('{"text": "a", "label": "pos", "text": "b"}', "has the key 'text' more than once"),
    "a doubled key inside": ('{"text": "a", "label": "pos", "x": {"y": 1, "y": 2}}', "has the key 'y' more than once"),
    "a long doubled key": ('{"' + "k" * 5_000 + '": 1, "' + "k" * 5_000 + '": 2}', "has the key 'kkk"),
    "arrays in arrays": ('{"text": ' + "[" * 100_000, "is nested too deeply"),
    "closed arrays in arrays": ('{"text": ' + "[" * 50_000 + "]" * 50_000 + "}", "is nested too deeply"),
    "objects in objects": ('{"a":' * 100_000, "is nested too deeply"),
    "a surrogate in the text": ('{"text": "a \\ud800 b", "label": "pos"}', "half of a character"),
    "a surrogate in the label": ('{"text": "a b", "label": "\\udfff"}', "half of a character"),
    "a NUL": ('{"text": "a \\u0000 b", "label": "pos"}', "NUL"),
    "a list as text": ('{"text": ["a", "b"], "label": "pos"}', "is a list, not text"),
    "NaN as text": ('{"text": NaN, "label": "pos"}', "the text is empty"),
    "infinity as label": ('{"text": "a b", "label": -Infinity}', "the label is missing"),
}


@pytest.mark.parametrize("name", ODD_LINES)
def test_an_odd_line_is_a_rejected_row_with_its_reason(path: Path, name: str):
    line, reason = ODD_LINES[name]
    table = read(path, [*LINES, line])
    assert (table.files[0].num_rows, table.files[0].num_used) == (21, 20)
    (rejected,) = table.files[0].rejected
    assert rejected.row == 21
    assert reason in rejected.reason
    assert len(rejected.reason) < 200


@pytest.mark.parametrize("digits", ["9" * 10_000, "-" + "7" * 10_000, "0." + "3" * 10_000, "1e400", "1E999999999"])
def test_a_number_keeps_its_digits_however_many(path: Path, digits: str):
    table = read(path, [*LINES, f'{{"text": "a b", "label": "pos", "n": {digits}}}'])
    assert table.examples[-1].extra["n"] == digits


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.ndjson"])
@pytest.mark.parametrize("indent", [None, 1])
def test_one_array_is_named_as_such(tmp_path: Path, name: str, indent: int | None):
    whole = json.dumps([json.loads(line) for line in LINES], indent=indent)
    for mark in ("", "\ufeff", "\n\n  "):
        (tmp_path / name).write_text(mark + whole)
        with pytest.raises(DataError, match="is one JSON array") as caught:
            read_table(tmp_path / name)
        assert "jq" in caught.value.fix


def test_one_object_over_many_lines_is_named_as_such(path: Path):
    path.write_text(json.dumps({"text": ["a b", "c d"], "label": ["x", "y"]}, indent=1))
    with pytest.raises(DataError, match="is one JSON object over several lines"):
        read_table(path)


def test_byte_order_marks_of_joined_files_are_no_text_and_are_noted(path: Path):
    part = "\n".join(LINES[:10])
    path.write_bytes(f"\ufeff{part}\n\ufeff{part}\n\ufeff\n".encode())
    table = read_table(path)
    assert (table.files[0].num_rows, table.files[0].num_used) == (20, 20)
    assert any("byte-order mark" in note for note in table.notes)
    assert not any("byte-order" in note for note in read(path, LINES).notes)


def test_what_cannot_be_written_is_written_all_the_same(path: Path):
    line = '{"text": "a b", "label": "pos", "extra": "\\ud83d", "\\udc00": "key", "list": ["\\ud800"]}'
    table = read(path, [*LINES, line])
    json.dumps(table.to_json(), ensure_ascii=False).encode()
    assert table.examples[-1].extra == {"extra": "\ufffd", "\\udc00": "key", "list": '["\ufffd"]'}


def test_a_key_that_some_rows_lack_is_missing_there(path: Path):
    table = read(path, [*LINES, '{"label": "pos", "n": null, "m": 1, "text": "other order"}'])
    assert table.examples[0].extra == {}
    assert table.examples[-1].extra == {"m": "1"}
    assert table.examples[-1].text == "other order"


def test_rows_of_differing_keys_are_kept_as_what_is_there(path: Path):
    path.write_text("".join(f'{{"text": "film {n}", "label": "{n % 2}", "key{n}": {n}}}\n' for n in range(200)))
    raw = read_raw(path)
    assert len(raw.columns) == 202
    assert all(isinstance(row.cells, SparseCells) for row in raw.rows)
    row = raw.rows[7]
    assert (len(row.cells), list(row.cells)[:3], row.cells[9], row.cells[10]) == (202, ["film 7", "1", None], "7", None)
    assert dict(named_cells(raw.columns, row.cells)) == {"text": "film 7", "label": "1", "key7": "7"}
    assert named_cells(raw.columns, row.cells)["key8"] is None
    assert read_table(path).examples[7].extra == {"key7": "7"}


def test_more_different_keys_than_a_table_has_columns_are_refused(path: Path):
    path.write_text("".join(f'{{"text": "film {n}", "label": "{n % 2}", "key{n}": {n}}}\n' for n in range(200)))
    with pytest.raises(DataError, match="more than 50 columns: its keys differ from row to row"):
        read_table(path, ReadConfig(max_columns=50))


def test_a_corpus_reads_the_same_lines(tmp_path: Path):
    documents = [json.dumps({"text": f"document number {n} speaks of many a thing that is {n}"}) for n in range(30)]
    odd = [line for line, reason in ODD_LINES.values() if "JSON" in reason or "nested" in reason or "more than" in reason]
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(("\ufeff" + "\n".join(documents) + "\n\ufeff" + "\n".join(odd) + "\n").encode("utf-8", "surrogatepass"))
    with pytest.raises(PretuneError, match="cannot be read"):
        prepare_corpus(path, CorpusConfig(workers=1), tmp_path / "a")
    receipt = prepare_corpus(path, CorpusConfig(workers=1, allow_rejects=True), tmp_path / "b").receipt
    assert (receipt.num_documents, receipt.files[0].num_rejected) == (30 + len(odd), len(odd))


def test_a_line_of_a_corpus_beyond_the_limit_is_rejected_whole_and_counted_once(tmp_path: Path):
    documents = [json.dumps({"text": f"document number {n} speaks of many a thing that is {n}"}) for n in range(30)]
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join([*documents[:3], json.dumps({"text": "word " * 1_000_000}), *documents[3:], "none"]) + "\n")
    config = CorpusConfig(workers=1, allow_rejects=True, max_line=1_000_000)
    (file,) = prepare_corpus(path, config, tmp_path / "out").receipt.files
    assert [(item.row, item.reason[:28]) for item in file.rejected] == [
        (4, "is a line of more than 1,000"),
        (32, "is not JSON: Expecting value"),
    ]
    assert file.num_documents == 32
