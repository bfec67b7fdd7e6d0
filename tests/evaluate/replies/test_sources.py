"""Rivals without a model: the nearest question by hand and by brute force, and examples that are the same for every run."""

import numpy as np
import pytest
from replying import make_conversations
from sklearn.feature_extraction.text import TfidfVectorizer

from pretune.errors import UsageError
from pretune.evaluate.replies.nearest import nearest_questions
from pretune.evaluate.replies.sources import FEW_SHOT_WAYS, always, choose_examples, retrieve
from pretune.records import Conversation, Turn
from pretune.records.conversation import ASSISTANT, USER

KNOWN = ("What is gout?", "What is lupus?", "Who pays for lupus care?", "Is mumps catching?")


def talk(id, asked, said, group=None):
    return Conversation(id=id, turns=(Turn(role=USER, text=asked), Turn(role=ASSISTANT, text=said)), group=group)


TRAIN = tuple(talk(f"train-{place}", text, f"reply {place}") for place, text in enumerate(KNOWN))
TEST = (talk("test-0", "Is GOUT bad?", "yes"), talk("test-1", "Who pays for care of mumps?", "no"))


@pytest.mark.parametrize("way", ["words", "characters"])
def test_the_nearest_question_shares_the_rare_word(way):
    assert nearest_questions(way, KNOWN, ["gout, what is it?", "is mumps catching"]).tolist() == [[0], [3]]


def test_several_nearest_come_in_order_and_of_equals_the_first():
    known = ["red cat", "red dog", "blue cat", "red cat"]
    found = nearest_questions("words", known, ["red cat"], count=3)
    assert found.tolist()[0][:2] == [0, 3]


def test_words_go_by_plain_tf_idf():
    known, asked = ([row.text for row in make_conversations(name, 50)] for name in ("train", "test"))
    table = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2), sublinear_tf=True)
    rows = table.fit_transform(known)
    wanted = (table.transform(asked) @ rows.T).toarray().argmax(axis=1)
    assert nearest_questions("words", known, asked)[:, 0].tolist() == wanted.tolist()


def test_vectors_are_compared_by_their_angle():
    made = {"a": (10.0, 0.0), "b": (1.0, 1.0), "c": (0.0, 3.0)}

    def vectors(texts):
        return np.array([made[text] for text in texts])

    assert nearest_questions("vectors", ["b", "c"], ["a", "c"], vectors=vectors).tolist() == [[0], [1]]
    assert nearest_questions("vectors", ["b", "c"], ["a"]) is None


def test_questions_without_a_word_have_no_nearest():
    assert nearest_questions("words", ["?", "!"], ["what?"]) is None
    assert retrieve([talk("train-0", "?", "a")], (), TEST) is None


def test_validation_chooses_the_way():
    """Vectors that tell everything beat words: each question of training is about what the validation question is."""
    train, validation, test = (make_conversations(name, 40) for name in ("train", "validation", "test"))
    train = tuple(talk(row.id, row.text, other.reference) for row, other in zip(train, validation, strict=True))

    def vectors(texts):
        number = {row.text: place for rows in (train, validation, test) for place, row in enumerate(rows)}
        return np.eye(40)[[number[text] for text in texts]]

    found = retrieve(train, validation, test, vectors=vectors)
    assert found.way == "vectors"
    assert found.chrf["vectors"] == pytest.approx(100)
    assert found.test.texts == tuple(row.reference for row in train)
    assert found.nearest.shape == (40, 3)
    assert "vectors 100.0" in found.test.note
    assert retrieve(train, validation, test).way in ("words", "characters")


def test_without_validation_words_retrieve():
    found = retrieve(TRAIN, (), TEST)
    assert (found.way, found.test.texts) == ("words", ("reply 0", "reply 2"))
    assert found.test.source == "retrieval"
    assert found.test.ended == (True, True)


def test_the_constant_reply_is_one_of_training():
    found = always(TRAIN, TEST)
    assert len(set(found.texts)) == 1
    assert found.texts[0] in {row.reference for row in TRAIN}
    assert found.source == "constant"


def test_fixed_examples_are_of_different_groups_and_the_same_for_every_question():
    train = [talk(f"train-{n}", f"question {n}", "word " * (5 + n % 7), group=f"g{n % 9}") for n in range(60)]
    three = choose_examples("3", train, TEST)
    assert three[0] == three[1]
    assert len({train[place].group for place in three[0]}) == 3
    assert choose_examples("1", train, TEST)[0] == three[0][:1]
    assert choose_examples("0", train, TEST) == [(), ()]
    assert choose_examples("3", train, TEST, seed=1) != three


def test_nearest_examples_have_the_nearest_last():
    assert choose_examples("nearest 2", TRAIN, TEST)[1][-1] == 2
    assert all(len(choose_examples(way, TRAIN, TEST)) == 2 for way in FEW_SHOT_WAYS)


def test_an_unknown_way_is_refused():
    with pytest.raises(UsageError, match="'5'"):
        choose_examples("5", TRAIN, TEST)
