"""Rows of conversations: none is lost, and each rejection says why."""

import time

import pytest

from pretune.configs import ReadConfig
from pretune.data.conversations.read import read_conversations
from pretune.errors import DataError

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}


def turns(*said):
    return {"messages": [{"role": role, "content": text} for role, text in said]}


REJECTED = {
    "no reply": (turns(("user", "Hi")), "has no reply"),
    "no turns": ({"messages": []}, "has no reply"),
    "two questions": (turns(("user", "a"), ("user", "b"), ("assistant", "c")), "has two turns of the user in a row"),
    "two replies": (turns(("user", "a"), ("assistant", "b"), ("assistant", "c")), "has two turns of the assistant in a row"),
    "begins with a reply": (turns(("assistant", "a"), ("user", "b"), ("assistant", "c")), "begins with a reply"),
    "a late system": (turns(("user", "a"), ("system", "b"), ("assistant", "c")), "has a system turn that is not the first"),
    "an empty reply": (turns(("user", "a"), ("assistant", " \n")), "the reply is empty"),
    "a missing reply": (turns(("user", "a"), ("assistant", None)), "the reply is empty"),
    "an empty question": (turns(("user", "\u200b"), ("assistant", "b")), r"turn 1 \(user\) is empty"),
    "a control token alone": (turns(("user", "a"), ("assistant", "<|im_end|>")), r"only a control token \(<\|im_end\|>\)"),
    "a tool": (turns(("user", "a"), ("tool", "x"), ("assistant", "b")), "has a turn of 'tool', which is neither"),
    "no role": ({"messages": [{"who": "user", "content": "a"}]}, "turn 1 has no role, only 'who', 'content'"),
    "no content": ({"messages": [{"role": "user"}]}, "turn 1 has no content, only 'role'"),
    "junk": ({"messages": [["a", 1], {"x": [1]}]}, "turn 1 is no object with a role and a content"),
    "a text": ({"messages": "hello"}, "is one text, no list of turns"),
    "a number": ({"messages": 7}, "is one text, no list of turns"),
    "nothing": ({"messages": None}, "is missing"),
    "a picture": (
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "b"}]},
        "turn 1 has a part that is no text: 'image_url'",
    ),
    "a NUL": (turns(("user", "a\0"), ("assistant", "b")), "holds a NUL character"),
    "half a character": (turns(("user", "a"), ("assistant", "b\ud800")), "holds half of a character"),
    "too long": (turns(("user", "a"), ("assistant", "b" * 1_000_001)), r"has 1,000,001 characters; .*--max-cell"),
    "many turns": (turns(*[("user", "a")] * 10_001), "has 10,001 turns"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_row_that_cannot_be_used_is_rejected_with_its_reason(case):
    row, reason = REJECTED[case]
    found = read_conversations([GOOD, row, GOOD], ReadConfig(allow_rejects=True))
    receipt = found.table.files[0]
    assert (receipt.num_rows, receipt.num_used, len(receipt.rejected)) == (3, 2, 1)
    assert (receipt.rejected[0].row, receipt.rejected[0].column) == (2, "messages")
    with pytest.raises(DataError, match=f"(?s)1 of 3 rows cannot be used.*row 2, column 'messages': .*{reason}"):
        read_conversations([GOOD, row, GOOD])


def test_rows_add_up_where_some_are_filtered():
    rows = [{"prompt": "a", "response": "b", "keep": str(place % 3)} for place in range(30)] + [
        {"prompt": "", "response": "b", "keep": "1"}
    ]
    receipt = read_conversations(rows, ReadConfig(where=("keep=1",), allow_rejects=True)).table.files[0]
    assert (receipt.num_rows, receipt.num_used, len(receipt.rejected), receipt.num_filtered) == (31, 10, 1, 20)


def test_all_rows_of_a_rejected_dialogue_are_rejected():
    rows = [{"dialog_id": "x", "turn": place, "role": "user", "text": f"a {place}"} for place in range(3)]
    rows += [{"dialog_id": "y", "turn": place, "role": ("user", "bot")[place], "text": "b"} for place in range(2)]
    receipt = read_conversations(rows, ReadConfig(allow_rejects=True)).table.files[0]
    assert (receipt.num_used, [item.row for item in receipt.rejected]) == (2, [1, 2, 3])


def test_control_tokens_that_end_replies_are_taken_away_and_counted():
    endings = ["<|endoftext|>", "</s>", "<|im_end|>", "<eos>", " <|eot_id|> \n", "<|im_end|><|endoftext|>", "<end_of_turn>\n"]
    rows = [{"prompt": f"q {place}", "response": f"yes{ending}"} for place, ending in enumerate([*endings, ""])]
    found = read_conversations(rows)
    assert {item.reference for item in found.conversations} == {"yes"}
    assert found.done.num_stripped == len(endings)
    assert found.done.control["<|im_end|>"] == 2
    assert any("were taken away in 7 conversations: " in note for note in found.table.notes)


@pytest.mark.parametrize(
    "text", ["a <|x|> b", "<s>old</s> new", "was <s>old</s>", "a < b | c >", "list[EOS", "x -> y", "[1]", "a<b>c</b>"]
)
def test_what_is_no_control_token_at_an_end_stays(text):
    found = read_conversations([{"prompt": "q", "response": text}])
    assert found.conversations[0].reference == text


def test_a_question_keeps_what_it_spells_and_that_is_noted():
    found = read_conversations([{"prompt": "What is <|im_end|>?", "response": "A mark."}])
    assert found.conversations[0].question == "What is <|im_end|>?"
    assert "1 conversation spells a control token, which stays text" in found.table.notes


def test_turns_after_the_last_reply_are_left_out_and_counted():
    found = read_conversations([turns(("user", "a"), ("assistant", "b"), ("user", "thanks")), GOOD])
    assert [len(item.turns) for item in found.conversations] == [2, 2]
    assert "1 conversation ends with turns that no reply follows; these turns are left out" in found.table.notes


def test_replies_keep_markup_and_indentation():
    code = "Use:\n\n    for x in y:\n        print('<b>&amp;</b>')\n\tdone"
    assert read_conversations([{"prompt": "q", "response": code + "  \n"}]).conversations[0].reference == code


def test_what_no_reader_sees_is_cleaned_and_counted():
    found = read_conversations([{"prompt": "a\u200bb", "response": "x\r\ny\u0000"[:4]}, {"prompt": "e\u0301", "response": "z"}])
    assert [item.question for item in found.conversations] == ["ab", "\u00e9"]
    assert found.conversations[0].reference == "x\ny"
    assert found.done.cleaned == {"invisible characters": 1, "line ends": 1, "Unicode form": 1}


def test_a_preference_row_without_its_rejected_reply_is_no_loss():
    found = read_conversations([{"prompt": "a", "chosen": "b", "rejected": ""}])
    assert found.conversations[0].rejected == ""


def test_a_table_of_no_rows_is_one_message(write_csv):
    with pytest.raises(DataError, match="has no rows"):
        read_conversations(write_csv([], columns=("prompt", "response")))


@pytest.mark.parametrize(
    "reply", ["<s>" * 200_000 + "x</s>", "x" + "</s>" * 200_000, "x" + " <|im_end|>" * 80_000, "<|x|" * 200_000]
)
def test_many_control_tokens_take_no_time(reply):
    start = time.process_time()
    found = read_conversations([{"prompt": "q", "response": reply}])
    assert found.conversations[0].reference in ("x", reply)
    assert time.process_time() - start < 5


def test_a_list_of_one_text_is_that_text_and_other_lists_are_rejected():
    rows = [
        {"prompt": "a", "response": ["b"]},
        {"prompt": ["c"], "response": "d"},
        {"prompt": "e", "response": ["f", "g"]},
        {"prompt": {"h": 1}, "response": "i"},
    ]
    found = read_conversations(rows, ReadConfig(allow_rejects=True))
    assert [item.turns[1].text for item in found.conversations] == ["b", "d"]
    reasons = [(item.row, item.column, item.reason) for item in found.table.files[0].rejected]
    assert reasons == [(3, "response", "is a list, not text"), (4, "prompt", "is an object, not text")]


def test_a_column_of_messages_without_any_is_said_row_by_row():
    with pytest.raises(DataError, match=r"row 1, column 'messages': is one text, no list of turns"):
        read_conversations([{"messages": "[{'role': open('x')}]"}])


def test_lists_of_other_lengths_are_rejected():
    with pytest.raises(DataError, match="has 2 roles and 1 contents"):
        read_conversations([{"messages": {"role": ["user", "assistant"], "content": ["a"]}}])
