"""Conversations of a split: what is learned, what is cut, and what is left out are counted."""

import numpy as np
import pytest
from chats import MISTRAL, make_tokenizer, talk

from pretune.errors import DataError
from pretune.records import Conversation
from pretune.tokens import ChatTemplate, encode_replies, pad


def make_conversations(num=20):
    return [
        Conversation(id=f"a:{place}", turns=tuple(talk(f"Tom eats {place}", "Hello there! " * place + "x")))
        for place in range(num)
    ]


@pytest.fixture
def template():
    return ChatTemplate(make_tokenizer())


def test_marks_are_at_replies_and_the_token_that_ends_each(template):
    conversations = [*make_conversations(5), Conversation(id="m", turns=tuple(talk("a", "b", "c", "d")))]
    found = encode_replies(conversations, template, max_length=1_000)
    assert found.rows.tolist() == list(range(6))
    for row, conversation in enumerate(conversations):
        alone = template.encode(conversation.turns)
        start, end = found.tokens.offsets[row : row + 2]
        assert found.tokens.ids[start:end].tolist() == alone.ids.tolist()
        wanted = np.zeros(end - start, dtype=bool)
        for reply in alone.replies:
            wanted[reply.start : reply.end] = True
        assert found.marks[start:end].tolist() == wanted.tolist()
    assert found.counts.num_targets == found.marks.sum()
    assert (found.counts.num_replies, found.counts.num_cut, found.counts.num_beyond) == (7, 0, 0)


def test_a_cut_reply_teaches_no_end(template):
    conversation = make_conversations()[-1]
    whole = template.encode(conversation.turns)
    found = encode_replies([conversation], template, max_length=len(whole.ids) - 3)
    assert found.tokens.ids.tolist() == whole.ids[:-3].tolist()
    assert found.ends.tolist() == [len(whole.ids) - 3]
    assert template.stop_id not in found.tokens.ids[found.marks]
    assert (found.counts.num_cut, found.counts.cut_share) == (1, 1.0)


def test_a_reply_that_just_fits_is_not_cut(template):
    conversation = make_conversations()[-1]
    reply = template.encode(conversation.turns).replies[0]
    found = encode_replies([conversation], template, max_length=reply.end)
    assert found.counts.num_cut == 0
    assert found.tokens.ids[-1] == template.stop_id


def test_what_begins_beyond_the_cut_is_left_out_and_counted(template):
    long = Conversation(id="long", turns=tuple(talk("Tom eats " * 100, "yes")))
    found = encode_replies([long, *make_conversations(3)], template, max_length=60, split="train")
    assert found.rows.tolist() == [1, 2, 3]
    assert (found.counts.num_beyond, found.counts.num_used, found.counts.num_conversations) == (1, 3, 4)
    assert "1 beyond it left out" in str(found.counts)
    with pytest.raises(DataError, match="no reply of train is left: 1 of 1 begin beyond 60 tokens"):
        encode_replies([long], template, max_length=60, split="train")


def test_later_replies_beyond_the_cut_are_not_learned(template):
    turns = tuple(talk("a", "b", "Tom eats " * 100, "d"))
    found = encode_replies([Conversation(id="a", turns=turns)], template, max_length=30)
    assert (found.counts.num_replies, found.counts.num_cut) == (1, 1)
    assert found.tokens.ids[found.marks][-1] == template.stop_id


def test_few_that_the_template_refuses_are_left_out_and_counted_and_many_are_an_error():
    template, refused = ChatTemplate(make_tokenizer(MISTRAL)), Conversation(id="s", turns=tuple(talk("a", "b", system="no")))
    found = encode_replies([refused, *make_conversations(120)], template, max_length=50)
    assert found.counts.num_refused == 1
    assert found.rows[0] == 1
    with pytest.raises(DataError, match=r"1 of 6 conversations .* do not fit the chat template, such as s: .*only user"):
        encode_replies([refused, *make_conversations(5)], template, max_length=50)


def test_what_is_encoded_together_is_what_is_encoded_alone(template, monkeypatch):
    conversations = [*make_conversations(12), Conversation(id="c", turns=tuple(talk("x <|im_end|>", "y </s> z")))]
    together = encode_replies(conversations, template, max_length=40)
    monkeypatch.setattr("pretune.tokens.replies.CHUNK", 1)
    one_by_one = encode_replies(conversations, template, max_length=40)
    assert together.tokens.ids.tolist() == one_by_one.tokens.ids.tolist()
    assert together.marks.tolist() == one_by_one.marks.tolist()


def test_batches_are_padded_as_texts_are(template):
    found = encode_replies(make_conversations(4), template, max_length=100)
    ids, mask = pad(found.tokens, [0, 3])
    assert ids.shape == mask.shape
    assert mask.sum() == found.tokens.lengths[[0, 3]].sum()
