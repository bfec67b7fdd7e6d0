"""Two sources on every figure: right values, no false alarms, and the correction for many questions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from judging import constant, from_counts, noisy
from sklearn.metrics import balanced_accuracy_score, log_loss, matthews_corrcoef, precision_score, recall_score, roc_auc_score

from pretune.errors import DataError, UsageError
from pretune.evaluate import compare_metrics, deciding_metric
from pretune.evaluate.compare import holm
from pretune.evaluate.paired import compare_named, pair
from pretune.evaluate.pairs import sign_flip_p_value
from pretune.records import Predictions, Terms

CLASSES = ("a", "b", "c")


def made(labels, logits, source, classes=CLASSES) -> Predictions:
    """Predictions from logits, shape (num_examples, num_classes)."""
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(
        source=source, split="test", classes=classes, ids=tuple(f"row {index}" for index in range(len(labels))),
        labels=tuple(classes[item] for item in labels), predicted=tuple(classes[item] for item in shares.argmax(axis=1)),
        probabilities=tuple(map(tuple, shares.tolist())),
    )  # fmt: skip


def two(size=240, gain=0.0, classes=CLASSES, seed=0) -> tuple[Predictions, Predictions]:
    """Two models of the same labels; ``gain`` is what the first one's logits know more."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(len(classes), size=size)
    hot = np.eye(len(classes))[labels]
    logits = [generator.normal(size=(size, len(classes))) + hot * strength for strength in (1.2 + gain, 1.2)]
    return made(labels, logits[0], "first", classes), made(labels, logits[1], "second", classes)


def test_every_value_is_that_of_scikit_learn():
    a, b = two()
    found = {item.metric: item for item in compare_metrics(a, b)}
    assert list(found) == [
        "accuracy", "f1[macro]", "precision[macro]", "balanced_accuracy", "mcc", "roc_area", "loss", "brier",
    ]  # fmt: skip
    for side, model in (("value_a", a), ("value_b", b)):
        shares = np.array(model.probabilities)
        expected = {
            "mcc": matthews_corrcoef(a.labels, model.predicted),
            "balanced_accuracy": balanced_accuracy_score(a.labels, model.predicted),
            "precision[macro]": precision_score(a.labels, model.predicted, average="macro"),
            "roc_area": roc_auc_score(a.labels, shares, multi_class="ovr"),
            "loss": log_loss(a.labels, shares, labels=list(CLASSES)),
        }
        assert {name: getattr(found[name], side) for name in expected} == pytest.approx(expected)


def test_with_a_positive_class_its_precision_and_recall_are_compared():
    a = from_counts(30, 10, 20, 240)
    b = noisy(a, 0.8)
    found = {item.metric: item for item in compare_metrics(a, b, Terms(positive="pos"))}
    assert list(found) == ["f1[pos]", "accuracy", "precision[pos]", "recall[pos]", "balanced_accuracy", "mcc"]
    assert found["recall[pos]"].value_b == recall_score(b.labels, b.predicted, pos_label="pos")
    assert found["recall[pos]"].num_examples == 50
    assert "mid-p McNemar" in found["recall[pos]"].method


@given(st.integers(0, 10_000), st.floats(0, 1.5))
@settings(max_examples=8, deadline=None)
def test_exchanging_the_two_turns_every_sign_and_no_p_value(seed, gain):
    a, b = two(150, gain, seed=seed)
    for one, other in zip(compare_metrics(a, b), compare_metrics(b, a), strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert one.p_value == pytest.approx(other.p_value)
        assert (one.low is None) == (other.low is None)
        assert one.low is None or (one.low, one.high) == pytest.approx((-other.high, -other.low))


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(max_examples=6, deadline=None)
def test_the_order_of_rows_changes_no_comparison(seed, generator):
    a, b = two(150, seed=seed)
    order = list(range(150))
    generator.shuffle(order)
    fields = ("ids", "labels", "predicted", "probabilities")
    moved = [replace(item, **{name: tuple(getattr(item, name)[row] for row in order) for name in fields}) for item in (a, b)]
    for one, other in zip(compare_metrics(a, b), compare_metrics(moved[0], b), strict=True):
        assert (one.difference, one.p_value) == pytest.approx((other.difference, other.p_value))
        assert (one.low is None) == (other.low is None)
        assert one.low is None or (one.low, one.high) == pytest.approx((other.low, other.high))


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_two_that_are_the_same_differ_by_nothing_and_are_not_proven_equal(seed):
    a, _ = two(300, seed=seed)
    for found in compare_metrics(a, replace(a, source="twin")):
        assert (found.difference, found.p_value) == (0, 1.0)
        assert found.low is None or found.low < 0 < found.high
        assert found.low is not None or found.metric in ("loss", "brier")


def test_a_clear_gain_is_seen_in_every_figure():
    better, worse = two(400, 1.5)
    for found in compare_metrics(better, worse):
        assert found.p_value < 0.01
        assert (found.high < 0) if found.metric in ("loss", "brier") else (found.low > 0)


def test_equal_models_rarely_differ_whatever_the_figure():
    """80 pairs: the p value alone is at most 0.05 in about 4; 10 would come by chance once in 150 times."""
    alarms = dict.fromkeys(["accuracy", "f1[macro]", "mcc", "roc_area", "loss"], 0)
    for seed in range(80):
        paired = pair(*two(150, seed=seed, classes=("a", "b")), Terms(confidence=0.95))
        for found in compare_named(paired, list(alarms)):
            alarms[found.metric] += found.p_value <= 0.05
    assert max(alarms.values()) <= 9


def test_the_interval_of_a_difference_of_areas_covers_the_truth():
    """Two equal models: 0 lies in 95 of 100 intervals."""
    found = [compare_metrics(*two(150, seed=seed, classes=("a", "b")), metrics=["roc_area"])[0] for seed in range(200)]
    assert np.mean([item.low <= 0 <= item.high for item in found]) > 0.915


def test_the_first_is_tested_alone_and_the_others_are_corrected_together():
    first, *others = compare_metrics(*two(300, 0.35))
    assert "Holm" not in first.method
    assert all("Holm over 7 figures (alone p = " in item.method for item in others)
    (alone,) = compare_metrics(*two(300, 0.35), metrics=["loss"])
    corrected = next(item for item in others if item.metric == "loss")
    assert corrected.p_value >= alone.p_value
    assert "Holm" not in alone.method


def test_holm_against_a_table_worked_by_hand():
    """0.01 * 4, then 0.02 * 3 = 0.06, then 0.03 * 2 stays at 0.06, then 0.5."""
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_sign_flips_are_the_exact_test_where_few_differ():
    """Five differences of 1: all signs alike in 2 of 32 cases."""
    assert sign_flip_p_value(np.r_[np.ones(5), np.zeros(95)], None, 10_000, 0) == pytest.approx(2 / 32, abs=0.01)
    assert sign_flip_p_value(np.zeros(5), None, 10_000, 0) == 1.0


@pytest.mark.parametrize("num_classes", [6, 12])
def test_many_kinds_of_rows_give_the_p_value_of_few(num_classes, monkeypatch):
    """Whether kinds of rows are drawn, or blocks of rows, is a question of speed only."""
    classes = tuple(f"class {index}" for index in range(num_classes))
    a, b = two(600, 0.2, classes)
    names = ["f1[macro]", "mcc"]
    blocks = compare_metrics(a, b, metrics=names)
    monkeypatch.setattr("pretune.evaluate.pairs.MAX_KINDS", 10**9)
    for one, other in zip(blocks, compare_metrics(a, b, metrics=names), strict=True):
        assert one.p_value == pytest.approx(other.p_value, abs=0.02)
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.01)


def test_what_is_not_defined_is_left_out_or_refused():
    a = from_counts(30, 10, 20, 240)
    names = [item.metric for item in compare_metrics(a, constant(a))]
    assert not {"mcc", "loss", "brier", "roc_area"} & set(names)
    with pytest.raises(UsageError, match="mcc is not defined"):
        compare_metrics(a, constant(a), metrics=["mcc"])
    with pytest.raises(UsageError, match="'sharpe'"):
        compare_metrics(a, constant(a), metrics=["sharpe"])
    with pytest.raises(UsageError, match="no class 'maybe'"):
        compare_metrics(a, constant(a), Terms(positive="maybe"))
    empty = from_counts(0, 5, 0, 200)
    with pytest.raises(DataError, match="no row is pos"):
        compare_metrics(empty, constant(empty), metrics=["recall[pos]"])


def test_the_figure_that_decides_depends_on_the_labels_alone():
    assert deciding_metric(["x"] * 61 + ["y"] * 39, None) == "f1[macro]"
    assert deciding_metric(["x"] * 60 + ["y"] * 40, "y") == "accuracy"
