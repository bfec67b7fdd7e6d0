"""ROC and PR area: against scikit-learn, their intervals, and what may not change them."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from judging import CLASSES
from sklearn.metrics import average_precision_score, roc_auc_score

from pretune.evaluate import score_predictions
from pretune.evaluate.areas import area_scores, pr_area, roc_area
from pretune.evaluate.codes import rows_of
from pretune.records import Predictions, Score, Terms


def ranked(is_positive, shares, classes=CLASSES):
    """Predictions of "pos" with these probabilities."""
    shares = np.clip(np.asarray(shares, float), 0, 1)
    return Predictions(
        source="finetuned", split="test", classes=classes, ids=tuple(map(str, range(len(shares)))),
        labels=tuple(classes[int(item)] for item in is_positive), predicted=tuple(classes[int(item > 0.5)] for item in shares),
        probabilities=tuple((1 - item, item) for item in shares.tolist()),
    )  # fmt: skip


def drawn(size, share, distance, generator):
    """Binormal scores whose ROC area is Φ(distance / √2), as probabilities."""
    is_positive = generator.random(size) < share
    scores = generator.normal(size=size) + distance * is_positive
    return is_positive, 1 / (1 + np.exp(-scores))


def areas_of(predictions):
    """The two areas alone, which is fast."""
    make = partial(Score, split="test", source="finetuned", confidence=0.95, look=1)
    return area_scores(make, rows_of(predictions), "pos")


def find(scores, metric):
    return next(score for score in scores if score.metric == metric)


rows = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60).filter(
    lambda items: 0 < sum(item[0] for item in items) < len(items)
)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_areas_are_those_of_scikit_learn_ties_included(items):
    is_positive, shares = np.array([item[0] for item in items]), np.array([item[1] for item in items]) / 8
    assert roc_area(is_positive, shares).value == pytest.approx(roc_auc_score(is_positive, shares))
    assert pr_area(is_positive, shares).value == pytest.approx(average_precision_score(is_positive, shares))


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_changes_no_figure(items, generator):
    moved = items[:]
    generator.shuffle(moved)
    before, after = ([(s.value, s.low, s.high) for s in score_predictions(ranked(*zip(*rows_, strict=True)))] for rows_ in
                     ([(y, x / 8) for y, x in items], [(y, x / 8) for y, x in moved]))  # fmt: skip
    for old, new in zip(before, after, strict=True):
        assert [item is None for item in old] == [item is None for item in new]
        assert [item for item in old if item is not None] == pytest.approx([item for item in new if item is not None], abs=1e-7)


@pytest.mark.parametrize("measure", [roc_area, pr_area])
def test_a_pull_is_what_a_little_more_weight_of_a_row_does(measure):
    """Rows repeated 400 times, but one 401 times: the area moves by its pull over the number of rows."""
    is_positive, shares = drawn(30, 0.4, 1.0, np.random.default_rng(1))
    shares = np.round(shares, 1)  # with ties
    area, times = measure(is_positive, shares), np.full(30, 400)
    for row in (0, 7, 19):
        more = times.copy()
        more[row] += 1
        moved = measure(np.repeat(is_positive, more), np.repeat(shares, more)).value
        assert (moved - area.value) * 400 * 30 == pytest.approx(area.pulls[row], abs=0.01)


@pytest.mark.parametrize(("size", "share", "distance"), [(60, 0.5, 1.5), (500, 0.06, 2.66), (400, 0.3, 0.5)])
def test_the_interval_of_the_roc_area_covers_the_truth(size, share, distance):
    """400 draws each. With few positives that all rank high, DeLong's interval alone would cover 87 % in the second case."""
    generator, truth = np.random.default_rng(0), 0.5 * (1 + math.erf(distance / 2))
    found = [areas_of(ranked(*drawn(size, share, distance, generator)))[0] for _ in range(400)]
    assert np.mean([score.low <= truth <= score.high for score in found if score.low is not None]) > 0.925


def test_the_interval_of_the_pr_area_covers_the_truth():
    generator = np.random.default_rng(0)
    truth = pr_area(*drawn(2_000_000, 0.1, 1.5, generator)).value
    found = [areas_of(ranked(*drawn(400, 0.1, 1.5, generator)))[1] for _ in range(400)]
    assert np.mean([score.low <= truth <= score.high for score in found if score.low is not None]) > 0.925


def test_a_perfect_ranking_is_not_certain():
    """Of 25 pairs that share no row all are in order: their probability may still be 0.025 ** (1 / 25)."""
    is_positive = [True] * 25 + [False] * 40
    score = find(score_predictions(ranked(is_positive, [0.9] * 25 + [0.1] * 40)), "roc_area")
    assert (score.value, score.high) == (1.0, 1.0)
    assert score.low == pytest.approx(0.025 ** (1 / 25))


def test_a_model_that_says_the_same_of_all_rows_ranks_nothing():
    score = find(score_predictions(ranked([True] * 30 + [False] * 30, [0.3] * 60)), "roc_area")
    assert (score.value, score.low, score.method) == (0.5, None, "no interval: all rows have the same probabilities")


def test_the_area_of_the_other_class_is_the_same_and_that_of_turned_scores_is_the_rest():
    is_positive, shares = drawn(200, 0.4, 1.0, np.random.default_rng(0))
    area, other, turned = roc_area(is_positive, shares), roc_area(~is_positive, 1 - shares), roc_area(is_positive, 1 - shares)
    assert area.value == pytest.approx(other.value) == pytest.approx(1 - turned.value)
    assert np.allclose(area.pulls, other.pulls)


def test_a_class_without_rows_has_no_area_and_leaves_the_mean():
    generator = np.random.default_rng(0)
    shares = generator.dirichlet([1, 1, 1], size=90)
    labels = generator.choice(["a", "b"], size=90)
    made = Predictions(
        source="m", split="test", classes=("a", "b", "c"), ids=tuple(map(str, range(90))), labels=tuple(labels.tolist()),
        predicted=tuple(labels.tolist()), probabilities=tuple(map(tuple, shares.tolist())),
    )  # fmt: skip
    score = find(score_predictions(made), "roc_area")
    assert score.value == pytest.approx(
        np.mean([roc_area(labels == name, shares[:, at]).value for at, name in enumerate("ab")])
    )
    assert (score.low, score.method) == (None, "no interval: the rarer class has 0 rows, 20 are needed")
    alone = replace(made, labels=("a",) * 90)
    assert find(score_predictions(alone), "roc_area").method == "undefined: all rows are of one class"
    assert find(score_predictions(made, Terms(positive="c")), "pr_area").method == "undefined: no row is c"


def test_fewer_than_twenty_rows_give_a_value_but_no_interval():
    is_positive, shares = drawn(300, 0.5, 1.0, np.random.default_rng(0))
    kept = np.r_[np.flatnonzero(is_positive)[:19], np.flatnonzero(~is_positive)]
    score = find(score_predictions(ranked(is_positive[kept], shares[kept])), "roc_area")
    assert score.value is not None
    assert (score.low, "19 rows, 20 are needed" in score.method) == (None, True)
