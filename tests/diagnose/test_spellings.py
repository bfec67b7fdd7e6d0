"""Planted: a class in two spellings, among the labels and among the answers."""

from dataclasses import replace

from pretune.diagnose.spellings import check_spellings
from pretune.records import Severity


def test_labels_that_differ_in_case_only_are_named_with_their_counts(clean_evidence):
    train = tuple(
        replace(row, label="Neg") if number < 10 and row.label == "neg" else row
        for number, row in enumerate(clean_evidence.train)
    )
    finding = check_spellings(replace(clean_evidence, train=train))
    assert finding.severity is Severity.WARNING
    assert "'Neg' (5) and 'neg' (595)" in finding.summary
    assert "--merge-labels" in finding.fix


def test_answers_in_another_spelling_are_told_from_wrong_ones(clean_evidence, clean_evaluation):
    first = clean_evidence.predictions[0]
    said = tuple(name.upper() if number < 100 else name for number, name in enumerate(first.predicted))
    shifted = replace(first, predicted=said)
    right = sum(map(str.__eq__, map(str, first.labels), first.predicted)) / 300
    now = sum(map(str.__eq__, map(str, first.labels), said)) / 300
    finding = check_spellings(replace(clean_evidence, predictions=(shifted,)), clean_evaluation)
    assert f"as one class, accuracy is {right:.3f}, not {now:.3f}" in finding.summary
    assert finding.examples


def test_codes_that_differ_in_a_leading_zero_are_different_classes(clean_evidence):
    rows = tuple(replace(row, label="01" if number % 2 else "1") for number, row in enumerate(clean_evidence.train))
    assert check_spellings(replace(clean_evidence, train=rows)).severity is Severity.OK
