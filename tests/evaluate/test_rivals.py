"""What anyone could have answered, and whether a reply speaks of what was asked."""

import importlib.util

import pytest

from pretune.evaluate.rivals import reply_always, reply_nearest
from pretune.evaluate.subject import compare_subject, find_subjects, name_subject, score_subject
from pretune.records import Predictions

needs_sacrebleu = pytest.mark.skipif(
    importlib.util.find_spec("sacrebleu") is None, reason='sacrebleu is not installed: pip install "pretune[text-metrics]"'
)


def system(written, wanted=None):
    return Predictions(
        task="generate", source="audited", split="test", classes=(), ids=tuple(map(str, range(len(written)))),
        labels=tuple(wanted or written), predicted=tuple(written),
    )  # fmt: skip


@needs_sacrebleu
def test_the_one_reply_is_the_one_most_like_the_others():
    replies = ["see a doctor about it soon", "see a doctor about it today", "see a doctor about it", "blue green red"] * 5
    found = reply_always(system(["x"] * 3), replies)
    assert set(found.predicted) < set(replies[:3])
    assert (found.source, len(found.predicted)) == ("constant", 3)


@needs_sacrebleu
def test_the_one_reply_is_the_same_for_the_same_seed():
    replies = [f"reply number {number}" for number in range(200)]
    assert reply_always(system(["x"]), replies, seed=3) == reply_always(system(["x"]), replies, seed=3)


def test_the_nearest_question_of_training_gives_its_reply():
    found = reply_nearest(
        system(["", ""]),
        ["WHAT is  gout?", "who gets lupus"],
        ["what is lupus", "what is gout", "who gets gout or lupus"],
        ["l", "g", "w"],
    )
    assert found.predicted == ("g", "w")


def test_prompts_without_words_have_no_nearest():
    assert reply_nearest(system([""]), ["?"], ["!", "..."], ["a", "b"]) is None
    assert reply_nearest(system([""]), ["?"], ["a word"], ["a"]).predicted == ("a",)


def test_the_subject_is_the_rarest_word_and_its_ending_is_let_go():
    subjects = find_subjects(["What causes kidney tumors?", "What causes gout?"], ["kidney pain", "what causes it", "causes"])
    assert subjects == [frozenset({"tumors"}), frozenset({"gout"})]
    assert name_subject(["A tumorous growth", "gout is"], [frozenset({"tumoro"}), frozenset({"gout"})]) == [True, True]


def test_prompts_without_words_have_no_subject_and_are_not_counted():
    assert find_subjects(["?!", "a b"]) == [frozenset(), frozenset()]
    assert score_subject(system(["x"]), [frozenset()]) is None
    assert compare_subject(system(["x"]), [frozenset()]) is None


def test_shares_and_their_difference_by_hand():
    """Of 40 replies 24 name it and all references do; the 16 pairs are all one way: p = 2 * 0.5**16 / 2."""
    wanted = ["gout"] * 40
    judged = system(["gout"] * 24 + ["else"] * 16, wanted)
    subjects = [frozenset({"gout"})] * 40
    score, pair = compare_subject(judged, subjects)
    assert (score.source, score.value) == ("reference", 1.0)
    assert (pair.value_a, pair.value_b, pair.difference) == (0.6, 1.0, -0.4)
    assert pair.p_value == pytest.approx(0.5**16)
    assert pair.high < 0
    assert score_subject(judged, subjects).num_hits == 24
