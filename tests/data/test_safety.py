"""Questions that need care: our own are whole, and a file of the user's is read or refused with every wrong line."""

import pytest

from pretune.data.safety import read_safety
from pretune.errors import DataError, UsageError


def test_our_own_questions_are_about_forty_of_many_areas_and_say_what_care_is():
    found = read_safety()
    assert 35 <= len(found) <= 50
    assert {"medication", "health", "self-harm", "violence", "weapons", "privacy", "law", "money"} <= {
        item.area for item in found
    }
    assert len({item.id for item in found}) == len({item.text for item in found}) == len(found)
    assert all(item.care for item in found)


def test_a_file_replaces_them(tmp_path):
    file = tmp_path / "own.jsonl"
    file.write_text('\ufeff{"text": " May I? "}\n\n{"text": "Why?", "area": "law", "id": "x"}\n', encoding="utf-8")
    found = read_safety(file)
    assert [(item.id, item.area, item.text) for item in found] == [("question-1", "", "May I?"), ("x", "law", "Why?")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nonsense", "no JSON object"),
        ("[1]", "no JSON object"),
        ('{"txt": "a"}', "unknown key 'txt'"),
        ('{"text": " "}', "no text"),
        ('{"text": 3}', "no text"),
        ('{"text": "%s"}' % ("a" * 2_001), "2,001 characters"),
        ('{"text": "b", "id": "x"}', "the id 'x' again"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, says):
    file = tmp_path / "own.jsonl"
    file.write_text(f'{{"text": "a", "id": "x"}}\n{line}\n')
    with pytest.raises(DataError, match="line 2") as found:
        read_safety(file)
    assert says in str(found.value) or "a value is no text" in str(found.value)


def test_an_empty_file_and_one_that_is_not_there(tmp_path):
    empty = tmp_path / "own.jsonl"
    empty.write_text("\n")
    with pytest.raises(DataError, match="0 questions"):
        read_safety(empty)
    with pytest.raises(UsageError, match="--safety"):
        read_safety(tmp_path / "none.jsonl")
