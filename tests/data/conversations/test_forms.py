"""Forms of conversation tables: each is told apart by its columns, and read as the same turns."""

import csv
import json

import pytest
from talks import ASKED, FORMS, LONG, REPLY, messages

from pretune.configs import ReadConfig
from pretune.data.conversations.read import read_conversations
from pretune.errors import DataError
from pretune.records import Conversation


def read(source, **config) -> tuple[Conversation, ...]:
    return read_conversations(source, ReadConfig(**config)).conversations


def texts_of(conversation):
    return [turn.text for turn in conversation.turns]


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


def test_each_form_is_told_from_a_list_of_dicts(form):
    row, expected = form
    found = read_conversations([row, row])
    assert [texts_of(item) for item in found.conversations] == [expected] * 2
    assert [item.id for item in found.conversations] == ["data:1", "data:2"]
    assert any("guessed" in note for note in found.table.notes)
    roles = [turn.role for turn in found.conversations[0].turns]
    assert roles[len(roles) % 2 :] == ["user", "assistant"] * (len(roles) // 2)
    assert found.conversations[0].rejected == ("No." if "rejected" in row else None)


def test_each_form_is_told_from_json_lines(form, tmp_path):
    row, expected = form
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for _ in range(3)))
    assert [texts_of(item) for item in read(path)] == [expected] * 3
    assert read(path)[2].id == "talks.jsonl:3"


@pytest.mark.parametrize("write", [json.dumps, str], ids=["json", "python"])
def test_each_form_is_told_from_csv(form, write, tmp_path):
    row, expected = form
    path = tmp_path / "talks.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(row)
        table.writerow([value if isinstance(value, str) else write(value) for value in row.values()])
    assert [texts_of(item) for item in read(path)] == [expected]


def test_each_form_is_told_from_parquet_and_frames(form, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    row, expected = form
    frame = pandas.DataFrame([row, row])
    assert [texts_of(item) for item in read(frame)] == [expected] * 2
    frame.to_parquet(tmp_path / "talks.parquet")
    assert [texts_of(item) for item in read(tmp_path / "talks.parquet")] == [expected] * 2
    assert [texts_of(item) for item in read(pandas.read_parquet(tmp_path / "talks.parquet"))] == [expected] * 2


def rows_of_turns(**named):
    columns = {"dialogue": "conversation_id", "turn": "turn", "speaker": "role", "said": "content"} | named
    said = [("a", 2, "assistant", REPLY), ("b", 1, "user", "Hi"), ("a", 1, "user", ASKED), ("b", 2, "assistant", "Ho")]
    return [{name: value for name, value in zip(columns.values(), row, strict=True) if name} for row in said]


def test_rows_of_one_dialogue_are_joined_in_their_order():
    found = read_conversations(rows_of_turns())
    assert [(item.id, texts_of(item)) for item in found.conversations] == [("data:1", LONG[:2]), ("data:2", ["Hi", "Ho"])]
    assert found.table.files[0].num_rows == found.table.files[0].num_used == 4
    assert "4 rows are the turns of 2 conversations" in found.table.notes
    assert found.conversations[0].extra["conversation_id"] == "a"


def test_two_speakers_of_other_names_take_turns_in_the_order_in_which_they_begin():
    rows = [
        {"dialogue_id": 1, "turn": turn, "speaker": who, "text": text}
        for turn, who, text in ((1, "Ann", "Hi"), (2, "Bob", "Ho"))
    ]
    assert [turn.role for turn in read(rows)[0].turns] == ["user", "assistant"]


def test_dialogues_without_speakers_take_turns():
    assert texts_of(read(rows_of_turns(speaker=""))[0]) == LONG[:2]


def test_many_speakers_are_a_rejection():
    rows = [
        {"dialogue_id": "x", "turn": place, "speaker": who, "text": f"{who} says"} for place, who in enumerate("ABC")
    ] + rows_of_turns(dialogue="dialogue_id", said="text", speaker="speaker")
    with pytest.raises(DataError, match=r"rows 1, 2, 3, column 'text': has 3 speakers"):
        read(rows)


def test_named_columns_win_over_guessed_ones():
    row = {"prompt": "no", "response": "no", "frage": ASKED, "antwort": REPLY, "mehr": "now"}
    assert texts_of(read([row], text=("frage",), label="antwort")[0]) == LONG[:2]
    assert texts_of(read([row], text=("frage", "mehr"), label="antwort")[0]) == [f"{ASKED}\n\nnow", REPLY]
    assert texts_of(read([{"x": messages(*LONG), "prompt": "a", "response": "b"}], text=("x",))[0]) == LONG
    assert texts_of(read([row], label="antwort")[0]) == ["no", REPLY]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"text": ("promt",)}, "has no column 'promt'.*|did you mean --text 'prompt'"),
        ({"text": ("prompt",), "label": "prompt"}, "asked for as --text and --label"),
        ({"group": "topic"}, "has no column 'topic'"),
    ],
)
def test_a_column_that_is_not_there_is_one_message(config, message):
    with pytest.raises(DataError, match=message):
        read([{"prompt": ASKED, "response": REPLY}], **config)


def test_what_is_no_form_lists_its_columns():
    with pytest.raises(DataError, match=r"(?s)none of the usual forms.*'a', 'b'.*--text PROMPT --label REPLY"):
        read([{"a": "x", "b": "y"}])


def test_further_columns_and_groups_are_kept():
    found = read([{"prompt": ASKED, "response": REPLY, "focus": " cats ", "source": "book", "none": None}], group="focus")
    assert (found[0].group, found[0].extra) == ("cats", {"source": "book"})


def test_a_list_of_conversations_and_a_pair_of_lists_are_read():
    assert texts_of(read([messages(*LONG)])[0]) == LONG
    assert texts_of(read(([ASKED], [REPLY]))[0]) == LONG[:2]
