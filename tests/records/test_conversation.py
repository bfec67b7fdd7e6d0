"""Conversations as records."""

import pytest

from pretune.records import Conversation, Turn


def talk(*texts, **more):
    roles = ("user", "assistant") * len(texts)
    turns = tuple(Turn(role=role, text=text) for role, text in zip(roles, texts, strict=False))
    return Conversation(id="a.jsonl:1", turns=turns, **more)


def test_the_last_reply_is_the_reference_and_the_rest_is_asked():
    found = talk("What is gout?", "A disease.", "Of what?", "Of joints.")
    assert (found.reference, found.question) == ("Of joints.", "Of what?")
    assert found.text == "What is gout?\nA disease.\nOf what?"


def test_what_the_system_says_is_not_what_is_asked():
    found = talk("What is gout?", "A disease.")
    told = Conversation(id=found.id, turns=(Turn(role="system", text="Be brief."), *found.turns))
    assert told.text == "What is gout?"


@pytest.mark.parametrize("more", [{}, {"group": "gout", "rejected": "Unknown.", "extra": {"source": "NIH", "turn": "2"}}])
def test_a_conversation_survives_being_a_row(more):
    found = talk("What is gout?", 'A "disease"\nof joints.', **more)
    assert Conversation.from_example(found.as_example()) == found
    assert Conversation.from_json(found.to_json()) == found
