"""Conversations, or texts to classify? Columns and first rows tell; where both may be meant, one message names --task."""

import json

import pytest
from talks import FORMS

from pretune.configs import ReadConfig
from pretune.data.conversations import looks_like_conversations
from pretune.errors import UsageError


def pairs(prompt, reply, num=40, **further):
    return [{prompt: f"what is number {place}?", reply: f"it is number {place} of all", **further} for place in range(num)]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_taken_for_conversations(name, tmp_path):
    row, _ = FORMS[name]
    assert looks_like_conversations([row] * 3)
    (tmp_path / "talks.jsonl").write_text((json.dumps(row) + "\n") * 3)
    assert looks_like_conversations(tmp_path / "talks.jsonl")


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "a b c d", "label": "x"}, {"text": "b c d e", "label": "y"}],
        pairs("question", "text", label="x"),
        pairs("question", "answer", sentiment="x"),
        pairs("title", "body"),
        [{"question": f"is it {place} or not?", "answer": ("yes", "no")[place % 2]} for place in range(40)],
        [{"input": f"this is text {place}", "output": ("good", "bad")[place % 2]} for place in range(40)],
        ["a", "b"],
        [{"text": "only text"}],
    ],
)
def test_labelled_texts_and_texts_are_not(rows):
    assert looks_like_conversations(rows) is None


def test_words_of_a_pair_that_nobody_uses_for_labels_are_enough():
    assert looks_like_conversations([{"prompt": f"q {place}", "response": "x"} for place in range(3)])
    assert looks_like_conversations(pairs("prompt", "response", category="x"))
    assert looks_like_conversations(pairs("question", "answer"))


@pytest.mark.parametrize(
    "rows", [pairs("prompt", "response", label="x"), [{"prompt": f"q {n}", "response": ("a", "b")[n % 2]} for n in range(40)]]
)
def test_what_may_be_either_is_one_message_that_names_the_task(rows):
    with pytest.raises(UsageError, match=r"(?s)columns 'prompt' and 'response'.*--task converse or --task classify"):
        looks_like_conversations(rows)


def test_columns_that_the_user_names_decide():
    rows = pairs("prompt", "response", topic="x")
    assert looks_like_conversations(rows, ReadConfig(label="topic")) is None
    assert looks_like_conversations(rows, ReadConfig(text=("prompt",), label="response", group="topic"))


def test_what_cannot_be_read_is_left_to_whoever_reads_it(tmp_path):
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\xfe\x00")
    assert looks_like_conversations(str(tmp_path / "bad.jsonl")) is None
    assert looks_like_conversations("nothing-there.csv") is None


def test_the_catalogue_knows_without_fetching():
    assert looks_like_conversations("movie-dialogs") == "pairs: prompt 'statement', reply 'reply'"
    assert looks_like_conversations("sms-spam") is None


def test_a_long_file_is_not_read_to_the_end(tmp_path):
    lines = [json.dumps(row) for row in pairs("prompt", "response", 500)]
    (tmp_path / "talks.jsonl").write_text("\n".join(lines) + "\n{broken")
    assert looks_like_conversations(tmp_path / "talks.jsonl")
