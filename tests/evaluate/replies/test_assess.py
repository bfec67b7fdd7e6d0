"""Figures of replies: against numbers worked out by hand and sacrebleu's own, over units, whatever the order of the rows."""

from dataclasses import replace

import numpy as np
import pytest
from replying import make_conversations, make_replies, with_texts
from sacrebleu.metrics import BLEU, CHRF

from pretune.errors import DataError, UsageError
from pretune.evaluate.replies import assess_forms, assess_replies
from pretune.records import Replies, ReplyScore, Terms

ROWS = make_conversations("test", 60)
TRAIN = make_conversations("train", 40)


def given(texts, references, *, source="finetuned", questions=None, ended=None, scores=None, split="test"):
    ids = tuple(f"{split}-{number}" for number in range(len(texts)))
    return Replies(
        source=source, split=split, ids=ids, questions=tuple(questions or ["?"] * len(texts)), references=tuple(references),
        texts=tuple(texts), ended=tuple(ended or [True] * len(texts)), scores=scores,
    )  # fmt: skip


def find(evaluation, metric, source="finetuned", split="test"):
    return next(s for s in evaluation.scores if (s.metric, s.source, s.split) == (metric, source, split))


def paired(evaluation, metric, source):
    return next(c for c in evaluation.comparisons if (c.metric, c.b) == (metric, source))


def test_loss_is_the_ratio_of_sums_and_not_the_mean_of_ratios():
    """10 nats over 5 tokens and 2 over 4: 12 / 9; in bits per byte 12 / ln 2 / 40."""
    scores = (ReplyScore(id="test-0", nats=10.0, tokens=5, bytes=30), ReplyScore(id="test-1", nats=2.0, tokens=4, bytes=10))
    found = assess_replies([given(["a", "b"], ["a", "b"], scores=scores)])
    assert find(found, "loss").value == pytest.approx(12 / 9)
    assert find(found, "bits_per_byte").value == pytest.approx(12 / np.log(2) / 40)
    assert find(found, "loss").low is None, "two rows show nothing"


def test_shares_are_counted_as_by_hand():
    """Of four: one is cut, one loops, one has thirteen words of training, one is empty."""
    copied = " ".join(TRAIN[0].reference.split()[3:16])
    texts = ["Gout hurts.", "see your doctor now " * 4, f"well, {copied}", " - "]
    asked = ["What is gout?", "What is lupus?", "What is mumps?", "What is angina?"]
    wanted = ["Gout is an illness.", "Lupus is one.", "Mumps is one.", "Angina is one."]
    found = assess_replies([given(texts, wanted, questions=asked, ended=[False, True, True, True])], train=TRAIN)
    assert find(found, "ended").value == 0.75
    assert find(found, "loops").num_hits == 1
    assert find(found, "copied").num_hits == 1
    assert find(found, "empty").num_hits == 1
    assert find(found, "subject").num_hits == 1
    characters = sum(map(len, texts)) / sum(map(len, wanted))
    assert find(found, "length_ratio").value == pytest.approx(characters)


def test_twelve_words_of_training_are_no_copy():
    said = " ".join(TRAIN[0].reference.split()[3:15])
    assert find(assess_replies([given([said], ["a"])], train=TRAIN), "copied").num_hits == 0


def test_chrf_and_bleu_are_those_of_sacrebleu():
    replies = make_replies(ROWS, 0.6)
    found = assess_replies([replies], train=TRAIN)
    texts, references = list(replies.texts), [list(replies.references)]
    assert find(found, "chrf_corpus").value == pytest.approx(CHRF().corpus_score(texts, references).score)
    each = [CHRF().sentence_score(text, [wanted]).score for text, wanted in zip(texts, replies.references, strict=True)]
    assert find(found, "chrf").value == pytest.approx(np.mean(each))
    assert find(found, "bleu").value == pytest.approx(BLEU().corpus_score(texts, references).score)
    assert "version:" in find(found, "bleu").method


def test_every_question_weighs_the_same_however_long_its_reference():
    """One long reference that is met, and three short ones that are not: 25 of 100, and more in the figure of the corpus."""
    long = " ".join(ROWS[0].reference.split() * 5)
    found = assess_replies([given([long, "", "", ""], [long, "yes it is", "no", "perhaps"])])
    assert find(found, "chrf").value == pytest.approx(25)
    assert find(found, "chrf_corpus").value > 90


def test_exact_answers_are_counted_where_references_mark_them():
    wanted = ["3 + 4 = 7\n#### 7", "#### 1,200", "#### -5"]
    found = assess_replies([given(["so it is 7.00", "#### 1200 apples", "5"], wanted)])
    assert find(found, "exact").num_hits == 2
    assert "####" in find(found, "exact").method


def test_long_references_have_no_exact_answer():
    assert all(score.metric != "exact" for score in assess_replies([make_replies(ROWS, 0.5)]).scores)


def test_short_references_are_compared_whole():
    found = assess_replies([given(["Yes, sir!", "no"], ["yes sir", "maybe so"])])
    assert find(found, "exact").num_hits == 1


def test_a_better_system_is_better_on_every_figure_and_the_rows_may_come_in_any_order():
    good, bad = make_replies(ROWS, 0.7, loss=1.0), make_replies(ROWS, 0.3, source="before", loss=1.5)
    found = assess_replies([good, bad], train=TRAIN)
    turned = [replace(bad, **{name: getattr(bad, name)[::-1] for name in ("ids", "questions", "references", "texts", "ended")})]
    assert assess_replies([good, *turned], train=TRAIN) == found
    assert paired(found, "chrf", "before").low > 0
    assert paired(found, "loss", "before").high < 0
    assert paired(found, "subject", "before").difference > 0
    assert all(item.p_value < 0.05 for item in found.comparisons)


def test_a_system_is_no_better_than_itself():
    same = assess_replies([make_replies(ROWS, 0.5), replace(make_replies(ROWS, 0.5), source="before")])
    assert [item.p_value for item in same.comparisons] == [1.0, 1.0]
    assert paired(same, "chrf", "before").low is None


def test_copies_of_questions_prove_nothing():
    """The same 30 rows twice are worth 30: the interval stays as it was."""
    once = make_replies(ROWS[:30], 0.6)
    ids = tuple(f"{id} again" for id in once.ids)
    twice = replace(
        once, ids=once.ids + ids, **{name: getattr(once, name) * 2 for name in ("questions", "references", "texts", "ended")}
    )
    units = {id: mine for mine in once.ids for id in (mine, f"{mine} again")}
    alone = find(assess_replies([once]), "chrf")
    found = find(assess_replies([twice], Terms(groups=units, unit="different texts")), "chrf")
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))
    assert "30 different texts" in found.method


def test_few_or_uneven_units_have_no_interval():
    rows = make_replies(ROWS, 0.6)
    few = Terms(groups={id: f"g{number // 4}" for number, id in enumerate(rows.ids)})
    assert find(assess_replies([rows], few), "chrf").low is None, "15 units"
    uneven = Terms(groups=dict.fromkeys(rows.ids[:35], "g"))
    score = find(assess_replies([rows], uneven), "chrf")
    assert score.low is None
    assert "uneven as they are" in score.method


def test_replies_that_name_nothing_asked_are_seen():
    rows = make_replies(ROWS, 1.0)
    turned = with_texts(rows, (*rows.texts[1:], rows.texts[0]))
    found = assess_replies([rows, replace(turned, source="retrieval")])
    assert find(found, "subject").value == 1.0
    assert find(found, "subject", "retrieval").value == 0.0


def test_what_was_forgotten_is_the_relative_rise_of_the_loss():
    """Before 2 nats per token over all texts, after 2.2: 10 % more."""
    ids = tuple(f"text-{number}" for number in range(40))
    before = tuple(ReplyScore(id=id, nats=20.0 + number % 5 - 2, tokens=10, bytes=40) for number, id in enumerate(ids))
    after = tuple(replace(item, nats=1.1 * item.nats) for item in before)
    general = [
        Replies(source=source, split="general", ids=(), questions=(), references=(), texts=(), ended=(), scores=scores)
        for source, scores in (("before", before), ("finetuned", after))
    ]
    score = find(assess_replies([make_replies(ROWS, 0.5), *general]), "forgetting", split="general")
    assert score.value == pytest.approx(0.1)
    assert score.num_examples == 40


def test_other_precisions_of_the_model_are_scored_and_not_compared():
    found = assess_replies([make_replies(ROWS, 0.5), make_replies(ROWS, 0.5, source="chat-int4")])
    assert find(found, "chrf", "chat-int4").value is not None
    assert found.comparisons == ()


def test_loops_and_copies_of_the_references_stand_beside():
    found = assess_replies([make_replies(ROWS, 0.5)], train=TRAIN)
    assert {score.metric for score in found.scores if score.source == "reference"} == {"loops", "copied"}


def test_sources_have_the_same_rows_and_references():
    replies = make_replies(ROWS, 0.5)
    other = replace(replies, source="before", references=("x", *replies.references[1:]))
    with pytest.raises(DataError, match="different references"):
        assess_replies([replies, other])
    with pytest.raises(DataError, match="30 in common"):
        assess_replies([replies, make_replies(ROWS[:30], 0.5, source="before")])
    with pytest.raises(UsageError, match="each source once"):
        assess_replies([replies, replies])


def test_the_judged_model_with_fewer_bits_is_held_against_itself_and_nothing_else():
    rows = make_conversations("validation", 60)
    own = make_replies(rows, 0.6, loss=2.0)
    small = make_replies(rows, 0.4, loss=2.2, source="chat-int4", seed=1)
    found = assess_forms([own, small, make_replies(rows, 0.5, source="before")])
    assert [(item.a, item.b, item.metric) for item in found.comparisons] == [
        ("chat-int4", "finetuned", "chrf"),
        ("chat-int4", "finetuned", "loss"),
    ]
    chrf, loss = found.comparisons
    values = [find(found, "chrf", source, "validation").value for source in ("chat-int4", "finetuned")]
    assert chrf.difference == pytest.approx(values[0] - values[1])
    assert chrf.high < 0 < loss.low
    assert {item.source for item in found.scores} == {"finetuned", "chat-int4"}


def test_without_another_form_there_is_nothing_to_tell():
    found = assess_forms([make_replies(make_conversations("validation", 30), 0.5)])
    assert (found.scores, found.comparisons) == ((), ())
