"""All sources side by side."""

import time
from dataclasses import replace

import numpy as np
import pytest
from judging import CLASSES, constant, evaluation_of, from_counts, noisy

from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.records import Evaluation, Predictions, Terms


def test_the_judged_source_comes_first_and_is_compared_with_each_other():
    model = from_counts(90, 15, 10, 85)
    found = evaluate_sources([constant(model), noisy(model, 0.7), model], main="finetuned")
    assert (found.main, found.scores[0].source) == ("finetuned", "finetuned")
    assert [item.name for item in found.comparisons] == ["finetuned-majority", "finetuned-linear"]
    assert [item.source for item in found.confusions] == ["finetuned", "majority", "linear"]


def test_f1_is_compared_too_where_accuracy_misleads():
    metrics = [item.metric for item in evaluation_of(from_counts(30, 10, 20, 940), positive=None).comparisons]
    assert metrics == ["accuracy", "f1[macro]"] * 2


def test_it_unpacks_to_loss_and_accuracy():
    model = replace(from_counts(90, 15, 10, 85), probabilities=((0.5, 0.5),) * 200)
    loss, accuracy = evaluate_sources([model], main="finetuned")
    assert (loss, accuracy) == (pytest.approx(np.log(2)), 0.875)


def test_it_survives_a_trip_through_json():
    found = evaluation_of(from_counts(90, 15, 10, 85))
    assert Evaluation.from_json(found.to_json()) == found


@pytest.mark.parametrize("main", ["nobody", "linear"])
def test_the_judged_source_must_be_there_once(main):
    model = from_counts(9, 1, 1, 9)
    with pytest.raises(UsageError, match="sources"):
        evaluate_sources([model, noisy(model, 0.7), noisy(model, 0.7)], main=main)


def test_a_hundred_thousand_rows_with_10_000_resamples_take_three_seconds_of_the_processor():
    generator = np.random.default_rng(0)
    labels = generator.random(100_000) < 0.1
    logits = generator.normal(size=100_000) * 1.5 + 3 * labels - 2
    shares = 1 / (1 + np.exp(-logits))
    names = [tuple(CLASSES[int(item)] for item in column) for column in (labels, shares > 0.5)]
    ids, table = tuple(map(str, range(100_000))), tuple(zip((1 - shares).tolist(), shares.tolist(), strict=True))
    model = Predictions(
        source="finetuned", split="test", classes=CLASSES, ids=ids, labels=names[0], predicted=names[1], probabilities=table
    )
    start = time.process_time()
    found = evaluate_sources([model, constant(model)], Terms(positive="pos"), main="finetuned")
    assert time.process_time() - start < 3  # about 0.7 s
    assert all(score.low < score.value < score.high for score in found.scores if score.source == "finetuned")


def test_groups_reach_scores_and_comparisons():
    model = from_counts(90, 15, 10, 85)
    groups = {name: f"group {number // 4}" for number, name in enumerate(model.ids)}
    found = evaluate_sources([model, noisy(model, 0.7)], Terms(positive="pos", groups=groups), main="finetuned")
    assert all("groups" in score.method for score in found.scores if score.metric in ("accuracy", "mcc", "f1"))
    assert all("groups exchanged" in item.method for item in found.comparisons)
