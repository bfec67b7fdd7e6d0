"""Did pre-training pay: are the gains, their doubt and the words right, with numbers written by hand?"""

import numpy as np
import pytest

from pretune.evaluate.proof import name_of, parse_name, prove
from pretune.records import Predictions, ProofArm

LABELS = tuple(["a", "b"] * 200)


def answers(share, seed):
    """Predictions of which this share is right."""
    generator = np.random.default_rng(seed)
    right = generator.random(len(LABELS)) < share
    other = {"a": "b", "b": "a"}
    return tuple(label if is_right else other[label] for label, is_right in zip(LABELS, right, strict=True))


def predictions(start, num_labels, seed, share, *, draw=None):
    return Predictions(
        source=name_of(start, num_labels, seed), split="test", classes=("a", "b"), ids=tuple(map(str, range(len(LABELS)))),
        labels=LABELS, predicted=answers(share, seed + 10 * num_labels if draw is None else draw),
    )  # fmt: skip


def arm(start, num_labels, seed):
    return ProofArm(source=start, num_labels=num_labels, seed=seed, validation_accuracy=0.5)


def proven(*given, losses=(None, None)):
    arms = [arm(*parse_name(item.source)) for item in given]
    return prove(given, arms, losses=losses)


def test_names_of_sources_come_back():
    assert parse_name(name_of("random", 1000, 2)) == ("random", 1000, 2)


def test_a_clear_gain_is_told_with_its_interval():
    proof = proven(
        *(predictions(start, 100, seed, share) for start, share in (("pretrained", 0.9), ("random", 0.6)) for seed in (0, 1))
    )
    (found,) = proof.comparisons
    assert (found.a, found.b) == ("pretrained@100", "random@100")
    assert found.difference == pytest.approx(found.value_a - found.value_b)
    assert 0.2 < found.low < found.difference < found.high < 0.4
    assert found.p_value < 0.001
    assert "no effect" not in proof.statement
    hits = [arm.test_accuracy for arm in proof.arms if arm.source == "pretrained"]
    assert found.value_a == pytest.approx(sum(hits) / 2)


def test_the_same_answers_show_no_effect():
    proof = proven(*(predictions(start, 100, 0, 0.7, draw=3) for start in ("pretrained", "random")))
    (found,) = proof.comparisons
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert found.low < 0 < found.high
    assert "no effect shown" in proof.statement


def test_the_wrong_yardstick_is_named_where_the_loss_fell_and_the_task_did_not_gain():
    given = [predictions(start, 100, 0, 0.7, draw=draw) for draw, start in enumerate(("pretrained", "random", "before"))]
    said = proven(*given, losses=(4.0, 3.0)).statement
    assert "the language-model loss fell (4.000 to 3.000), but the task did not gain over the checkpoint before" in said
    assert "loss fell" not in proven(*given, losses=(3.0, 3.5)).statement
    gained = [
        predictions("pretrained", 100, 0, 0.95),
        predictions("before", 100, 0, 0.6, draw=9),
        predictions("random", 100, 0, 0.5, draw=8),
    ]
    assert "loss fell" not in proven(*gained, losses=(4.0, 3.0)).statement


def test_p_values_are_adjusted_over_all_comparisons():
    pairs = [predictions(start, size, 0, share, draw=place) for place, (start, size, share) in enumerate(
        [("pretrained", 100, 0.72), ("random", 100, 0.66), ("pretrained", 300, 0.75), ("random", 300, 0.70)])]  # fmt: skip
    both = proven(*pairs).comparisons
    alone = [proven(*pairs[:2]).comparisons[0].p_value, proven(*pairs[2:]).comparisons[0].p_value]
    assert max(item.p_value for item in both) == pytest.approx(max(alone))
    assert min(item.p_value for item in both) == pytest.approx(min(1.0, 2 * min(alone)))


def test_false_alarms_are_as_rare_as_they_should_be():
    starts, alarms = ("pretrained", "random"), 0
    for trial in range(120):
        found = proven(*(predictions(start, 100, 0, 0.7, draw=2 * trial + place) for place, start in enumerate(starts)))
        alarms += found.comparisons[0].p_value < 0.05
    assert alarms <= 13  # 6 expected; more than 13 in one of 200 such tests
