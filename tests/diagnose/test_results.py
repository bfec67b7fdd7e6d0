"""Planted in the figures: a class hardly found, one never predicted, figures near chance, too few rows."""

from dataclasses import replace

import pytest
from judging import evaluation_of, from_counts, from_pairs

from pretune.diagnose.accuracy_paradox import check_accuracy_paradox, check_dead_classes
from pretune.diagnose.bad_values import check_bad_values, check_size
from pretune.records import Severity


def test_high_accuracy_that_misses_the_rare_class_blocks_in_plain_words(clean_evidence):
    """98 % accuracy with 12 % recall: 3 of 25 found."""
    finding = check_accuracy_paradox(clean_evidence, evaluation_of(from_counts(3, 2, 22, 973)))
    assert finding.severity is Severity.BLOCKING
    assert finding.measured == 0.12
    expected = (
        "97.6 % of the answers are right, but a rule that always says neg, and so finds no pos at all, is right in 97.5 %. "
        "Of 25 pos rows the model finds 3 (12 %) and misses 22: the accuracy comes from how common neg is, not from what the "
        "model finds"
    )
    assert finding.summary == expected


@pytest.mark.parametrize("positives", range(5, 60))
def test_a_recall_of_twelve_percent_always_blocks(clean_evidence, positives):
    found = int(0.125 * positives)
    evaluation = evaluation_of(from_counts(found, 0, positives - found, 50 * positives))
    assert check_accuracy_paradox(clean_evidence, evaluation).severity is Severity.BLOCKING


def test_a_class_predicted_far_less_often_than_it_occurs_is_starved(clean_evidence):
    """100 rows of c, called so 20 times."""
    pairs = [("a", "a")] * 200 + [("b", "b")] * 200 + [("c", "c")] * 20 + [("c", "b")] * 80
    finding = check_dead_classes(clean_evidence, evaluation_of(from_pairs(pairs, ("a", "b", "c", "neg")), positive=None))
    assert finding.severity is Severity.WARNING
    assert "c (100 rows, predicted 20 times)" in finding.summary


def test_a_class_that_chance_made_rare_is_not_starved(clean_evidence):
    pairs = [("a", "a")] * 200 + [("b", "b")] * 200 + [("c", "c")] * 2 + [("c", "b")] * 4
    assert (
        check_dead_classes(clean_evidence, evaluation_of(from_pairs(pairs, ("a", "b", "c", "neg")), positive=None)).severity
        is Severity.OK
    )


def test_a_rare_class_that_is_found_is_no_paradox(clean_evidence):
    assert check_accuracy_paradox(clean_evidence, evaluation_of(from_counts(22, 2, 3, 973))).severity is Severity.OK


def test_a_miss_that_chance_may_explain_only_warns(clean_evidence):
    """4 of 9: under one half, but the interval reaches far above."""
    assert check_accuracy_paradox(clean_evidence, evaluation_of(from_counts(4, 2, 5, 189))).severity is Severity.WARNING


@pytest.mark.parametrize("positives", [0, 4])
def test_fewer_than_five_rare_rows_say_nothing(clean_evidence, positives):
    evaluation = evaluation_of(from_counts(0, 2, positives, 198 - positives))
    finding = check_accuracy_paradox(clean_evidence, evaluation)
    assert finding.severity is Severity.UNKNOWN
    assert f"only {positives} of 200 test rows are pos" in finding.summary
    assert check_bad_values(clean_evidence, evaluation).severity is not Severity.BLOCKING
    assert check_dead_classes(clean_evidence, evaluation).severity is not Severity.BLOCKING


@pytest.mark.parametrize(("num_rows", "severity"), [(4, Severity.WARNING), (5, Severity.BLOCKING)])
def test_a_class_never_predicted_is_dead(clean_evidence, num_rows, severity):
    pairs = [("a", "a")] * 50 + [("b", "b")] * 50 + [("c", "b")] * num_rows
    finding = check_dead_classes(clean_evidence, evaluation_of(from_pairs(pairs, ("a", "b", "c", "neg")), positive=None))
    assert (finding.severity, finding.measured) == (severity, 1)
    assert f"c ({num_rows} rows)" in finding.summary


@pytest.mark.parametrize(
    ("counts", "severity", "name"),
    [
        ((260, 250, 240, 250), Severity.BLOCKING, "accuracy"),  # 0.51: guessing
        ((300, 20, 700, 980), Severity.BLOCKING, "recall[pos]"),  # 0.30 of 1,000
        ((18, 3, 22, 200), Severity.WARNING, "recall[pos]"),  # 0.45 of 40: up to 0.62
        ((55, 45, 45, 155), Severity.OK, "no figure"),
    ],
)
def test_figures_near_chance_or_under_one_half_are_named(clean_evidence, counts, severity, name):
    finding = check_bad_values(clean_evidence, evaluation_of(from_counts(*counts)))
    assert finding.severity is severity
    assert finding.summary.startswith(name)


@pytest.mark.parametrize(("scale", "severity"), [(1, Severity.WARNING), (10, Severity.OK)])
def test_wide_intervals_ask_for_more_rows(clean_evidence, scale, severity):
    evaluation = evaluation_of(from_counts(45 * scale, 5 * scale, 5 * scale, 45 * scale))
    assert check_size(clean_evidence, evaluation).severity is severity


def test_a_missing_interval_asks_for_more_rows(clean_evidence):
    evidence = replace(clean_evidence, positive=None)
    finding = check_size(evidence, evaluation_of(from_counts(10, 5, 5, 180), positive=None))
    assert finding.severity is Severity.WARNING
    assert "20 are needed" in finding.summary
