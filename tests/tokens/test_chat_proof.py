"""The proof of the template: by the saved folder's own rendering, and never by what training thinks of its rows."""

from dataclasses import replace

import numpy as np
from chats import CHATML, MISTRAL, make_tokenizer, talk

from pretune.records import Conversation
from pretune.tokens import ChatTemplate, encode_replies
from pretune.tokens.chat_proof import prove_template

TALKS = [Conversation(id=f"a:{n}", turns=tuple(talk(f"Tom eats {n}", "Hello there! " * n + "x"))) for n in range(30)]


def prove(trained=CHATML, saved=CHATML, *, max_length=1_000, marks=None):
    encoded = encode_replies(TALKS, ChatTemplate(make_tokenizer(trained)), max_length=max_length)
    given = None if marks is None else marks(encoded)
    return prove_template(TALKS, encoded, ChatTemplate(make_tokenizer(saved)), is_reply=given), encoded


def test_the_same_template_is_the_same_tokens():
    proof, encoded = prove()
    assert proof.trained == proof.saved
    assert len(proof.trained) == 30
    assert (proof.num_targets, proof.num_prompt_targets) == (encoded.counts.num_targets, 0)
    assert proof.num_replies == proof.num_stops == 30
    assert proof.shown is None


def test_another_template_differs_in_every_conversation_and_shows_where():
    proof, _ = prove(saved=MISTRAL)
    assert all(proof.saved[id] != digest for id, digest in proof.trained.items())
    assert proof.shown is not None
    assert proof.num_targets == 0


def test_prompts_that_are_counted_are_seen():
    proof, encoded = prove(marks=lambda found: np.ones(len(found.tokens.ids), bool))
    assert proof.num_prompt_targets == len(encoded.tokens.ids) - encoded.counts.num_targets


def test_a_stop_token_that_is_masked_is_not_taught():
    """As where padding equals it and is masked by its number."""

    def without_stops(found):
        return found.marks & (found.tokens.ids != ChatTemplate(make_tokenizer(CHATML)).stop_id)

    proof, _ = prove(marks=without_stops)
    assert (proof.num_replies, proof.num_stops) == (30, 0)


def test_a_cut_reply_is_no_whole_one():
    proof, _ = prove(max_length=40)
    assert proof.num_replies == proof.num_stops < 30
    assert proof.trained == proof.saved


def test_a_conversation_that_the_folder_refuses_is_not_the_same():
    refusing = CHATML.replace(
        "{%", "{% if messages[0]['content'] == 'Tom eats 3' %}{{ raise_exception('no') }}{% endif %}{%", 1
    )
    proof, _ = prove(saved=refusing)
    assert proof.saved["a:3"].startswith("refused")
    assert sum(proof.saved[id] != digest for id, digest in proof.trained.items()) == 1
    assert replace(proof, shown=None).shown is None
