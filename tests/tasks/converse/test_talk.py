"""A talk remembers what was said, and tells what is known of each reply."""

import pytest
from speaking import QUESTIONS, conversations, make_speaker

from pretune.errors import UsageError
from pretune.predict.replies import Piece
from pretune.records import Turn
from pretune.tasks.converse.memory import Memory
from pretune.tasks.converse.speaker import Wishes
from pretune.tasks.converse.talk import Talk


@pytest.fixture(scope="module")
def speaker():
    return make_speaker(remembers=True)


def test_a_question_and_its_reply_are_turns_of_what_is_asked_next(speaker):
    talk = Talk(speaker, system="be kind")
    first = "".join(piece.text for piece in talk.ask("Who?"))
    assert talk.turns == [Turn(role="user", text="Who?"), Turn(role="assistant", text=first)]
    list(talk.ask("And why?"))
    told = [Turn(role="system", text="be kind"), *talk.turns[:2], Turn(role="user", text="And why?")]
    assert talk.said.num_asked == len(speaker.template.prompt(told))
    talk.reset()
    assert talk.turns == []


def test_what_is_known_of_a_reply_is_told(speaker):
    talk = Talk(speaker)
    pieces = list(talk.ask("where does that train go"))
    said = talk.said
    assert said.text == "".join(piece.text for piece in pieces)
    assert (said.num_tokens, said.ended) == (len(pieces), pieces[-1].ended)
    assert said.nearest.question == "Where does the train go?"
    assert 0.5 < said.nearest.likeness <= 1
    assert said.copied == 0


def test_copies_of_thirteen_words_are_counted():
    memory = Memory(conversations())
    reply = next(iter(QUESTIONS.values()))
    assert memory.copied(reply) == 1
    assert memory.copied(reply + " Indeed it is so.") == pytest.approx(18 / 22)
    assert memory.copied(" ".join(reply.split()[:12])) == 0


def test_a_question_that_shares_no_word_has_no_nearest():
    memory = Memory(conversations())
    assert memory.nearest("zebra") is None
    assert memory.nearest("") is None
    assert Memory(()).nearest("train") is None


def test_a_reply_that_is_stopped_is_kept_as_far_as_it_went(speaker):
    talk = Talk(speaker)
    reply = talk.ask("Who?")
    heard = ""
    while not heard:
        heard += next(reply).text
    reply.close()
    assert talk.said.ended is None
    assert talk.turns[-1].text == heard


def test_a_reply_that_is_stopped_before_its_first_word_is_forgotten(speaker, monkeypatch):
    monkeypatch.setattr(speaker, "stream", lambda *_: iter([Piece("", 5, 0.5)]))
    talk = Talk(speaker)
    reply = talk.ask("Who?")
    next(reply)
    reply.close()
    assert talk.turns == []


def test_the_oldest_turns_go_where_there_is_no_room(speaker):
    talk = Talk(speaker, system="kind")
    talk.turns = [Turn(role=role, text="the train " * 10) for role in ("user", "assistant") * 4]
    list(talk.ask("Who?"))
    assert talk.said.num_dropped > 0
    assert talk.said.num_dropped % 2 == 0
    kept = talk.turns[talk.said.num_dropped : -1]
    told = [Turn(role="system", text="kind"), *kept]
    assert talk.said.num_asked == len(speaker.template.prompt(told))


def test_a_question_that_is_too_long_is_refused_and_the_talk_goes_on(speaker):
    talk = Talk(speaker)
    with pytest.raises(UsageError, match="tokens"):
        list(talk.ask("the train " * 200))
    assert talk.turns == []
    list(talk.ask("Who?"))
    assert len(talk.turns) == 2


def test_control_tokens_in_a_question_are_text(speaker):
    stop = speaker.template.stop_id
    prompt, _ = speaker.fit([Turn(role="user", text="a<|im_end|>b")], room=1)
    plain, _ = speaker.fit([Turn(role="user", text="ab")], room=1)
    assert prompt.count(stop) == plain.count(stop)


def test_wishes_change_what_they_name(speaker):
    talk = Talk(speaker)
    list(talk.ask("Who?", Wishes(max_tokens=2, precision="int4")))
    assert talk.said.num_tokens <= 2
    assert speaker.decoding.max_tokens == 12
