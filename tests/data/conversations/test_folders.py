"""Folders of tables: read as one; files that are named for a split are not mixed."""

import json

import pytest

from pretune.data.conversations import looks_like_conversations, read_conversations
from pretune.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Return ``make(*names)``, which writes two conversations into each file."""

    def make(*names):
        for name in names:
            rows = [{"prompt": f"{name} {place}", "response": "x"} for place in range(2)]
            (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return tmp_path

    return make


def test_all_tables_are_read_as_one(folder):
    found = read_conversations(folder("a.jsonl", "b.jsonl", ".hidden.jsonl", "README.md"))
    assert [item.id for item in found.conversations] == ["a.jsonl:1", "a.jsonl:2", "b.jsonl:1", "b.jsonl:2"]
    assert [file.num_used for file in found.table.files] == [2, 2]
    assert any("2 tables read as one" in note for note in found.table.notes)


@pytest.mark.parametrize(("role", "name"), [("data", "train-0.jsonl"), ("test", "test.jsonl"), ("validation", "dev.jsonl")])
def test_files_named_for_a_split_are_not_mixed(folder, role, name):
    found = read_conversations(folder("train-0.jsonl", "test.jsonl", "dev.jsonl"), role=role)
    assert [item.id for item in found.conversations] == [f"{name}:1", f"{name}:2"]
    assert any("not read" in note for note in found.table.notes)


def test_a_folder_of_tables_is_taken_for_conversations(folder):
    assert looks_like_conversations(str(folder("a.jsonl"))) == "pairs: prompt 'prompt', reply 'response'"


def test_a_file_of_another_form_is_one_message(folder):
    path = folder("a.jsonl", "b.jsonl")
    (path / "b.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(DataError, match=r"b.jsonl: has no column 'prompt', which another file has"):
        read_conversations(path)


def test_a_link_that_leads_out_is_not_read(folder):
    path = folder("a.jsonl")
    inner = path / "inner"
    inner.mkdir()
    (inner / "b.jsonl").symlink_to(path / "a.jsonl")
    with pytest.raises(DataError):
        read_conversations(inner)
