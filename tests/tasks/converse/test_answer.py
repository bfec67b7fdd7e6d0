"""Asking a network."""

import pytest
from chat_models import make_pairs, save_chat_model

from pretune.models.formats import chat
from pretune.records import Conversation, Decoding, Turn
from pretune.run.trace import Trace
from pretune.tasks.converse import answer
from pretune.tasks.converse.answer import Asker, with_examples
from pretune.tokens.chat import ChatTemplate


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    save_chat_model(folder)
    start = chat.read(str(folder))
    return Asker(
        network=start.network, tokenizer=start.tokenizer, template=ChatTemplate(start.tokenizer), source="before", trace=Trace()
    )


def rows_of(number, seed=0):
    return [
        Conversation(id=str(place), turns=(Turn(role="user", text=row["prompt"]), Turn(role="assistant", text=row["response"])))
        for place, row in enumerate(make_pairs(number, seed=seed))
    ]


def test_of_a_long_reference_the_beginning_is_scored(asker, monkeypatch):
    rows = rows_of(4)
    whole = asker.score(rows)
    monkeypatch.setattr(answer, "MAX_SCORED", 3)
    part = asker.score(rows)
    assert [item.tokens for item in part] == [3] * 4
    assert all(a.nats < b.nats and a.bytes < b.bytes for a, b in zip(part, whole, strict=True))


def test_replies_do_not_depend_on_who_else_is_asked(asker):
    rows, decoding = rows_of(6), Decoding(max_tokens=8, precision="fp32")
    together = asker.reply(rows, "given", decoding)
    assert together.texts == tuple(asker.reply([row], "given", decoding).texts[0] for row in rows)


def test_examples_stand_before_the_question_and_go_where_the_prompt_is_too_long(asker, monkeypatch):
    train, rows = rows_of(30, seed=1), rows_of(2)
    prompts = with_examples(asker, "nearest 2", train, rows, seed=0)
    assert [len(turns) for turns in prompts] == [5, 5]
    assert [turns[-1] for turns in prompts] == [row.asked[-1] for row in rows]
    monkeypatch.setattr(answer, "MAX_PROMPT", 40)
    assert all(len(turns) < 5 for turns in with_examples(asker, "nearest 2", train, rows, seed=0))
