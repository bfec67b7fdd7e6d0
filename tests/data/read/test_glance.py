"""A glance refuses only what reading refuses, and reads only where something seems to be missing."""

import json

import pytest

from pretune.configs import ReadConfig
from pretune.data.read import glance
from pretune.data.read.glance import read_if_lacking
from pretune.data.read.path import read_table
from pretune.errors import DataError, UsageError


def test_a_missing_column_is_refused_in_the_words_of_reading(write_csv):
    path, config = str(write_csv([("a text", "a"), ("another", "b")])), ReadConfig(text=("nosuch",))
    with pytest.raises(DataError) as expected:
        read_table(path, config)
    with pytest.raises(DataError) as caught:
        read_if_lacking(path, config)
    assert str(caught.value) == str(expected.value)


def test_where_everything_is_there_nothing_is_read(write_csv, monkeypatch):
    path = str(write_csv([("a text", "a"), ("another", "b")]))
    monkeypatch.setattr(glance, "read_table", None)
    assert read_if_lacking(path, ReadConfig(text=("text",), label="label"), label="b") is None


def test_a_name_that_is_spelled_otherwise_is_found_by_reading(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"gef\u00fchl": word, "text": f"{word} text"}) + "\n" for word in ("gut", "schlecht")))
    table = read_if_lacking(str(path), ReadConfig(label="gef\u00fchl"))
    assert [row.label for row in table.examples] == ["gut", "schlecht"]


def test_a_label_that_no_row_has_makes_it_read(write_csv):
    table = read_if_lacking(str(write_csv([("a text", "a"), ("another", "b")])), ReadConfig(), label="c\u00e9")
    assert len(table.examples) == 2


def test_an_unknown_encoding_is_refused(write_csv):
    with pytest.raises(UsageError, match="encoding"):
        read_if_lacking(str(write_csv([("a text", "a")])), ReadConfig(encoding="nosuch"))


@pytest.mark.parametrize("name", ["nowhere.csv", "movie-reviews", "there.csv.gz"])
def test_what_is_no_plain_file_is_passed_over(name, tmp_path):
    (tmp_path / "there.csv.gz").write_bytes(b"")
    assert read_if_lacking(str(tmp_path / name), ReadConfig(text=("nosuch",))) is None
