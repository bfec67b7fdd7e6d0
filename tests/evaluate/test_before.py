"""Precision and recall before and after adaptation, on the same rows."""

from dataclasses import replace

import numpy as np
import pytest
from judging import from_pairs
from scipy.stats import binomtest

from pretune.errors import DataError
from pretune.evaluate import evaluate_sources
from pretune.evaluate.before import compare_shares
from pretune.records import Terms


def sources(cells):
    """``cells``: (label, a, b) -> rows."""
    rows = [cell for cell, count in cells.items() for _ in range(count)]
    a = from_pairs([(label, said) for label, said, _ in rows])
    return a, from_pairs([(label, said) for label, _, said in rows], source="before")


CELLS = {
    ("pos", "pos", "pos"): 60, ("pos", "pos", "neg"): 24, ("pos", "neg", "pos"): 8, ("pos", "neg", "neg"): 8,
    ("neg", "neg", "neg"): 80, ("neg", "pos", "pos"): 8, ("neg", "neg", "pos"): 10, ("neg", "pos", "neg"): 2,
}  # fmt: skip


def test_the_values_are_those_of_the_two_tables():
    a, b = sources(CELLS)
    recall = compare_shares(a, b, "recall", Terms(positive="pos"))
    precision = compare_shares(a, b, "precision", Terms(positive="pos"))
    assert (recall.value_a, recall.value_b) == pytest.approx((0.84, 0.68))
    assert (precision.value_a, precision.value_b) == pytest.approx((84 / 94, 68 / 86))
    for found in (recall, precision):
        assert found.low < found.difference < found.high


def test_recall_is_tested_as_mcnemar_does_on_the_positive_rows():
    found = compare_shares(*sources(CELLS), "recall", Terms(positive="pos"))
    assert found.p_value == pytest.approx(binomtest(8, 32).pvalue, abs=0.004)  # 10,000 draws


def test_two_sources_that_agree_everywhere_are_not_proven_equal():
    a, _ = sources(CELLS)
    found = compare_shares(a, replace(a, source="before"), "precision", Terms(positive="pos"))
    assert (found.difference, found.p_value) == (0, 1)
    assert found.low < 0 < found.high


def test_the_mean_over_the_classes_is_that_of_both_classes():
    found = compare_shares(*sources(CELLS), "recall", Terms(positive=None))
    assert found.metric == "recall[macro]"
    assert found.value_a == pytest.approx((0.84 + 0.90) / 2)


def test_without_a_positive_row_there_is_nothing_to_compare():
    a, b = sources({("neg", "neg", "pos"): 30})
    with pytest.raises(DataError, match="no row is pos"):
        compare_shares(a, b, "recall", Terms(positive="pos"))


@pytest.mark.parametrize("positive", ["pos", None])
def test_evaluation_compares_precision_and_recall_with_before_only(positive):
    a, b = sources(CELLS)
    found = evaluate_sources([a, b, replace(b, source="linear")], Terms(positive=positive), main="finetuned")
    label = positive or "macro"
    on_shares = {(item.b, item.metric) for item in found.comparisons if item.metric.startswith(("precision", "recall"))}
    assert on_shares == {("before", f"precision[{label}]"), ("before", f"recall[{label}]")}


@pytest.mark.parametrize("metric", ["precision", "recall"])
def test_equal_sources_are_called_different_about_as_often_as_stated(metric):
    """80 pairs of equally good sources, 4 of which are expected; 11 is three standard errors above."""
    generator, alarms = np.random.default_rng(3), 0
    for _ in range(80):
        counts = generator.multinomial(300, np.array([60, 12, 12, 16, 8, 16, 16, 160]) / 300)
        keys = [(label, a, b) for label in ("pos", "neg") for a in ("pos", "neg") for b in ("pos", "neg")]
        found = compare_shares(*sources(dict(zip(keys, counts.tolist(), strict=True))), metric, Terms(positive="pos"))
        alarms += found.p_value <= 0.05
    assert alarms <= 11
