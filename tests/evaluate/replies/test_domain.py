"""What questions are about, and what people say of pairs: by hand."""

import pytest
from replying import make_conversations, make_replies

from pretune.evaluate.replies.domain import LIMIT, WORDS, find_domain
from pretune.evaluate.replies.preferences import best_rival, draw_pairs, is_model_first, review_of
from pretune.records import Pick, Score

HEALTH = ["What are the symptoms of gout?", "Is lupus inherited?", "How is asthma diagnosed?"]
PLAIN = [
    "Natalia sold 48 clips and paid 3 dollars for them. How many are left?",
    "What is your name again?",
    "Where is the exit?",
]


def test_questions_about_health_need_a_review():
    found = find_domain(HEALTH)
    assert (found.area, found.needs_review, found.shares["health"]) == ("health", True, 1.0)
    assert "gout" in found.words


def test_small_talk_and_sums_need_none():
    assert not find_domain([*PLAIN * 3, HEALTH[0]]).needs_review


def test_the_limit_is_a_share_of_the_questions():
    """1 of 7 is 14 %, 1 of 6 is 17 %; the limit is 15 %."""
    assert LIMIT == 0.15
    plain = ["where is the exit"] * 6
    assert find_domain([*plain, HEALTH[0]]).area is None
    assert find_domain([*plain[1:], HEALTH[0]]).area == "health"


@pytest.mark.parametrize("question", ["Can my landlord evict me?", "Do I need a lawyer?"])
def test_law_is_known_by_its_words(question):
    assert find_domain([question]).area == "law"


def test_money_is_known_by_its_words():
    assert find_domain(["Should I refinance my mortgage?"]).area == "money"


@pytest.mark.parametrize("question", ["There will be an appeal.", "A stroke of luck", "I bond with him"])
def test_a_weak_word_alone_says_nothing(question):
    """Unless a second word of the list stands beside it."""
    assert find_domain([question]).area is None


def test_plain_switches_the_review_off_and_is_kept():
    found = find_domain(HEALTH, asked="plain")
    assert (found.area, found.needs_review, found.asked) == ("health", False, "plain")


def test_no_question_is_about_nothing():
    assert find_domain([]).area is None


def test_the_lists_are_lower_case_words():
    assert all(
        word.removesuffix("*").isalnum() and word == word.lower() for listed in WORDS.values() for word in listed.split()
    )


def pick(id, picked, harmful=()):
    return Pick(id=id, picked=picked, first="model", harmful=harmful)


def test_the_sign_test_leaves_ties_and_skips_out():
    """9 for the model, 1 for the rival: mid-p (2 · 1 + 10) / 2^10."""
    picks = [*(pick(f"m{n}", "model") for n in range(9)), pick("r", "rival"), pick("t", "tie"), pick("s", "skip")]
    found = review_of({"anna": picks}, "finetuned", "retrieval")
    assert (found.num_pairs, found.num_model, found.num_rival, found.num_ties) == (11, 9, 1, 1)
    assert found.p_value == pytest.approx(12 / 1024)
    assert found.share == 0.9
    assert found.low < 0.9 < found.high


def test_two_people_who_disagree_are_a_tie():
    found = review_of({"anna": [pick("a", "model")], "ben": [pick("a", "rival")]}, "finetuned", "before")
    assert (found.num_pairs, found.num_ties, found.share, found.low) == (1, 1, None, None)


def test_harm_is_counted_by_reply_even_where_the_pair_was_skipped():
    found = review_of({"anna": [pick("a", "skip", ("model",)), pick("b", "tie", ("model", "rival"))]}, "finetuned", "before")
    assert (found.num_harmful, found.num_rival_harmful, found.num_pairs) == (2, 1, 1)


def test_nothing_said_is_no_review():
    assert review_of({"anna": [pick("a", "skip")]}, "finetuned", "before") is None


def test_pairs_with_equal_replies_are_left_out():
    rows = make_conversations("test", 10)
    model = make_replies(rows, 0.5)
    assert draw_pairs(model, model, {}, 5) == ()
    other = make_replies(rows, 0.5, source="before")
    assert len(draw_pairs(model, other, {}, 5)) == 5
    assert draw_pairs(model, other, {}, 5, seed=1) != draw_pairs(model, other, {}, 5)


def test_the_order_of_a_pair_is_drawn_and_stays():
    firsts = [is_model_first(str(number), seed=0) for number in range(1_000)]
    assert 450 < sum(firsts) < 550
    assert firsts == [is_model_first(str(number), seed=0) for number in range(1_000)]


def test_the_best_rival_has_the_most_chrf():
    def chrf(source, value):
        return Score(
            metric="chrf", label=None, split="test", source=source, value=value, low=None, high=None, confidence=0.95,
            method="", num_examples=9,
        )  # fmt: skip

    scores = [chrf("finetuned", 40.0), chrf("before", 30.0), chrf("retrieval", 35.0), chrf("chat-int4", 39.0)]
    assert best_rival(scores, "finetuned", ["finetuned", "before", "retrieval"]) == "retrieval"
    assert best_rival(scores, "finetuned", ["finetuned"]) is None
