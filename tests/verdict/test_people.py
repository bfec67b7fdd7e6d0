"""A margin to people, and gates that ask for more than people agree."""

import numpy as np
import pytest
from judging import clean_findings, from_pairs

from pretune.configs import JudgeConfig
from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.evaluate.people import beside_people
from pretune.records import Terms, Votes
from pretune.verdict import decide
from pretune.verdict.policy import DEFAULT, policy_of

CLASSES = ("neg", "pos")


def verdict(quality: float, model: float, *, num: int = 2_000, **asked: float):
    """Judge a model beside three annotators, each right with a probability of their own."""
    generator = np.random.default_rng(0)
    truth = generator.integers(2, size=num)
    said = np.where(generator.random((num, 4)) < [quality] * 3 + [model], truth[:, None], 1 - truth[:, None])
    names = np.array(CLASSES, object)[said]
    labels = [max(CLASSES, key=list(row[:3]).count) for row in names]
    predictions = from_pairs(list(zip(labels, names[:, 3], strict=True)))
    votes = Votes(columns=("v",), by_row={id: tuple(row[:3]) for id, row in zip(predictions.ids, names, strict=True)})
    policy = policy_of(JudgeConfig(votes=("v",), **asked))
    evaluation = beside_people(evaluate_sources([predictions], main="finetuned"), votes, predictions, Terms())
    return decide(evaluation, clean_findings(policy), policy)


@pytest.mark.parametrize(("model", "holds"), [(0.90, True), (0.75, False), (0.825, None)])
def test_a_model_may_be_worse_than_a_person_by_less_than_the_margin(model, holds):
    reason = next(item for item in verdict(0.85, model, human_margin=0.02).reasons if item.name == "finetuned-person")
    assert reason.holds is holds
    assert "agreement less that of a person is" in reason.text


def test_a_gate_above_the_ceiling_says_so_and_one_below_does_not():
    high = next(item for item in verdict(0.8, 0.8, min_accuracy=0.9).reasons if item.name == "accuracy")
    assert high.holds is False
    assert "so this gate asks for more than people agree" in high.text
    low = next(item for item in verdict(0.8, 0.6, min_accuracy=0.7).reasons if item.name == "accuracy")
    assert low.holds is False
    assert "people agree" not in low.text


def test_a_margin_to_people_needs_their_votes_and_rows_without_them_leave_it_open():
    with pytest.raises(UsageError, match="without their votes"):
        policy_of(JudgeConfig(human_margin=0.02))
    with pytest.raises(UsageError, match="--votes with --prevalence"):
        policy_of(JudgeConfig(votes=("v",), prevalence="0.1", positive="pos"))
    policy = policy_of(JudgeConfig(votes=("v",), human_margin=0.02))
    alone = evaluate_sources([from_pairs([("pos", "pos")] * 50 + [("neg", "neg")] * 50)], main="finetuned")
    reason = next(item for item in decide(alone, clean_findings(policy), policy).reasons if item.name == "margin-a person")
    assert reason.holds is None
    assert "no row of the test has votes" in reason.text


def test_a_policy_file_may_hold_votes_and_margin(tmp_path):
    file = tmp_path / "p.toml"
    text = DEFAULT.read_text(encoding="utf-8")
    file.write_text(text.replace("[rows_needed]", 'votes = ["ann", "ben"]\nnot_worse = { person = 0.05 }\n\n[rows_needed]', 1))
    policy = policy_of(JudgeConfig(policy=str(file)))
    assert (policy.votes, policy.not_worse) == (("ann", "ben"), {"person": 0.05})
