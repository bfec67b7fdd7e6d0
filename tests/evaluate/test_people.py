"""How often do people agree, and is a model worse than one of them?"""

from dataclasses import replace

import numpy as np
import pytest
from judging import from_pairs

from pretune.evaluate import evaluate_sources
from pretune.evaluate.people import beside_people, compare_with_person, hold_votes, score_people
from pretune.records import AGREEMENT, PERSON, Terms, Votes

CLASSES = ("neg", "pos")


def votes_of(*rows: tuple[str, ...]) -> Votes:
    return Votes(columns=("v",), by_row={f"row-{number}": row for number, row in enumerate(rows)})


def drawn(num: int, quality: float, model: float, *, annotators: int = 3, seed: int = 0):
    """Return votes and answers that are right with these probabilities, each vote and answer by itself."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(2, size=num)
    said = np.where(
        generator.random((num, annotators + 1)) < [quality] * annotators + [model], truth[:, None], 1 - truth[:, None]
    )
    names = np.array(CLASSES, object)[said]
    labels = [max(CLASSES, key=list(row[:annotators]).count) for row in names]
    return votes_of(*(tuple(row[:annotators]) for row in names)), from_pairs(list(zip(labels, names[:, -1], strict=True)))


def test_each_vote_is_held_against_the_majority_of_the_others():
    held = hold_votes({"1": ("pos", "pos", "pos", "neg"), "2": ("pos", "neg")}, ["1", "2"], CLASSES, Terms())
    votes = sorted(zip(held.row.tolist(), held.said.tolist(), held.target.tolist(), held.weight.tolist(), strict=True))
    # row 1: each pos sees two pos and a neg, the neg sees three pos; row 2: each sees the other one
    assert votes == [(0, 0, 1, 1.0), (0, 1, 1, 3.0), (1, 0, 1, 1.0), (1, 1, 0, 1.0)]


def test_a_vote_whose_others_are_tied_is_left_out():
    held = hold_votes({"1": ("pos", "pos", "neg")}, ["1"], CLASSES, Terms())
    assert (held.said.tolist(), held.target.tolist()) == ([0], [1])  # of each pos the others are a pos and a neg


def test_a_person_has_the_figures_of_all_votes_worked_out_by_hand():
    votes, model = (
        votes_of(*[("pos",) * 4] * 30, *[("pos", "pos", "pos", "neg")] * 30, *[("neg",) * 4] * 30),
        from_pairs([("pos", "pos")] * 60 + [("neg", "neg")] * 30),
    )
    found = {score.name: score for score in score_people(votes, model, Terms(positive="pos"))}
    assert found["accuracy"].value == pytest.approx(330 / 360)  # one of four votes of 30 rows says neg where the others say pos
    assert found["recall[pos]"].value == pytest.approx(210 / 240)
    assert found["precision[pos]"].value == pytest.approx(1.0)
    assert found["f1[pos]"].value == pytest.approx(2 * 210 / (240 + 210))
    assert found["accuracy"].low < 330 / 360 < found["accuracy"].high
    assert {score.source for score in found.values()} == {PERSON}


def test_a_model_that_answers_as_a_further_annotator_does_is_neither_better_nor_worse():
    found = compare_with_person(*drawn(20_000, 0.85, 0.85), Terms())
    assert found.metric == AGREEMENT
    assert abs(found.difference) < 0.005
    assert found.low < 0 < found.high


@pytest.mark.parametrize(("model", "sign"), [(0.95, 1), (0.70, -1)])
def test_a_model_is_better_or_worse_than_a_person(model, sign):
    found = compare_with_person(*drawn(1_000, 0.85, model), Terms())
    assert sign * found.difference > 0
    assert found.low * found.high > 0
    assert found.p_value < 0.01


def test_few_differences_still_have_an_interval_and_few_rows_have_none():
    assert compare_with_person(*drawn(60, 0.99, 0.99), Terms()).low is not None
    few = compare_with_person(*drawn(19, 0.85, 0.85), Terms())
    assert few is None or few.low is None


def test_intervals_of_a_person_and_of_the_difference_cover():
    """95 % of 200, and four standard errors."""
    truth = score_people(*drawn(100_000, 0.9, 0.9, seed=99), Terms())[0].value
    covered = []
    for seed in range(200):
        votes, model = drawn(200, 0.9, 0.9, seed=seed)
        person, gain = score_people(votes, model, Terms())[0], compare_with_person(votes, model, Terms())
        covered.append((person.low <= truth <= person.high, gain.low <= 0 <= gain.high))
    assert (np.mean(covered, axis=0) > 0.885).all()


def test_rows_of_a_unit_widen_the_intervals():
    votes, model = drawn(400, 0.85, 0.8)
    copies = Votes(columns=("v",), by_row={f"{row}-{copy}": said for row, said in votes.by_row.items() for copy in range(4)})
    ids = tuple(f"{row}-{copy}" for row in model.ids for copy in range(4))
    fourfold = replace(model, ids=ids, labels=tuple(np.repeat(model.labels, 4)), predicted=tuple(np.repeat(model.predicted, 4)))
    terms = Terms(groups={row: row.rpartition("-")[0] for row in ids}, unit="different texts")
    once, together = score_people(votes, model, Terms())[0], score_people(copies, fourfold, terms)[0]
    assert together.value == pytest.approx(once.value)
    assert together.high - together.low == pytest.approx(once.high - once.low, rel=0.02)
    gains = compare_with_person(votes, model, Terms()), compare_with_person(copies, fourfold, terms)
    assert gains[1].high - gains[1].low == pytest.approx(gains[0].high - gains[0].low, rel=0.02)


def test_people_stand_beside_the_model_and_rows_without_votes_change_nothing():
    votes, model = drawn(200, 0.85, 0.85)
    evaluation = evaluate_sources([model], main="finetuned")
    assert beside_people(evaluation, votes_of(), model, Terms()) == evaluation
    found = beside_people(evaluation, votes, model, Terms())
    assert found.main == "finetuned"
    assert [score.name for score in found.scores if score.source == PERSON] == [
        "accuracy",
        "precision[macro]",
        "recall[macro]",
        "f1[macro]",
    ]
    assert [item.name for item in found.comparisons] == ["finetuned-person"]
