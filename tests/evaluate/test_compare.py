"""Paired comparisons: against scipy, without false alarms, and with the power that pairing gives."""

from dataclasses import replace

import numpy as np
import pytest
from judging import constant, from_counts, from_pairs, noisy
from scipy.stats import binom, binomtest

from pretune.errors import DataError
from pretune.evaluate import compare, compare_f1
from pretune.evaluate.compare import difference_interval, mcnemar_p_value
from pretune.records import Terms


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (9, 1), (30, 12), (5, 5)])
def test_the_p_value_is_the_exact_binomial_one_less_half_of_what_came_on_either_side(only_a, only_b):
    total = only_a + only_b
    expected = binomtest(only_a, total).pvalue - binom.pmf(only_a, total, 0.5) if only_a != only_b else 1.0
    assert mcnemar_p_value(only_a, only_b) == pytest.approx(expected)


def test_only_rows_that_differ_count():
    """A alone is right on 6 rows, b alone on 1; the other 93 say nothing about which is better."""
    labels = ["pos"] * 100
    a = from_pairs(list(zip(labels, ["pos"] * 90 + ["neg"] * 10, strict=True)))
    b = from_pairs(list(zip(labels, ["pos"] * 84 + ["neg"] * 6 + ["pos"] + ["neg"] * 9, strict=True)), source="linear")
    found = compare(a, b)
    assert (found.value_a, found.value_b, found.difference) == (0.90, 0.85, pytest.approx(0.05))
    assert found.p_value == pytest.approx((2 * 1 + 7) / 2**7)
    assert found.low < 0.05 < found.high
    assert found.name == "finetuned-linear"


def test_the_order_of_rows_does_not_matter():
    a = from_counts(40, 10, 10, 40)
    b = noisy(a, 0.7)
    turned = replace(b, ids=b.ids[::-1], labels=b.labels[::-1], predicted=b.predicted[::-1])
    assert compare(a, b) == compare(a, turned)
    assert compare_f1(a, b, Terms(positive="pos")) == compare_f1(a, turned, Terms(positive="pos"))


def test_two_that_agree_everywhere_are_not_proven_equal():
    a = from_counts(40, 10, 10, 40)
    for found in (compare(a, replace(a, source="twin")), compare_f1(a, replace(a, source="twin"), Terms(positive="pos"))):
        assert (found.difference, found.p_value) == (0, 1.0)
        assert found.low < 0 < found.high


def test_the_interval_of_the_difference_covers_the_truth():
    """4,000 draws of 300 rows: a alone right on 12 %, b alone on 6 %."""
    draws = np.random.default_rng(0).multinomial(300, [0.12, 0.06, 0.82], size=4000)
    ends = [difference_interval(int(a), int(b), 300, 0.95) for a, b, _ in draws]
    assert 0.935 < np.mean([low <= 0.06 <= high for low, high in ends]) < 0.975


@pytest.mark.parametrize("positive", ["pos", None])
def test_f1_of_rare_rows_tells_apart_what_accuracy_cannot(positive):
    """Of 40 rare rows in 2,000 the model finds 30, the constant answer none: 1.5 points of accuracy, but all of F1."""
    model = from_counts(30, 5, 10, 1955)
    found = compare_f1(model, constant(model), Terms(positive=positive))
    assert found.metric == f"f1[{positive or 'macro'}]"
    assert found.value_a - found.value_b == pytest.approx(found.difference)
    assert found.low > 0.3
    assert found.p_value <= 0.001


def test_f1_rarely_calls_equal_models_different():
    """Both are right with the same probability: of 120 pairs about 5 % may differ by chance."""
    truth = from_counts(100, 0, 0, 200)
    alarms = 0
    for seed in range(120):
        a, b = noisy(truth, 0.8, source="a", seed=seed), noisy(truth, 0.8, source="b", seed=1000 + seed)
        found = compare_f1(a, b, Terms(positive="pos"))
        alarms += found.p_value <= 0.05
        assert (found.low > 0) + (found.high < 0) <= 1
    assert alarms <= 12


def test_too_few_rare_rows_give_a_p_value_but_no_interval():
    model = from_counts(10, 2, 2, 200)
    found = compare_f1(model, constant(model), Terms(positive="pos"))
    assert (found.low, found.high) == (None, None)
    assert "12 rows, 20 are needed" in found.method
    assert found.p_value < 0.01


def test_f1_of_a_class_without_rows_cannot_be_compared():
    model = from_counts(0, 5, 0, 200)
    with pytest.raises(DataError, match="no row is pos"):
        compare_f1(model, constant(model), Terms(positive="pos"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: replace(b, ids=("other", *b.ids[1:])), "99 in common"),
        (lambda b: replace(b, labels=("neg", *b.labels[1:])), "row-0 has different labels"),
        (lambda b: replace(b, classes=("pos", "neg")), "classes"),
    ],
)
def test_only_the_same_rows_can_be_compared(change, message):
    a = from_counts(40, 10, 10, 40)
    with pytest.raises(DataError, match=message):
        compare(a, change(noisy(a, 0.7)))
