"""Figures against scikit-learn, undefined ones, and the intervals around them."""

import random
from dataclasses import replace

import numpy as np
import pytest
from judging import from_counts, from_pairs
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
    roc_auc_score,
)

from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.evaluate import confusion_of, score_predictions
from pretune.intervals import skewed_mean_interval
from pretune.records import Predictions, Terms


def figure(scores, metric, label=None):
    return next(score for score in scores if (score.metric, score.label) == (metric, label))


@pytest.fixture
def three_classes() -> Predictions:
    """300 rows of three classes, about two thirds right, with probabilities."""
    generator, classes = random.Random(3), ("a", "b", "c")
    labels = generator.choices(classes, weights=(5, 3, 2), k=300)
    predicted = [label if generator.random() < 0.6 else generator.choice(classes) for label in labels]
    probabilities = np.random.default_rng(3).dirichlet([1, 1, 1], size=300)
    made = from_pairs(list(zip(labels, predicted, strict=True)), classes)
    return replace(made, probabilities=tuple(map(tuple, probabilities.tolist())))


def test_every_figure_is_that_of_scikit_learn(three_classes):
    scores, classes = score_predictions(three_classes), list(three_classes.classes)
    labels, predicted = three_classes.labels, three_classes.predicted
    assert figure(scores, "accuracy").value == pytest.approx(accuracy_score(labels, predicted))
    assert figure(scores, "loss").value == pytest.approx(log_loss(labels, three_classes.probabilities, labels=classes))
    known = precision_recall_fscore_support(labels, predicted, labels=classes)
    averaged = precision_recall_fscore_support(labels, predicted, labels=classes, average="macro")
    for column, metric in enumerate(("precision", "recall", "f1")):
        assert [figure(scores, metric, name).value for name in classes] == pytest.approx(known[column].tolist())
        assert figure(scores, metric, "macro").value == pytest.approx(averaged[column])


def test_the_confusion_matrix_is_that_of_scikit_learn(three_classes):
    expected = confusion_matrix(three_classes.labels, three_classes.predicted, labels=list(three_classes.classes))
    assert np.array_equal(confusion_of(three_classes).counts, expected)


def test_every_interval_holds_its_value_and_has_a_width(three_classes):
    for score in score_predictions(three_classes):
        assert score.low < score.value < score.high
        assert score.low >= (-1 if score.metric == "mcc" else 0)
        assert score.method


def test_figures_over_all_classes_are_those_of_scikit_learn(three_classes):
    scores, classes = score_predictions(three_classes), list(three_classes.classes)
    labels, predicted = three_classes.labels, three_classes.predicted
    shares = np.array(three_classes.probabilities)
    assert figure(scores, "mcc").value == pytest.approx(matthews_corrcoef(labels, predicted))
    assert figure(scores, "balanced_accuracy").value == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert figure(scores, "brier").value == pytest.approx(brier_score_loss(labels, shares, labels=classes))
    assert figure(scores, "roc_area", "macro").value == pytest.approx(roc_auc_score(labels, shares, multi_class="ovr"))
    hot = np.array([[label == name for name in classes] for label in labels])
    assert figure(scores, "pr_area", "macro").value == pytest.approx(average_precision_score(hot, shares))


def test_balanced_accuracy_is_macro_recall_by_its_other_name():
    scores = score_predictions(from_counts(90, 15, 10, 85))
    mean, balanced = figure(scores, "recall", "macro"), figure(scores, "balanced_accuracy")
    assert (mean.value, mean.low, mean.high) == (balanced.value, balanced.low, balanced.high)


@pytest.mark.parametrize(("counts", "alike"), [((0, 0, 50, 50), "answers"), ((50, 0, 50, 0), "labels")])
def test_correlation_of_what_never_varies_is_undefined(counts, alike):
    score = figure(score_predictions(from_counts(*counts)), "mcc")
    assert (score.value, score.method) == (None, f"undefined: all {alike} are alike")


@pytest.mark.parametrize("metric", ["mcc", "balanced_accuracy"])
@pytest.mark.parametrize(("shares", "size"), [((0.45, 0.05, 0.05, 0.45), 60), ((0.85, 0.05, 0.03, 0.07), 400)])
def test_intervals_over_all_classes_cover_the_truth(metric, shares, size):
    """300 draws; 93 % of 300 is two standard errors under 95 %."""
    tn, fp, fn, tp = shares
    recalls = (tp / (tp + fn), tn / (tn + fp))
    correlation = (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    truth = correlation if metric == "mcc" else sum(recalls) / 2
    covered = []
    for tn, fp, fn, tp in np.random.default_rng(0).multinomial(size, shares, size=400):
        score = figure(score_predictions(from_counts(tp, fp, fn, tn)), metric)
        covered += [score.low <= truth <= score.high] if score.low is not None else []
        if len(covered) == 150:
            break
    assert np.mean(covered) > 0.91


def test_the_worked_example_of_the_field_comes_out():
    """TP 90, FP 15, FN 10, TN 85: precision 90/105, recall 90/100, accuracy 175/200."""
    scores = score_predictions(from_counts(90, 15, 10, 85), Terms(positive="pos"))
    assert figure(scores, "precision", "pos").value == pytest.approx(0.857, abs=5e-4)
    assert figure(scores, "recall", "pos").value == 0.900
    assert figure(scores, "accuracy").value == 0.875
    assert figure(scores, "recall", "pos").num_hits == 90


def test_the_headline_figures_come_first():
    names = [score.name for score in score_predictions(from_counts(90, 15, 10, 85), Terms(positive="pos"))]
    assert names[:5] == ["loss", "accuracy", "precision[pos]", "recall[pos]", "f1[pos]"]
    assert [score.name for score in score_predictions(from_counts(9, 1, 1, 9))][2] == "precision[macro]"


def test_a_class_without_rows_is_undefined_and_never_zero():
    scores = score_predictions(from_pairs([("a", "a")] * 30 + [("b", "b")] * 29 + [("b", "c")], ("a", "b", "c")))
    for metric in ("recall", "f1"):
        score = figure(scores, metric, "c")
        assert (score.value, score.low, score.method) == (None, None, "undefined: no row is c")
    assert figure(scores, "recall", "macro").value == pytest.approx((1 + 29 / 30) / 2)
    assert "over 2 classes" in figure(scores, "recall", "macro").method


def test_precision_of_a_class_never_predicted_is_undefined_and_counts_as_zero_in_the_average():
    scores = score_predictions(from_counts(0, 0, 50, 50))
    assert figure(scores, "precision", "pos").value is None
    assert figure(scores, "precision", "macro").value == 0.25  # (0 + 50/100) / 2
    assert figure(scores, "f1", "pos").value == 0.0


def test_averages_allow_small_classes_and_claims_about_one_class_keep_their_minimum():
    scores = score_predictions(from_pairs([("a", "a")] * 200 + [("b", "b")] * 17 + [("c", "b")] * 3, ("a", "b", "c")))
    assert figure(scores, "f1", "macro").low is not None
    assert figure(scores, "f1", "c").low is None
    few = figure(score_predictions(from_counts(14, 5, 5, 500)), "recall", "macro")
    assert (few.low, few.high) == (None, None)
    assert "every class but the commonest, together, has 19 rows, 20 are needed" in few.method
    lone = score_predictions(
        from_pairs([(name, name) for name in "abcdefghijklmnopqrstuvwxy"], tuple("abcdefghijklmnopqrstuvwxy"))
    )
    assert figure(lone, "recall", "macro").low is not None
    assert figure(lone, "f1", "macro").method.startswith("no interval: 25 of 25 classes have one row")


def test_by_the_first_rules_averages_need_twenty_rows_in_the_rarer_class():
    few = figure(score_predictions(from_counts(15, 5, 4, 100), Terms(rules=1)), "recall", "macro")
    assert (few.low, few.high) == (None, None)
    assert "pos has 19 rows, 20 are needed" in few.method
    assert "MOVER" in figure(score_predictions(from_counts(16, 5, 4, 100), Terms(rules=1)), "recall", "macro").method


def test_a_class_that_is_predicted_and_has_no_rows_is_named_with_what_scikit_learn_would_give():
    pairs = [("a", "a")] * 30 + [("b", "b")] * 28 + [("b", "c")] * 2
    labels, said = zip(*pairs, strict=True)
    scores = score_predictions(from_pairs(pairs, ("a", "b", "c")))
    for metric, theirs in (("recall", recall_score), ("precision", precision_score), ("f1", f1_score)):
        found = figure(scores, metric, "macro")
        assert "over 2 classes with rows, without c (predicted, no rows)" in found.method
        assert f"would give {theirs(labels, said, average='macro', zero_division=0):.3f}" in found.method


def test_a_perfect_score_is_not_certain():
    for score in score_predictions(from_counts(50, 0, 0, 50)):
        assert score.value is None or score.low < score.high == 1.0


def test_the_interval_of_macro_f1_covers_the_truth():
    shares = [0.4, 0.1, 0.1, 0.4]  # both F1 are 0.8
    tables = np.random.default_rng(0).multinomial(300, shares, size=200)
    found = [figure(score_predictions(from_counts(*table)), "f1", "macro") for table in tables.tolist()]
    assert np.mean([score.low <= 0.8 <= score.high for score in found]) > 0.92
    assert {score.method.split(",")[0] for score in found} == {"summed variances of the classes"}


def test_the_interval_of_a_skewed_mean_covers_the_truth():
    """Losses are skewed; gamma with shape 0.3 more so. The mean is 0.3."""
    values = np.random.default_rng(0).gamma(0.3, size=(2000, 100))
    ends = [skewed_mean_interval(row, 0.95) for row in values]
    assert np.mean([low <= 0.3 <= high for low, high in ends]) > 0.93


def test_the_look_and_its_confidence_stand_in_every_score():
    scores = score_predictions(from_counts(90, 15, 10, 85), Terms(look=2, confidence=0.9875))
    assert {(score.look, score.confidence) for score in scores} == {(2, 0.9875)}


def test_the_same_predictions_give_the_same_bits(three_classes):
    assert score_predictions(three_classes) == score_predictions(three_classes)


def test_rows_without_labels_cannot_be_scored(three_classes):
    with pytest.raises(MissingLabelsError, match="1 of 300 rows"):
        score_predictions(replace(three_classes, labels=(None, *three_classes.labels[1:])))


def test_a_label_the_model_does_not_know_is_named(three_classes):
    with pytest.raises(DataError, match="'d', which the model does not know"):
        score_predictions(replace(three_classes, labels=("d", *three_classes.labels[1:])))


def test_no_rows_and_an_unknown_positive_class_are_errors(three_classes):
    with pytest.raises(DataError, match="no rows"):
        score_predictions(from_pairs([]))
    with pytest.raises(UsageError, match="no class 'd'"):
        score_predictions(three_classes, Terms(positive="d"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (((0.5, 0.5),) * 300, "shape"),
        (((float("nan"), 0.5, 0.5),) * 300, "not finite"),
        ((*((0.2, 0.3, 0.5),) * 299, (0.5, 0.5)), "differ in number"),
    ],
)
def test_probabilities_that_do_not_fit_are_refused(three_classes, table, message):
    with pytest.raises(DataError, match=message):
        score_predictions(replace(three_classes, probabilities=table))
