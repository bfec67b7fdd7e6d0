"""Why fine-tune, why not from scratch, what was forgotten: answered from the figures of the run itself."""

from dataclasses import replace

import pytest

from pretune.records import ChatFacts, Comparison, History, ReplyCounts, RunRecord, Score, Verdict
from pretune.records.conversation import Decoding
from pretune.records.judgement import Outcome
from pretune.report.asked_of_tuning import answer_questions

COUNTS = ReplyCounts(
    split="train", num_conversations=10, num_used=10, num_replies=10, num_tokens=2_000_000, num_targets=1_500_000, num_cut=0,
    num_beyond=0, num_refused=0, max_length=512,
)  # fmt: skip


def compared(metric, difference, low, high):
    return Comparison(
        metric=metric, split="test", a="finetuned", b="before", value_a=30 + difference, value_b=30, difference=difference,
        low=low, high=high, confidence=0.95, p_value=0.01, method="", num_examples=250,
    )  # fmt: skip


def forgot(value, low, high):
    return Score(
        metric="forgetting", label=None, split="instructions", source="finetuned", value=value, low=low, high=high,
        confidence=0.95, method="it was not read", num_examples=200,
    )  # fmt: skip


@pytest.fixture
def record():
    return RunRecord(
        run="a", status="judged", task="converse", verdict=Verdict(outcome=Outcome.SHIP, summary="", reasons=()),
        chat=ChatFacts(decoding=Decoding(), counts=(COUNTS,)),
        history=History(steps=(), validations=(), monitor="loss", best_epoch=None, best_step=None, num_weights=100_000_000),
        comparisons=(compared("chrf", 6.2, 4.0, 8.4), compared("loss", -0.7, -0.8, -0.6)),
        scores=(forgot(0.02, -0.01, 0.05),),
    )  # fmt: skip


def test_the_model_as_it_came_is_compared_on_the_same_questions(record):
    answer = dict(answer_questions(record))["Why fine-tune, and not use the model as it came?"]
    assert "250 test questions" in answer
    assert "chrF 30.00 as it came, 36.20 fine-tuned: clearly better (+6.20, +4.00 to +8.40)" in answer
    assert "29.30 fine-tuned: clearly better (-0.70" in answer, "less is better of a loss"


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (compared("chrf", -6.0, -8.0, -4.0), "clearly worse"),
        (compared("chrf", 1.0, -1.0, 3.0), "no clear difference"),
        (compared("loss", 0.5, 0.4, 0.6), "clearly worse"),
    ],
)
def test_what_is_worse_or_open_is_said_so(record, gain, said):
    assert said in answer_questions(replace(record, comparisons=(gain,)))[0][1]


def test_tokens_are_compared_with_what_a_model_of_that_size_wants(record):
    answer = dict(answer_questions(record))["Why not train from scratch?"]
    assert "100 million weights wants about 2.0 billion tokens" in answer
    assert "2.00 million, 0.10% of that" in answer


def test_what_was_forgotten_is_told_or_how_to_measure_it(record):
    assert answer_questions(record)[2][1] == "The loss on instructions changed by +2.0% (-1.0% to +5.0%); less is better."
    assert "--general" in answer_questions(replace(record, scores=()))[2][1]
    assert "it was not read" in answer_questions(replace(record, scores=(forgot(None, None, None),)))[2][1]


def test_nothing_is_answered_before_the_verdict(record):
    assert answer_questions(replace(record, verdict=None)) == ()
